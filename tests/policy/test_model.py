from dataclasses import replace

import pytest

from privkit import fields
from privkit.errors import PolicyError
from privkit.policy import Policy, PolicyField, Treatment, View

FIELDS = {"mobile": fields.CN_MOBILE, "city": "cn_city"}


def test_what_is_made_does_not_change():
    policy = Policy(FIELDS, {"a": {"mobile": "token"}})
    for thing, name in (
        (policy, "unknown"),
        (policy.fields["mobile"], "key"),
        (policy.views["a"], "recipient"),
        (policy.views["a"].fields["mobile"], "word"),
    ):
        with pytest.raises(AttributeError):
            setattr(thing, name, "x")
    for mapping in (policy.fields, policy.views, policy.views["a"].fields, Treatment("mask", first=1).parameters):
        with pytest.raises(TypeError):
            mapping["mobile"] = None


def test_what_was_passed_may_change_afterwards():
    given = {"mobile": "token"}
    view = View(given)
    given["mobile"] = "keep"
    assert view.fields["mobile"].word == "token"


def test_a_treatment_is_said_in_three_ways():
    expected = Treatment("mask", profile="log")
    assert Treatment.of({"transform": "mask", "profile": "log"}) == Treatment.of(expected) == expected
    assert Treatment.of("mask") == Treatment("mask")


@pytest.mark.parametrize(
    ("make", "message", "path"),
    [
        (lambda: Policy(FIELDS, {}, unknown="keep"), "unknown cannot be 'keep'", ("unknown",)),
        (lambda: Policy({"x": "cn_mobil"}, {}), "field 'x': no field type 'cn_mobil'", ("fields", "x", "type")),
        (lambda: PolicyField("text", on_invalid="no"), "on_invalid cannot be 'no'", ("on_invalid",)),
        (
            lambda: Policy(FIELDS, {"a": {"x": "keep"}}),
            "view 'a': the policy has no field 'x'",
            ("views", "a", "fields", "x"),
        ),
        (
            lambda: Policy(FIELDS, {"a": {"city": 1}}),
            "view 'a': field 'city': a treatment is",
            ("views", "a", "fields", "city"),
        ),
        (
            lambda: Policy({"x": 3}, {}),
            "field 'x': a field is a type, the name of one, or a PolicyField",
            ("fields", "x"),
        ),
        (lambda: Policy(FIELDS, {"a": "token"}), "view 'a': a view is a View, or a mapping of fields", ("views", "a")),
        (lambda: View({}, recipient=""), "recipient is empty", ("recipient",)),
    ],
)
def test_errors_say_where_in_the_policy(make, message, path):
    with pytest.raises(PolicyError) as caught:
        make()
    assert str(caught.value).startswith(message)
    assert caught.value.path == path
    assert caught.value.line == 0


def test_a_level_that_does_not_check_its_parameters_raises_no_other_error():
    odd = replace(fields.TEXT, levels={"odd": lambda width: 1 / width, "open": lambda **anything: anything["no"]})
    for level, parameters in (("odd", {"width": 0}), ("open", {"width": "x"})):
        with pytest.raises(PolicyError) as caught:
            Policy({"x": odd}, {"a": {"x": Treatment("generalise", to=level, **parameters)}})
        assert "field 'x': generalise of text cannot be made with to (text), width (" in str(caught.value)
