"""What type checkers see of policies; checked by mypy, never run."""

from typing import Any, assert_type

from privkit import fields
from privkit.policy import Applied, BoundView, Policy, PolicyField, Treatment, View

policy = Policy(
    fields={"mobile": fields.CN_MOBILE, "city": "cn_city", "email": PolicyField("email", key="customer.email")},
    views={
        "analytics": {"mobile": "token", "city": {"transform": "keep"}, "email": Treatment("mask", profile="log")},
        "partner": View({"mobile": "token"}, recipient="acme"),
    },
)
bound = policy.view("analytics")
assert_type(bound, BoundView)

rows: list[dict[str, Any]] = []
columns: dict[str, list[str]] = {}
assert_type(bound.apply(rows), list[dict[str, Any]])
assert_type(bound.reveal(columns), dict[str, list[str]])
assert_type(bound.run(rows), Applied[list[dict[str, Any]]])
assert_type(bound.check(["mobile"], "reveal"), list[str])
