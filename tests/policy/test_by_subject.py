"""Treatments by subject: a column beside a column of whose its values are, in views, tables and files."""

import datetime as dt

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from privkit import Policy, fields
from privkit.errors import InvalidValue, PolicyError, SubjectForgotten, TableError
from privkit.keys import Keyring
from privkit.policy.files import open_sink, open_source
from privkit.policy.stream import apply_file
from privkit.transforms import DateShift, EncryptBySubject, Noise

FIELDS = """
[fields.customer]
type = "text"
[fields.ordered]
type = "date"
key = "customer.shift"
[fields.delivered]
type = "date"
key = "customer.shift"
[fields.amount]
type = "amount"
[fields.note]
type = "free_text"
"""
VIEW = """
[views.study.fields]
customer = "{customer}"
ordered = {{ transform = "shift", subject = "customer", days = 30 }}
delivered = {{ transform = "shift", subject = "customer", days = 30 }}
amount = {{ transform = "noise", subject = "customer", scale = 5 }}
note = {{ transform = "encrypt", subject = "customer" }}
"""
TABLE = {
    "customer": ["a", "b", "a", None],
    "ordered": ["2026-01-02", "2026-01-02", "2026-02-02", None],
    "delivered": ["2026-01-05", "2026-01-09", None, ""],
    "amount": ["10.00", "10.00", "0.50", None],
    "note": ["rings twice", "has a dog", "", None],
}


@pytest.fixture
def keys(tmp_path):
    return Keyring.create(tmp_path / "keyring.json")


def view(keys, customer="keep"):
    return Policy.loads(FIELDS + VIEW.format(customer=customer)).view("study", keys)


def test_views_give_what_the_transforms_give(keys):
    out = view(keys).apply(TABLE)
    whose = TABLE["customer"]
    for name in ("ordered", "delivered"):
        shift = DateShift(fields.DATE, keys["customer.shift"], days=30)
        assert out[name] == shift.protect_many(TABLE[name], subject=whose)
    assert out["amount"] == Noise(fields.AMOUNT, keys["amount"], scale=5).protect_many(TABLE["amount"], subject=whose)
    assert EncryptBySubject(keys, "note", text=True).reveal_many(out["note"], subject=whose) == TABLE["note"]
    assert list(out) == list(TABLE)
    days = [dt.date.fromisoformat(out[name][0]) for name in ("ordered", "delivered")]
    assert (days[1] - days[0]).days == 3


@pytest.mark.parametrize("customer", ["keep", "encrypt"])
def test_what_can_be_undone_is(keys, customer):
    bound = view(keys, customer)
    assert set(bound.reversible) >= {"ordered", "delivered", "note"}
    table = {name: column[:3] for name, column in TABLE.items()}
    back = bound.reveal(bound.apply(table))
    assert {name: back[name] for name in back if name != "amount"} == {
        name: table[name] for name in table if name != "amount"
    }


def test_subjects_that_the_view_does_not_give_come_beside_it(keys):
    bound = view(keys, "drop")
    out = bound.apply(TABLE)
    assert "customer" not in out
    back = bound.reveal({**out, "customer": TABLE["customer"]})
    assert list(back) == ["ordered", "delivered", "amount", "note"]
    assert back["note"] == TABLE["note"]
    with pytest.raises(TableError, match="'customer' is not in the table, and view 'study' treats others by its ids"):
        bound.reveal(out)
    with pytest.raises(TableError, match="treats others by its ids"):
        bound.apply({name: column for name, column in TABLE.items() if name != "customer"})


def test_what_is_under_a_token_of_its_subject_stays(keys):
    bound = view(keys, "token")
    assert bound.reversible == ()
    with pytest.raises(TableError, match="nothing to reveal"):
        bound.reveal(bound.apply(TABLE))


def test_errors_name_column_and_row(keys):
    bound = view(keys)
    with pytest.raises(InvalidValue, match="no subject") as caught:
        bound.treat({**TABLE, "customer": [None, "b", "a", "c"]}, first_row=100)
    assert (caught.value.column, caught.value.rows) == ("ordered", (100,))
    with pytest.raises(InvalidValue, match="not a valid date") as caught:
        bound.apply({**TABLE, "delivered": ["2026-02-30", None, None, None]})
    assert (caught.value.column, caught.value.rows) == ("delivered", (0,))


def test_forgotten_persons_are_told_or_suppressed(keys):
    out = view(keys).apply(TABLE)
    keys.forget("b")
    with pytest.raises(SubjectForgotten, match="column 'note': their persons were forgotten") as caught:
        view(keys).treat(out, "reveal", first_row=10)
    assert caught.value.rows == (11,)
    lenient = FIELDS.replace('"free_text"', '"free_text"\non_invalid = "suppress"') + VIEW.format(customer="keep")
    applied = Policy.loads(lenient).view("study", keys).run(out, "reveal")
    assert applied.table["note"] == ["rings twice", None, "", None]
    assert applied.columns["note"].invalid == 1


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ('subject = "custmer", scale', 'subject = "customer", scale', "no field 'custmer' for its subjects; did you"),
        ("scale = 5", 'subject = "customer", scale = 5', "noise of amount needs the parameter 'subject'"),
        ("subject = 3, scale", 'subject = "customer", scale', "subject of noise is text"),
        ('subject = "customer", scael', 'subject = "customer", scale', "no parameter 'scael'; did you mean 'scale'"),
        ('subject = "customer", scale = -5', 'subject = "customer", scale = 5', "scale must be a number above 0"),
    ],
)  # fmt: skip
def test_policies_that_are_wrong_are_refused_with_their_line(wrong, right, says):
    text = FIELDS + VIEW.format(customer="keep")
    with pytest.raises(PolicyError, match=says) as caught:
        Policy.loads(text.replace(right, wrong))
    assert caught.value.line == text[: text.index("amount = {")].count("\n") + 1
    with pytest.raises(PolicyError, match="mask of text has no parameter 'subject'"):
        Policy({"a": "text"}, {"v": {"a": {"transform": "mask", "subject": "a"}}})
    with pytest.raises(PolicyError, match="shift needs a keyring"):
        Policy.loads(text.replace("subject", "subject")).view("study")


@pytest.mark.parametrize("customer", ["keep", "drop"])
def test_files_are_treated_as_tables_are(keys, tmp_path, customer):
    rows = 200_000
    table = pa.table(
        {
            "customer": [f"user:{row % 7}" for row in range(rows)],
            "ordered": pa.array([dt.date(2026, 1, 1 + row % 28) for row in range(rows)], pa.date32()),
            "delivered": pa.array([dt.date(2026, 2, 1 + row % 28) for row in range(rows)], pa.date32()),
            "amount": pa.array([f"{row % 100}.50" for row in range(rows)]),
            "note": pa.array([f"note {row % 50}" if row % 3 else None for row in range(rows)]),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    bound = view(keys, customer)
    with open_source(tmp_path / "in.parquet") as source:
        done = apply_file(bound, source, open_sink(tmp_path / "out.parquet", like=source))
    assert done.dropped == (("customer",) if customer == "drop" else ())
    out = pq.read_table(tmp_path / "out.parquet")
    assert out.column("ordered").type == pa.date32()
    assert out.column("ordered") == bound.apply(table).column("ordered")
    if customer == "drop":
        out = out.append_column("customer", table.column("customer"))
        pq.write_table(out, tmp_path / "out.parquet")
    with open_source(tmp_path / "out.parquet") as source:
        apply_file(bound, source, open_sink(tmp_path / "back.parquet", like=source), direction="reveal")
    back = pq.read_table(tmp_path / "back.parquet")
    assert back.column_names == [name for name in table.column_names if name != "customer" or customer == "keep"]
    for name in ("ordered", "delivered", "note"):
        assert back.column(name).combine_chunks() == table.column(name).combine_chunks()


def test_text_files_get_the_text_of_what_was_encrypted(keys, tmp_path):
    policy = Policy(
        {"who": "text", "seen": "timestamp"},
        {"v": {"who": "keep", "seen": {"transform": "encrypt", "subject": "who"}}},
    )
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    sealed = policy.view("v", keys).apply({"who": ["a", "b"], "seen": [moment, moment]})
    pc.write_csv(pa.table(sealed), tmp_path / "sealed.csv")
    with open_source(tmp_path / "sealed.csv") as source:
        sink = open_sink(tmp_path / "back.csv", like=source)
        apply_file(policy.view("v", keys), source, sink, direction="reveal")
    assert (tmp_path / "back.csv").read_text(encoding="utf-8").split()[1] == "a,2026-01-02T03:04:05+08:00"
