import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue, PolicyError, TableError
from privkit.policy import ColumnReport, Policy, PolicyField, Treatment, View

POLICY = Policy(
    fields={
        "customer": fields.PERSON_NAME,
        "mobile": PolicyField(fields.CN_MOBILE, key="customer.mobile"),
        "email": PolicyField(fields.EMAIL, key="customer.email", on_invalid="suppress"),
        "note": fields.FREE_TEXT,
        "city": fields.CN_CITY,
        "password": fields.PASSWORD,
    },
    views={
        "support": {"customer": "mask", "note": "encrypt", "email": "encrypt", "city": "keep", "password": "drop"},
        "partner": View({"mobile": "token", "email": Treatment("token", recipient="other")}, recipient="acme"),
        "other": View({"mobile": "token", "email": "token"}, recipient="other"),
        "own": {"mobile": "token", "email": "token"},
        "courier": {"customer": {"transform": "mask", "profile": "waybill"}, "mobile": "mask"},
        "nothing": {"password": "drop"},
    },
)
COLUMNS = {
    "note": ["放门口", "", None, "line\nbreak"],
    "password": ["x1", "x2", "x3", "x4"],
    "customer": ["韩梅梅", None, "", "阿卜杜拉·买买提"],
    "mobile": ["13812345678", None, "", "+86 139-1234-5678"],
    "city": ["杭州市", "上海市", None, ""],
    "email": ["li@example.cn", None, "", "Han@Example.cn"],
}


def rows_of(columns):
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def columns_of(rows):
    return {name: [row[name] for row in rows] for name in rows[0]}


def identity(table):
    return table


def pandas_columns(frame):
    return {name: [None if pd.isna(cell) else cell for cell in frame[name]] for name in frame}


TABLES = {
    "list of dicts": (rows_of, list, columns_of),
    "dict of lists": (dict, dict, identity),
    "dict of arrays": (
        lambda columns: {name: np.array(cells, object) for name, cells in columns.items()},
        dict,
        lambda table: {name: cells.tolist() for name, cells in table.items()},
    ),
    "arrow table": (pa.table, pa.Table, lambda table: table.to_pydict()),
    "arrow record batch": (pa.record_batch, pa.RecordBatch, lambda table: table.to_pydict()),
    "pandas": (pd.DataFrame, pd.DataFrame, pandas_columns),
    "polars": (pl.DataFrame, pl.DataFrame, lambda table: table.to_dict(as_series=False)),
}


@pytest.fixture(params=TABLES)
def kind(request):
    return TABLES[request.param]


@pytest.mark.parametrize("view", ["courier", "own", "partner"])
def test_every_kind_of_table_gives_its_own_kind_and_the_same_values(kind, view, keys):
    make, cls, columns = kind
    bound = POLICY.view(view, keys)
    result = bound.apply(make(COLUMNS))
    assert type(result) is cls
    assert columns(result) == bound.apply(COLUMNS)
    assert list(columns(result)) == [name for name in COLUMNS if name in POLICY.views[view].fields]


def test_reveal_gives_back_what_can_be_revealed(kind, keys):
    make, cls, columns = kind
    bound = POLICY.view("support", keys)
    protected = bound.apply(make(COLUMNS))
    revealed = bound.reveal(protected)
    assert type(revealed) is cls
    assert bound.reversible == ("note", "email")
    for name in ("note", "email", "city"):
        assert columns(revealed)[name] == COLUMNS[name]
    assert columns(revealed)["customer"] == columns(protected)["customer"] != COLUMNS["customer"]


def test_ciphertexts_are_text_unless_said_otherwise(keys):
    policy = Policy({"a": "text", "b": "text"}, {"v": {"a": "encrypt", "b": Treatment("encrypt", text=False)}})
    (row,) = policy.view("v", keys).apply([{"a": "x", "b": "x"}])
    assert type(row["a"]) is str
    assert type(row["b"]) is bytes


def test_columns_come_out_in_the_order_of_the_input(keys):
    backwards = dict(reversed(COLUMNS.items()))
    bound = POLICY.view("support", keys)
    assert list(bound.apply(backwards)) == ["email", "city", "customer", "note"]
    assert bound.check(COLUMNS) == ["note", "customer", "city", "email"]


def test_a_recipient_goes_to_every_treatment_that_names_none(keys):
    tables = {name: POLICY.view(name, keys).apply(COLUMNS) for name in ("partner", "other", "own")}
    assert len({table["mobile"][0] for table in tables.values()}) == 3
    assert tables["partner"]["email"] == tables["other"]["email"] != tables["own"]["email"]


def test_a_key_of_its_own_name_joins_tables(keys):
    one = Policy({"phone": PolicyField("cn_mobile", key="customer.mobile")}, {"own": {"phone": "token"}})
    assert (
        one.view("own", keys).apply({"phone": ["13812345678"]})["phone"]
        == (POLICY.view("own", keys).apply(COLUMNS)["mobile"][:1])
    )


def test_the_report_says_what_happened(keys):
    table = {**COLUMNS, "email": ["li@example.cn", None, "no address", "@"]}
    applied = POLICY.view("support", keys).run(table)
    assert list(applied.columns) == list(applied.table)
    report = applied.columns["email"]
    assert isinstance(report, ColumnReport)
    assert (report.transform, report.rows, report.nulls, report.invalid) == ("encrypt", 4, 1, 2)
    assert applied.table["email"][1:] == [None, None, None]
    assert all(report.seconds >= 0 for report in applied.columns.values())
    revealed = POLICY.view("support", keys).run(applied.table, "reveal")
    assert revealed.table["email"] == ["li@example.cn", None, None, None]
    assert (revealed.columns["email"].nulls, revealed.columns["city"].nulls) == (3, 1)


@pytest.mark.parametrize("view", ["own", "courier"])
def test_an_invalid_cell_stops_the_run_with_column_and_row(view, keys):
    table = {**COLUMNS, "mobile": ["13812345678", None, "1381234", "13912345678"]}
    with pytest.raises(InvalidValue) as caught:
        POLICY.view(view, keys).treat(table, first_row=1000)
    assert (caught.value.column, caught.value.rows) == ("mobile", (1002,))
    assert str(caught.value).startswith("column 'mobile': not a valid cn_mobile at row 1002: ")
    assert "1381234" not in str(caught.value)


def test_what_is_kept_is_checked(keys):
    policy = Policy({"email": "email"}, {"v": {"email": "keep"}})
    with pytest.raises(InvalidValue, match="column 'email': not a valid email at row 0"):
        policy.view("v", keys).apply({"email": ["no address"]})


def test_an_altered_cell_does_not_open_and_is_named(keys):
    bound = POLICY.view("support", keys)
    table = bound.apply(COLUMNS)
    table["note"][3] = table["note"][0][:-4] + "AAAA"
    with pytest.raises(DecryptionFailed) as caught:
        bound.treat(table, "reveal", first_row=10)
    assert (caught.value.column, caught.value.rows) == ("note", (13,))
    assert str(caught.value).startswith("column 'note': decryption failed at row 13: ")


def test_a_column_of_another_kind_than_ciphertexts_is_named(keys):
    with pytest.raises(InvalidParameter, match=r"^column 'note': "):
        POLICY.view("support", keys).reveal({"note": [1, 2]})


WRONG_HEADERS = [
    (["customer", "mobile", "moblie"], "column 'moblie' is not known to the policy"),
    (["customer", "moblie"], "column 'moblie' is not known to the policy; did you mean 'mobile'?"),
    (["mobile", "customer", "x", "y"], "columns 'x', 'y' are not known to the policy"),
    (["mobile", *"abcdefg"], "columns 'a', 'b', 'c', 'd', 'e' and 2 more are not known to the policy"),
    (
        ["mobile", "mobile", "customer"],
        "column 'mobile' is more than once in the table; give each column a name of its own",
    ),
    (["mobile"], "column 'customer' is not in the table, and released by view 'courier'"),
    (["city"], "columns 'customer', 'mobile' are not in the table, and released by view 'courier'"),
    ([], "columns 'customer', 'mobile' are not in the table, and released by view 'courier'"),
]


@pytest.mark.parametrize(("header", "message"), WRONG_HEADERS)
def test_headers_are_checked(header, message):
    with pytest.raises(TableError) as caught:
        POLICY.view("courier").check(header)
    assert str(caught.value) == message


def test_a_first_row_of_data_taken_for_the_header_is_not_shown():
    with pytest.raises(TableError) as caught:
        POLICY.view("courier").check(["韩梅梅", "13812345678"])
    assert str(caught.value) == "none of the 2 columns is known to the policy; is there a header?"


def test_unknown_columns_are_dropped_where_the_policy_says_so():
    policy = Policy(POLICY.fields, POLICY.views, unknown="drop")
    assert policy.view("courier").check(["x", "mobile", "customer", "y"]) == ["mobile", "customer"]
    with pytest.raises(TableError, match=r"column 'mobile' is not in the table.*did you mean 'moblie'\?"):
        policy.view("courier").check(["moblie", "customer"])


def test_what_is_dropped_need_not_be_there(keys):
    assert "password" not in POLICY.view("support", keys).check(["note", "customer", "city", "email"])


def test_reveal_takes_some_columns_and_no_others(keys):
    bound = POLICY.view("support", keys)
    protected = bound.apply(COLUMNS)
    assert bound.reveal({"note": protected["note"][:1]}) == {"note": ["放门口"]}
    for header, message in (
        (["note", "mobile"], "column 'mobile' is not released by view 'support'"),
        (["mobile", "x"], "none of the 2 columns is released by view 'support'; is there a header?"),
        (["city"], "nothing to reveal: columns 'note', 'email' are not in the table"),
        (["note", "note"], "column 'note' is more than once in the table; give each column a name of its own"),
    ):
        with pytest.raises(TableError) as caught:
            bound.check(header, "reveal")
        assert str(caught.value) == message
    with pytest.raises(TableError, match="view 'courier' has nothing to reveal: none of its transforms can be undone"):
        POLICY.view("courier").reveal({"mobile": ["138****5678"]})


def test_no_other_direction_passes_for_revealing():
    with pytest.raises(InvalidParameter, match="a direction is 'protect' or 'reveal', not 'apply'"):
        POLICY.view("courier").run(COLUMNS, "apply")


def test_a_view_is_found_or_the_nearest_is_named(keys):
    with pytest.raises(PolicyError) as caught:
        POLICY.view("suport", keys)
    assert str(caught.value) == "no view 'suport'; did you mean 'support'?"


def test_a_view_that_needs_keys_says_so():
    with pytest.raises(PolicyError) as caught:
        POLICY.view("own")
    assert str(caught.value) == "view 'own': field 'mobile': token needs a keyring; pass one (--keyring)"
    POLICY.view("courier")


def test_a_view_that_releases_nothing_is_refused(keys):
    with pytest.raises(PolicyError, match="view 'nothing' releases no field; name what it gives"):
        POLICY.view("nothing", keys)


def test_tables_without_rows(kind):
    make, cls, columns = kind
    empty = POLICY.view("courier").apply(make({name: [] for name in COLUMNS}))
    assert type(empty) is cls
    if cls is list:
        assert empty == []
    else:
        assert columns(empty) == {"customer": [], "mobile": []}


def test_nothing_of_keys_or_values_shows(keys):
    assert repr(POLICY.view("courier", keys)) == "<view 'courier': customer: mask, mobile: mask>"


NAMES = sorted(POLICY.fields)
TREATMENTS = st.dictionaries(
    st.sampled_from([name for name in NAMES if name != "password"]), st.sampled_from(["keep", "mask", "drop"])
)


@settings(deadline=None)
@given(treatments=TREATMENTS, header=st.permutations(NAMES), unknown=st.lists(st.sampled_from("xyz"), unique=True))
def test_no_column_that_a_view_does_not_name_is_ever_in_its_output(treatments, header, unknown):
    policy = Policy(POLICY.fields, {"v": treatments}, unknown="drop")
    released = {name for name, word in treatments.items() if word != "drop"}
    if not released:
        with pytest.raises(PolicyError):
            policy.view("v")
        return
    table = {name: COLUMNS.get(name, ["secret"] * 4) for name in (*unknown, *header)}
    result = policy.view("v").apply(table)
    assert list(result) == [name for name in header if name in released]
    assert [len(cells) for cells in result.values()] == [4] * len(released)


MOBILES = st.from_regex(r"(\+86 ?)?1[3-9][0-9](-?[0-9]{4}){2}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8"))
REVERSIBLE = Policy(
    fields={"mobile": "cn_mobile", "note": "text", "email": "text"},
    views={"v": {"mobile": "fpe", "note": "encrypt", "email": Treatment("encrypt", deterministic=True)}},
)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(*(st.none() | st.just("") | values for values in (MOBILES, TEXTS, TEXTS)))))
def test_reveal_undoes_apply_exactly(rows, keys):
    table = {name: list(cells) for name, cells in zip(REVERSIBLE.fields, zip(*rows, strict=True), strict=False)}
    if not table:
        return
    bound = REVERSIBLE.view("v", keys)
    protected = bound.apply(table)
    assert bound.reveal(protected) == table
    for name, cells in table.items():
        assert [cell is None for cell in protected[name]] == [cell is None for cell in cells]
        assert not [cell for cell, after in zip(cells, protected[name], strict=True) if cell and cell == after]
