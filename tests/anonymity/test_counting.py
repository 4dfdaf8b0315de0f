"""Dictionaries, domains, keys and frequency sets."""

import datetime as dt
from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit._kernels.ragged import Ragged
from privkit.anonymity import Anonymiser, FrequencySet, measure
from privkit.anonymity.counting import dictionary, frequency
from privkit.anonymity.counting.dictionary import Dictionary
from privkit.anonymity.counting.encoding import ColumnEncoder
from privkit.anonymity.counting.keys import KeyBuilder, Lookup, combine, order_of, renumbered
from privkit.columns import Kind
from privkit.errors import InvalidParameter, InvalidValue, TableError, Unmet

TEXTS = st.lists(st.binary(max_size=20) | st.sampled_from([b"", b"\0", b"a", b"a\0", b"12345678", b"12345678\0"]))


@given(st.lists(TEXTS, max_size=4))
def test_codes_are_those_of_a_plain_dictionary(batches):
    ours, plain = Dictionary(), {}
    for batch in batches:
        wanted = [plain.setdefault(value, len(plain) + 1) for value in batch]
        assert ours.encode(Ragged.of(batch)).tolist() == wanted
    assert ours.values() == list(plain)


@given(st.lists(TEXTS, max_size=3))
def test_values_that_share_a_hash_stay_apart(batches):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dictionary, "_hash", lambda words: words[0] & np.uint64(1))
        ours = Dictionary()
        for batch in batches:
            codes = ours.encode(Ragged.of(batch)).tolist()
            assert [ours.values()[code - 1] for code in codes] == batch
    assert len(ours) == len({value for batch in batches for value in batch})


def test_more_values_than_slots():
    values = np.random.default_rng(1).integers(0, 1 << 60, 60_000).astype(np.uint64)
    ours = Dictionary()
    first = ours.encode(values)
    assert np.array_equal(first, ours.encode(values))
    assert len(ours) == len(set(values.tolist()))
    assert np.array_equal(np.unique(first), np.arange(1, len(ours) + 1))


@pytest.mark.parametrize(
    ("column", "kind", "texts"),
    [
        ([10, 9, None, 10], Kind.INTEGER, ("9", "10")),
        ([1.5, -0.0, 0.0, -2.0], Kind.FLOAT, ("-2", "0", "1.5")),
        ([2**62 + 1, 2**62, 2**62 + 3], Kind.INTEGER, (str(2**62), str(2**62 + 1), str(2**62 + 3))),
        ([Decimal("10.5"), Decimal("9.5")], Kind.DECIMAL, ("9.5", "10.5")),
        ([dt.date(2020, 1, 2), dt.date(1999, 1, 2)], Kind.DATE, ("1999-01-02", "2020-01-02")),
        (
            [dt.datetime(2020, 1, 2, 3), dt.datetime(1999, 1, 2)],
            Kind.TIMESTAMP,
            ("1999-01-02T00:00:00", "2020-01-02T03:00:00"),
        ),
        (
            [
                dt.datetime.fromisoformat("2020-01-02T03:00:00+08:00"),
                None,
                dt.datetime.fromisoformat("2020-01-01T20:00:00+00:00"),  # later, though its local time is earlier
            ],
            Kind.INSTANT,
            ("2020-01-02T03:00:00+08:00", "2020-01-01T20:00:00+00:00"),
        ),
        ([True, False, None], Kind.BOOLEAN, ("false", "true")),
        (["b", "", None, "a"], Kind.TEXT, ("", "a", "b")),
        ([None, None], Kind.TEXT, ()),
    ],
)
def test_domains_are_in_order(column, kind, texts):
    encoder = ColumnEncoder("c")
    given = encoder.add(column)
    domain, final = encoder.domain()
    assert (domain.kind, domain.texts, domain.null) == (kind, texts, None in column)
    codes = final[given].tolist()
    assert [code == len(texts) for code in codes] == [value is None for value in column]
    assert domain.codes_of(domain).tolist() == list(range(domain.size))


SPELLINGS = {
    "zeros": [0.0, -0.0, 0.0],
    "decimals": [Decimal("1.0"), Decimal("1.00"), Decimal(1)],
    "moments": [dt.datetime.fromisoformat(f"2020-01-01T{text}") for text in ("08:00:00+08:00", "00:00:00+00:00")] * 2,
}


@pytest.mark.parametrize("values", SPELLINGS.values(), ids=SPELLINGS)
def test_two_spellings_of_a_sensitive_value_are_no_diversity(values):
    table = {"age": [30] * 3, "own": values[:3]}
    assert measure(table, ["age"], ["own"]).l == 1
    with pytest.raises(Unmet, match="fewer distinct values than l"):
        Anonymiser(["age"], sensitive=["own"], k=2, l=2).fit(table)
    parts = [FrequencySet.of({"age": [30], "own": [value]}, ["age"], ["own"]) for value in values[:3]]
    merged = parts[0].merge(parts[1]).merge(parts[2])
    assert (merged.counts.tolist(), len(merged.sensitive[0].texts)) == ([3], 1)
    plan = Anonymiser(["age"], sensitive=["own"], k=3, t=0.5).fit(table)
    assert plan.apply(table | {"own": values[2::-1]})["own"] == values[2::-1]  # its rows in another order


def test_decimals_that_floats_cannot_tell_apart_are_two_values():
    near = [Decimal("12345678901234567.01"), Decimal("12345678901234567.02")]
    assert measure({"age": [30, 30], "own": near}, ["age"], ["own"]).l == 2


@pytest.mark.parametrize("near", [[2**62 + 10, 2**62 + 20, None, 2**62 + 50], [10, 20, None, 50]])
@pytest.mark.parametrize("kind", [int, Decimal])
def test_numbers_have_a_distance_and_null_is_away(near, kind):
    encoder = ColumnEncoder("c")
    encoder.add([number if number is None else kind(number) for number in near])
    assert encoder.domain()[0].places.tolist() == [0.0, 0.25, 1.0, 2.0]


def test_moments_with_a_zone_have_a_distance():
    encoder = ColumnEncoder("c")
    for text in ("2020-01-01T08:00:00+08:00", "2020-01-01T01:00:00+00:00", "2020-01-01T04:00:00+00:00"):
        encoder.add([dt.datetime.fromisoformat(text)])
    domain, _ = encoder.domain()
    assert np.diff(domain.values).tolist() == [3600.0, 3 * 3600.0]
    assert domain.places.tolist() == [0.0, 0.25, 1.0]


def test_columns_that_are_no_domain():
    with pytest.raises(InvalidValue, match=r"column 'c': .*at rows 0, 3: NaN"):
        ColumnEncoder("c").add([float("inf"), 1.0, None, float("nan")])
    encoder = ColumnEncoder("c")
    encoder.add(["a"])
    encoder.add([None])
    with pytest.raises(InvalidParameter, match="'c' is integer in one place and text in another"):
        encoder.add([1])
    encoder = ColumnEncoder("c")
    encoder.add(np.array(["2020-01-01"], "datetime64[s]"))
    with pytest.raises(InvalidParameter, match="unit of time"):
        encoder.add(np.array(["2020-01-01"], "datetime64[us]"))
    encoder = ColumnEncoder("c")
    encoder.add(np.array([1]))
    with pytest.raises(InvalidParameter, match="64 bits"):
        encoder.add(np.array([2**63 + 1], np.uint64))


CODES = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 8), min_size=width, max_size=width), min_size=1, max_size=30)
)


@given(CODES, st.sampled_from([9, 2**20, 2**31]))
def test_keys_hold_any_number_of_columns(rows, radix):
    columns = list(np.array(rows).T)
    keys = combine(columns, [radix] * len(columns))
    assert np.argsort(keys, kind="stable").tolist() == sorted(range(len(rows)), key=rows.__getitem__)
    assert len(set(keys.tolist())) == len({tuple(row) for row in rows})
    builder = KeyBuilder()
    for column in columns:
        builder.add(column, radix)
    assert builder.split(builder.keys).T.tolist() == rows


@given(st.integers(0, 60), st.integers(0, 1500))
def test_order_is_stable(bits, rows):
    numbers = np.random.default_rng(rows).integers(0, 1 << bits, rows)
    assert np.array_equal(order_of(numbers), np.argsort(numbers, kind="stable"))


@given(st.lists(st.integers(0, 99), min_size=1))
def test_renumbered(classes):
    there = sorted(set(classes))
    assert renumbered(np.array(classes)).tolist() == [there.index(number) for number in classes]


def test_lookup_finds_what_is_there():
    known = np.unique(np.random.default_rng(4).integers(0, 1 << 40, 20_000))
    asked = np.concatenate([known[::-1], known + 1])
    places = {key: place for place, key in enumerate(known.tolist())}
    wanted = [places.get(key, -1) for key in asked.tolist()]
    assert Lookup(known).find(asked).tolist() == wanted


ROWS = st.lists(
    st.tuples(st.sampled_from([None, "a", "b", "cc"]), st.integers(-2, 2), st.sampled_from("xy")), min_size=1
)
NAMES = ["t", "n"]


def as_table(rows):
    return {"t": [row[0] for row in rows], "n": [row[1] for row in rows], "s": [row[2] for row in rows]}


def as_counts(found):
    """A set in plain words."""
    decoded = [
        [(*domain.texts, None)[code] for code in codes]
        for domain, codes in zip(found.domains, found.codes.tolist(), strict=True)
    ]
    return dict(zip(zip(*decoded, strict=True), found.counts.tolist(), strict=True))


@settings(deadline=None)
@given(ROWS, st.integers(1, 5))
def test_counts_are_those_of_the_rows_however_they_come(rows, parts):
    wanted = Counter((t, str(n), s) for t, n, s in rows)
    whole = FrequencySet.of(as_table(rows), NAMES, ["s"])
    assert as_counts(whole) == wanted
    assert whole.records == len(rows)
    assert len(whole.starts) == len({row[:2] for row in rows})
    pieces = [rows[part::parts] for part in range(parts)]
    streamed = FrequencySet.of_batches(map(as_table, pieces), NAMES, ["s"])
    sets = [FrequencySet.of(as_table(piece), NAMES, ["s"]) for piece in pieces if piece]
    merged = sets[0]
    for other in sets[1:]:
        merged = other.merge(merged)
    counted = {name: [row[place] for row in wanted] for place, name in enumerate(["t", "n", "s"])}
    counted |= {"n": [int(n) for n in counted["n"]], "count": list(wanted.values())}
    for other in (streamed, merged, FrequencySet.of_counts(counted, NAMES, ["s"])):
        assert np.array_equal(other.codes, whole.codes)
        assert np.array_equal(other.counts, whole.counts)
        assert [d.texts for d in other.domains] == [d.texts for d in whole.domains]


def test_containers_count_alike():
    rows = [("a", 1, "x"), (None, 2, "y"), ("a", 1, "x")]
    plain = FrequencySet.of(as_table(rows), NAMES)
    for table in (
        pa.table(as_table(rows)),
        pl.DataFrame(as_table(rows)),
        [dict(zip("tns", row, strict=True)) for row in rows],
    ):
        assert as_counts(FrequencySet.of(table, NAMES)) == as_counts(plain)


def test_too_many_combinations_name_what_to_coarsen(monkeypatch):
    monkeypatch.setattr(frequency, "MOST", 50)
    monkeypatch.setattr(frequency, "_PENDING", 8)
    few = {"age": list(range(40)), "city": ["hz", "sh"] * 20}
    rest = {"age": list(range(20, 60)), "city": ["sh", "hz"] * 20}
    message = r"more than 50 distinct combinations; coarsen first .* most values: 'age' has 60, 'city' has 2"
    first = FrequencySet.of(few, ["age", "city"])
    with pytest.raises(TableError, match=message):
        FrequencySet.of_batches([few, rest], ["age", "city"])
    with pytest.raises(TableError, match=message):
        first.merge(FrequencySet.of(rest, ["age", "city"]))
    assert first.merge(first).records == 80


GROUPED = {
    "Polars": lambda table: pl.DataFrame(table).group_by(NAMES).len(name="count"),
    "Polars, by category": lambda table: (
        pl.DataFrame(table).with_columns(pl.col("t").cast(pl.Categorical)).group_by(NAMES).len(name="count")
    ),
    "Arrow": lambda table: (
        pa.table(table).group_by(NAMES).aggregate([([], "count_all")]).rename_columns([*NAMES, "count"])
    ),
    "pandas": lambda table: pd.DataFrame(table).groupby(NAMES, dropna=False).size().reset_index(name="count"),
}


@pytest.mark.parametrize("engine", GROUPED)
@settings(deadline=None, max_examples=30)
@given(rows=ROWS, parts=st.integers(1, 3), random=st.randoms(use_true_random=False))
def test_other_engines_count_too(engine, rows, parts, random):
    whole = FrequencySet.of(as_table(rows), NAMES)
    pieces = [rows[part::parts] for part in range(parts) if rows[part::parts]]
    sets = [FrequencySet.of_counts(GROUPED[engine](as_table(piece)), NAMES) for piece in pieces]
    random.shuffle(sets)
    merged = sets[0]
    for other in sets[1:]:
        merged = other.merge(merged)
    assert np.array_equal(merged.codes, whole.codes)
    assert np.array_equal(merged.counts, whole.counts)
    assert [domain.texts for domain in merged.domains] == [domain.texts for domain in whole.domains]


@pytest.mark.parametrize("change", ["order", "twice", "none"])
def test_damaged_sets(change, tmp_path):
    FrequencySet.of(as_table([("a", 1, "x"), ("b", 2, "y")]), NAMES).save(tmp_path / "set")
    with np.load(tmp_path / "set") as file:
        parts = dict(file)
    if change == "none":
        parts["counts"] = np.array([1, 0])
    else:
        parts["codes"] = parts["codes"][:, [1, 0] if change == "order" else [1, 1]]
    with (tmp_path / "bad").open("wb") as file:
        np.savez_compressed(file, **parts)
    with pytest.raises(TableError, match="damaged"):
        FrequencySet.load(tmp_path / "bad")


def test_saved_and_loaded(tmp_path):
    found = FrequencySet.of(as_table([("a", 1, "x"), (None, 2, "y")]), NAMES, ["s"])
    found.save(tmp_path / "set")
    other = FrequencySet.load(tmp_path / "set")
    assert as_counts(other) == as_counts(found)
    assert [d.name for d in other.sensitive] == ["s"]
    (tmp_path / "bad").write_bytes(b"no")
    with pytest.raises(TableError, match="no frequency set"):
        FrequencySet.load(tmp_path / "bad")
    assert "a" not in repr(found).split("of", 1)[0][1:2] + repr(found.quasi[0])[8:10]


def test_counts_that_are_none():
    for bad in ([0], [1.5], [None]):
        with pytest.raises(TableError, match="whole numbers from 1"):
            FrequencySet.of_counts({"t": ["a"], "count": bad}, ["t"])
    for many in ([2**63 - 1, 1], np.array([2**64 - 1, 1], np.uint64)):  # 64 bits hold no such sum
        with pytest.raises(TableError, match="adds up to more than 9,007,199,254,740,992 records"):
            FrequencySet.of_counts({"t": ["a", "b"], "count": many}, ["t"])
    with pytest.raises(InvalidParameter, match="different columns"):
        FrequencySet.of({"t": ["a"]}, ["t"]).merge(FrequencySet.of({"u": ["a"]}, ["u"]))
