"""Hierarchies: labels, nesting, coverage, and the way through JSON."""

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit import Generalise, fields
from privkit.anonymity import Anonymiser, Hierarchy, Plan
from privkit.anonymity.counting.encoding import ColumnEncoder
from privkit.anonymity.hierarchies.hierarchy import read_hierarchy
from privkit.errors import InvalidParameter, TableError


def domain(column):
    encoder = ColumnEncoder("c")
    encoder.add(column)
    return encoder.domain()[0]


def labels(hierarchy, column):
    """For each value of the column's domain, its labels from the value to the top."""
    ladder = hierarchy.bind(domain(column), every=True)
    own = domain(column)
    return {
        (*own.texts, None)[code]: [
            names[groups[code]] for names, groups in zip(ladder.labels, ladder.groups, strict=True)
        ]
        for code in range(own.size)
    }


EXAMPLES = [
    (
        Hierarchy.intervals([5, 10]),
        [17, 24, -3],
        {"17": ["15-19", "10-19"], "24": ["20-24", "20-29"], "-3": ["-5--1", "-10--1"]},
    ),
    (
        Hierarchy.intervals([0.1, 0.3]),
        [0.3, -0.1, 0.25],
        {"0.3": ["[0.3, 0.4)", "[0.3, 0.6)"], "-0.1": ["[-0.1, 0)", "[-0.3, 0)"], "0.25": ["[0.2, 0.3)", "[0, 0.3)"]},
    ),
    (
        Hierarchy.intervals([2]),
        [2**62, 2**62 + 1, 2**62 + 2],
        {
            str(2**62): [f"{2**62}-{2**62 + 1}"],
            str(2**62 + 1): [f"{2**62}-{2**62 + 1}"],
            str(2**62 + 2): [f"{2**62 + 2}-{2**62 + 3}"],
        },
    ),
    (Hierarchy.intervals([1e24]), ["1e25"], {"1e25": ["[1E+25, 1.1E+25)"]}),
    (Hierarchy.intervals([0.5, 1]), [0.25, 1.5], {"0.25": ["[0, 0.5)", "[0, 1)"], "1.5": ["[1.5, 2)", "[1, 2)"]}),
    (Hierarchy.dates(["month", "quarter", "year"]), ["2020-02-03"], {"2020-02-03": ["2020-02", "2020-Q1", "2020"]}),
    (
        Hierarchy.prefix(6, [4, 2]),
        ["310104", "330100"],
        {"310104": ["3101**", "31****"], "330100": ["3301**", "33****"]},
    ),
    (
        Hierarchy.ordering("abcde", [2, 4]),
        ["a", "d", "e"],
        {"a": ["a..b", "a..d"], "d": ["c..d", "a..d"], "e": ["e", "e"]},
    ),
    (Hierarchy.divisions(), [440305, 110101], {"440305": ["广东省深圳市", "广东省"], "110101": ["北京市", "北京市"]}),
    (Hierarchy.of({"flu": ["airways"], "gout": ["joints"]}), ["gout"], {"gout": ["joints"]}),
    (Hierarchy.of({1: [10], 2: [10], 3: [20]}), [2, 3], {"2": ["10"], "3": ["20"]}),
    (Hierarchy.ordering([3, 1, 2], np.array([2]).tolist()), [2, 1], {"2": ["2"], "1": ["3..1"]}),
    (Hierarchy.intervals(np.array([2, 4])), [3], {"3": ["2-3", "0-3"]}),
    (Hierarchy.intervals([Decimal("2.5")]), [3], {"3": ["[2.5, 5)"]}),
]


@pytest.mark.parametrize(("hierarchy", "column", "wanted"), EXAMPLES)
def test_labels(hierarchy, column, wanted):
    assert labels(hierarchy, column) == {value: [value, *own, "*"] for value, own in wanted.items()}
    assert labels(hierarchy, [*column, None])[None] == [None] * (len(hierarchy.levels) - 1) + ["*"]


@pytest.mark.parametrize(("hierarchy", "column"), [example[:2] for example in EXAMPLES])
def test_through_json(hierarchy, column):
    described = json.loads(json.dumps({"hierarchy": hierarchy.word, **hierarchy.describe()}))
    again = read_hierarchy(described)
    assert labels(again, column) == labels(hierarchy, column)
    assert again == hierarchy
    with pytest.raises(TableError, match="no kind of hierarchy 'x'"):
        read_hierarchy({"hierarchy": "x"})


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.integers(2, 4), st.integers(1, 4))
def test_from_data_nests_and_covers(column, fanout, levels):
    hierarchy = Hierarchy.from_data(column, fanout=fanout, levels=levels)
    ladder = hierarchy.bind(domain(column))
    assert ladder.levels[0] == "value"
    assert ladder.levels[-1] == "*"
    sizes = [len(names) for names in ladder.labels]
    assert sizes == sorted(sizes, reverse=True)
    later = labels(hierarchy, [-5000, 0, 5000])
    assert set(later) == {"-5000", "0", "5000"}
    again = read_hierarchy({"hierarchy": hierarchy.word, **json.loads(json.dumps(hierarchy.describe()))})
    assert labels(again, column) == labels(hierarchy, column)


def test_losses_are_of_the_values_that_are_there():
    ladder = Hierarchy.intervals([10, 20]).bind(domain([20, 25, 31, 60, None]))
    assert ladder.losses[1].tolist() == pytest.approx([5 / 40, 0, 0, 0])
    assert ladder.losses[2].tolist() == pytest.approx([11 / 40, 0, 0])
    assert ladder.losses[-1].tolist() == [1.0]
    cities = Hierarchy.ordering("abcd", [2]).bind(domain(["a", "b", "c"]))
    assert cities.losses[1].tolist() == [0.5, 0.0]


def test_levels_that_change_nothing_are_left_out_of_a_search():
    ladder = Hierarchy.intervals([1, 2, 4, 8]).bind(domain([0, 1, 4, 5]))
    assert ladder.levels == ("value", "by 2", "*")


@pytest.mark.parametrize(
    ("hierarchy", "column", "message"),
    [
        (Hierarchy.prefix(6, [4]), ["310104", "31"], "1 of 2 on level 'first 4'"),
        (Hierarchy.dates(["year"]), ["2020-13-01"], "1 of 1 on level 'year'"),
        (Hierarchy.divisions(), [999999, 1], "2 of 2 on level 'city', 2 of 2 on level 'province'"),
        (Hierarchy.intervals([5]), ["x"], "1 of 1 on level 'by 5'"),
        (Hierarchy.intervals([5]), ["7", "inf", "nan", "1e400", "1e-400"], "4 of 5 on level 'by 5'"),
        (Hierarchy.of({"a": ["x"]}), ["zebra"], "1 of 1 on level 'level 1'"),
    ],
)
def test_what_is_not_covered_is_counted_and_not_said(hierarchy, column, message):
    with pytest.raises(InvalidParameter, match=message) as caught:
        hierarchy.bind(domain(column))
    assert not any(str(value) in str(caught.value) for value in column if len(str(value)) > 2)
    assert sum(hierarchy.uncovered(domain(column)).values()) > 0


def test_files(tmp_path):
    path = tmp_path / "age.csv"
    path.write_text("\ufeff1;0-4;*\n2;0-4;*\n9;5-9;*\n", encoding="utf-8")
    assert labels(Hierarchy.from_file(path), [1, 9]) == {"1": ["1", "0-4", "*"], "9": ["9", "5-9", "*"]}
    for text, message in [("", "is empty"), ("1;a\n2\n", "rows of 1 to 2 columns"), ("1;a\n1;a\n", "listed twice")]:
        path.write_text(text)
        with pytest.raises(TableError, match=message):
            Hierarchy.from_file(path)
    path.write_bytes(b"\xff\xfe;a")
    with pytest.raises(TableError, match="not utf-8"):
        Hierarchy.from_file(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Hierarchy.intervals([]), "one or more"),
        (lambda: Hierarchy.intervals([5, 12]), "do not nest"),
        (lambda: Hierarchy.intervals([-5]), "above 0"),
        (lambda: Hierarchy.intervals(5), "widths must be a list, not int"),
        (lambda: Hierarchy.intervals(["5"]), "a width of intervals must be a number, not str"),
        (lambda: Hierarchy.intervals([5], start=True), "start of intervals must be a number, not bool"),
        (lambda: Hierarchy.of({"1": "x"}), "labels of a value must be a list, not str"),
        (lambda: Hierarchy.dates("year"), "levels of dates must be a list, not str"),
        (lambda: Hierarchy.prefix(6, 2), "keep must be a list, not int"),
        (lambda: Hierarchy.ordering("abc", 2), "sizes must be a list, not int"),
        (lambda: Hierarchy.ordering("abc", [2.0]), "do not nest"),
        (lambda: Hierarchy.of_field("date", ["year"]), "a str is no field type"),
        (lambda: Hierarchy.dates(["year", "month"]), "fine to coarse"),
        (lambda: Hierarchy.dates(["yeer"]), "did you mean 'year'"),
        (lambda: Hierarchy.prefix(6, [2, 4]), "must fall"),
        (lambda: Hierarchy.prefix(6, [6]), "must fall"),
        (lambda: Hierarchy.prefix("6", [4]), "must fall"),
        (lambda: Hierarchy.ordering("aba", [2]), "twice"),
        (lambda: Hierarchy.ordering("abc", [2, 3]), "do not nest"),
        (lambda: Hierarchy.divisions(["county"]), "no level 'county'"),
        (lambda: Hierarchy.divisions(["province", "city"]), "fine to coarse"),
        (lambda: Hierarchy.from_data(fanout=1), "at least 2"),
        (lambda: Hierarchy.from_data().levels, "before it has seen any"),
    ],
)
def test_parameters(make, message):
    with pytest.raises(InvalidParameter, match=message):
        make()


def test_a_level_that_divides_a_group():
    crossed = Hierarchy.of({"a": ["x", "p"], "b": ["x", "q"], "c": ["y", "q"]})
    with pytest.raises(InvalidParameter, match=r"'level 2' .* divides a group of level 'level 1'"):
        crossed.bind(domain(["a", "b", "c"]))


# --- levels of field types ------------------------------------------------------------------------------------------


def test_levels_of_a_field_type_are_those_that_generalise_gives():
    born = ["1984-02-01", "1985-11-30", "1961-07-07", ""]
    found = domain(born)
    hierarchy = Hierarchy.of_field(
        fields.BIRTH_DATE, ["month", "year", {"to": "age_band", "on": "2026-01-01", "width": 10}]
    )
    assert hierarchy.levels == ("value", "month", "year", "age_band on=2026-01-01 width=10", "*")
    for labels, (to, more) in zip(
        hierarchy.label(found),
        [("month", {}), ("year", {}), ("age_band", {"on": "2026-01-01", "width": 10})],
        strict=True,
    ):
        assert labels == [Generalise(fields.BIRTH_DATE, to=to, **more).protect(text) for text in found.texts]


def test_a_value_that_is_not_of_the_type_is_not_covered():
    found = domain(["1984-02-01", "unknown"])
    hierarchy = Hierarchy.of_field(fields.BIRTH_DATE, ["year"])
    assert hierarchy.uncovered(found) == {"year": 1}
    with pytest.raises(InvalidParameter, match="1 of 2 on level 'year'"):
        hierarchy.bind(found)


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ([], "must be a list of one or more"),
        ("year", "must be a list of one or more"),
        (["yaer"], "no level 'yaer'; did you mean 'year'"),
        (["year", "year"], "name one twice"),
        ([{"width": 5}], "needs its name"),
        ([{"to": "year", "width": 5}], "level 'year' of birth_date"),
    ],
)
def test_levels_that_a_field_type_has_not(levels, message):
    with pytest.raises(InvalidParameter, match=message):
        Hierarchy.of_field(fields.BIRTH_DATE, levels)


def test_levels_of_field_types_are_saved_with_a_plan(tmp_path):
    table = {"born": ["1984-02-01", "1984-11-30", "1985-03-08", "1985-03-09"], "paid": ["1", "2", "130", "140"]}
    hierarchies = {
        "born": Hierarchy.of_field(fields.BIRTH_DATE, ["year", {"to": "age_band", "on": dt.date(2026, 1, 1)}]),
        "paid": Hierarchy.of_field(fields.AMOUNT, [{"to": "band", "edges": [0, 100, 200]}]),
    }
    plan = Anonymiser(hierarchies, k=2).fit(table)
    plan.save(tmp_path / "plan.json")
    assert Plan.load(tmp_path / "plan.json").apply(table) == plan.apply(table)
    own = Hierarchy.of_field(replace(fields.AMOUNT, name="points"), [{"to": "band", "width": 10}])
    Anonymiser({"paid": own, "born": None}, k=2).fit(table).save(tmp_path / "own.json")
    with pytest.raises(TableError, match="no field type 'points' in the catalogue"):
        Plan.load(tmp_path / "own.json")
