"""The shipped policy against the export that it is for."""

from pathlib import Path

import pyarrow as pa
import pytest

import privkit
from privkit.demo import SCHEMA, batches
from privkit.policy import Policy
from privkit.transforms.base import Reversible

PATH = Path(privkit.__file__).parent / "demo" / "policy.toml"
DIRECT = set(
    "customer_name resident_id mobile email landline address_detail user_name bank_card imei oaid".split()  # noqa: SIM905 - reads better
)
"""What finds or reaches a person without anything else."""
SENSITIVE = {"ethnicity", "health_note", "religion", "password", "face_template"}


@pytest.fixture(scope="module")
def policy():
    return Policy.load(PATH)


@pytest.fixture(scope="module")
def export():
    return pa.Table.from_batches(batches(2000, seed=11))


def test_its_fields_are_those_of_the_export(policy):
    assert set(policy.fields) == set(SCHEMA.names)


def test_every_view_decides_every_field(policy):
    assert set(policy.views) == {"analytics", "customer_service", "courier", "model_training", "partner"}
    for view in policy.views.values():
        assert set(view.fields) == set(policy.fields)


def test_what_is_sensitive_leaves_in_no_view(policy):
    for view in policy.views.values():
        assert {view.fields[name].word for name in SENSITIVE} == {"drop"}


@pytest.mark.parametrize("view", ["analytics", "customer_service", "courier", "model_training", "partner"])
def test_no_direct_identifier_leaves_as_it_is(view, policy, export, keys):
    applied = policy.view(view, keys).run(export)
    assert sum(report.invalid for report in applied.columns.values()) == 0
    assert applied.table.num_rows == export.num_rows
    for name in DIRECT & set(applied.table.column_names):
        before, after = export[name].to_pylist(), applied.table[name].to_pylist()
        same = [row for row, old in enumerate(before) if old and after[row] == old]
        assert len(same) <= (export.num_rows // 100 if name == "customer_name" else 0)  # a stand-in may be the name
        assert [cell is None for cell in before] == [cell is None for cell in after]


@pytest.mark.parametrize("view", ["analytics", "model_training", "partner"])
def test_views_for_machines_have_tokens_and_groups_only(view, policy):
    words = {policy.views[view].fields[name].word for name in DIRECT}
    assert words <= {"drop", "token", "surrogate"}


def test_views_of_different_recipients_do_not_join(policy, export, keys):
    tables = [policy.view(name, keys).apply(export) for name in ("analytics", "partner")]
    tokens = [set(table["mobile"].to_pylist()) - {None} for table in tables]
    assert len(tokens[0]) == len(tokens[1]) > 100
    assert not tokens[0] & tokens[1]


def test_customer_service_is_revealed_exactly(policy, export, keys):
    bound = policy.view("customer_service", keys)
    protected = bound.apply(export)
    revealed = bound.reveal(protected)
    assert {name for name in bound.transforms if isinstance(bound.transforms[name], Reversible)} == set(
        bound.reversible
    )
    assert set(bound.reversible) == {"mobile", "email", "landline", "address_detail", "review"}
    for name in bound.reversible:
        assert revealed[name].to_pylist() == export[name].to_pylist()
        assert protected[name].to_pylist() != export[name].to_pylist()


@pytest.mark.parametrize("view", ["analytics", "customer_service", "courier", "model_training", "partner"])
def test_dirt_is_suppressed_and_counted(view, policy, keys):
    export = pa.Table.from_batches(batches(2000, seed=3, dirty=0.02))
    applied = policy.view(view, keys).run(export)
    assert sum(report.invalid for report in applied.columns.values()) > 10
