"""The catalogue by name, and types of the user's own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import Generalise, Policy, fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, InvalidValue, PolicyError
from privkit.fields.bands import number_band
from privkit.fields.masks import Keep

HAN = "甲乙丙丁戊己庚辛壬癸"


def test_types_are_found_by_name():
    for name, kind in fields.CATALOGUE.items():
        assert fields.get(name) is kind is getattr(fields, name.upper())


def test_a_wrong_name_is_met_with_the_nearest_right_one():
    with pytest.raises(InvalidParameter, match="'cn_mobile'"):
        fields.get("cn_mobil")


def test_a_type_of_an_alphabet():
    badge = fields.custom(
        "badge", alphabet="ABCDEF0123456789", mask={"first": 2}, category="identity", title_zh="工牌号"
    )
    assert badge.normalise("ＡＢ１２") == "AB12"
    assert badge.normalise(" AB12 ") == "AB12"
    assert badge.recognise(Ragged.of_text(["AB12", "ab12", "AB 2"])).tolist() == [True, False, False]
    assert badge.masks["display"].one("AB1234") == "AB****"
    assert badge.masks["log"].one("AB1234") == "******"
    assert badge.category is fields.Category.IDENTITY
    assert badge.title_zh == "工牌号"
    with pytest.raises(InvalidValue, match="alphabet of 16") as caught:
        badge.normalise("XYZ")
    assert caught.value.field_type == "badge"


def test_a_type_of_a_pattern():
    badge = fields.custom("badge", pattern=r"[A-Z]{2}-[0-9]{4}", mask=Keep(2, 1), sensitivity="sensitive")
    assert badge.normalise("AB-1234") == "AB-1234"
    assert badge.sensitivity is fields.Sensitivity.SENSITIVE
    reading = badge.read(Ragged.of_text(["AB-1234", "AB1234", " CD-0000"]))
    assert reading.text.to_text() == ["AB-1234", "", "CD-0000"]
    assert reading.bad.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("pattern", "size"),
    [
        (r"[A-Z]{2}-[0-9]{4}", 26**2 * 10**4),
        (r"[A-C2-4]{3}[0-9]", 6**3 * 10),
        (r"甲[一-丁]{2}\.[a-c]", 2**2 * 3),
        (r"\-x", 1),
    ],
)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_values_of_a_simple_pattern_move_within_their_places(pattern, size, data):
    kind = fields.custom("code", pattern=pattern)
    layout = kind.layouts()
    assert layout.size == size
    rows = data.draw(st.lists(st.from_regex(pattern, fullmatch=True), min_size=1, max_size=6))
    text = Ragged.of_text(rows)
    assert layout.join(text, layout.split(text)).to_text() == rows
    step = data.draw(st.integers(0, 10**9))
    for row in rows:
        slot = layout.split_one(row)
        moved = layout.join_one(row, (slot.rank + step) % size)
        assert kind.normalise(moved) == moved
        assert layout.split_one(moved).rank == (slot.rank + step) % size
        kept = kind.layouts(keep_first=1, keep_last=1)
        moved = kept.join_one(row, (kept.split_one(row).rank + step) % kept.size)
        assert (moved[0], moved[-1]) == (row[0], row[-1])
        assert kept.split_one(moved).tweak == kept.split_one(row).tweak
    assert kind.layouts(keep_first=1).id != layout.id


def test_a_small_pattern_is_a_bijection_from_end_to_end():
    kind = fields.custom("code", pattern=r"[A-C][0-9]-[xy]")
    layout = kind.layouts()
    every = [layout.join_one("A0-x", rank) for rank in range(layout.size)]
    assert len(set(every)) == 60
    assert all(kind.normalise(value) == value for value in every)
    assert [layout.split_one(value).rank for value in every] == list(range(60))


@pytest.mark.parametrize("pattern", [
    "a|b", "[^a]", "(a)", "a*", "a+", "a?", "x{2,3}", r"\d{4}", r"\w", ".", "[a-]", r"[\d]", "a{2}?", "^a", "a$",
    r"\Aa", r"[a\]]", "(?i)a",
])  # fmt: skip
def test_other_patterns_have_no_layout(pattern):
    assert fields.custom("code", pattern=pattern).layouts is None


def test_patterns_beside_an_alphabet_have_a_layout_where_the_alphabet_has_all_of_it():
    assert fields.custom("code", alphabet="abcd", pattern="[a-d]{12}").layouts().size == 4**12
    assert fields.custom("code", alphabet="abc", pattern="[a-d]{12}").layouts is None


def test_every_profile_and_levels_may_be_said():
    badge = fields.custom(
        "badge",
        alphabet=HAN,
        mask={"display": {"first": 2}, "log": {"last": 1}, "waybill": Keep(1, 1)},
        levels={"site": {"first": 1}, "size": lambda *, width: number_band(width=width)},
    )
    assert {name: mask.one("甲乙丙丁") for name, mask in badge.masks.items()} == {
        "display": "甲乙****", "waybill": "甲****丁", "log": "****丁", "analytics": "******",
    }  # fmt: skip
    assert Generalise(badge, to="site").protect_many(["甲乙", "甲", None]) == ["甲*", "******", None]
    assert badge.levels["size"](width=10).one("12") == "10-20"
    assert set(badge.own_levels) == {"site", "size"}
    policy = """
[fields.badge]
alphabet = "ABCDEF0123456789"
title = "Badge"
title_zh = "工牌号"
category = "identity"
sensitivity = "sensitive"
basis = "opens doors"
[fields.badge.mask]
display = { first = 2 }
log = { last = 1 }
[fields.badge.levels]
site = { first = 1 }
[views.a.fields]
badge = { transform = "mask", profile = "log" }
[views.b.fields]
badge = { transform = "generalise", to = "site" }
[views.c.fields]
badge = { transform = "fpe", keep_first = 1 }
"""
    loaded = Policy.loads(policy)
    assert loaded.fields["badge"].type.title_zh == "工牌号"
    assert loaded.fields["badge"].type.sensitivity is fields.Sensitivity.SENSITIVE
    assert loaded.view("a").apply({"badge": ["A0B1"]}) == {"badge": ["****1"]}
    assert loaded.view("b").apply({"badge": ["A0B1"]}) == {"badge": ["A*"]}
    for wrong, right, line in (
        ("dsplay", "display", 10),
        ("last = true", "last = 1", 10),
        ("site = 3", "site = { first = 1 }", 13),
        ("hierarchy = { first = 1 }", "site = { first = 1 }", 13),
    ):
        with pytest.raises(PolicyError, match="type badge") as caught:
            Policy.loads(policy.replace(right, wrong))
        assert 2 <= caught.value.line <= line


@pytest.mark.parametrize("alphabet", ["0123456789ABCDEF", HAN])
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_values_of_an_alphabet_move_among_all_of_it(alphabet, data):
    kind = fields.custom("code", alphabet=alphabet)
    layout = kind.layouts(keep_first=1, keep_last=1, small_domain=True)
    rows = data.draw(st.lists(st.text(alphabet, min_size=1, max_size=20), min_size=1, max_size=5))
    text = Ragged.of_text(rows)
    parts = layout.split(text)
    joined = layout.join(text, parts)
    assert joined.to_text() == rows
    for row in rows:
        slot = layout.split_one(row)
        assert slot.size == len(alphabet) ** max(0, len(row) - 2)
        moved = layout.join_one(row, (slot.rank + 10**30) % slot.size)
        assert layout.split_one(moved).rank == (slot.rank + 10**30) % slot.size
        assert layout.split_one(moved).tweak == slot.tweak
        assert (moved[0], moved[-1], len(moved)) == (row[0], row[-1], len(row))
        assert set(moved) <= set(alphabet)


def test_values_that_move_among_too_few_are_named_by_their_rows():
    kind = fields.custom("code", alphabet=HAN)
    with pytest.raises(InvalidValue, match="too few for FF1") as caught:
        kind.layouts().split(Ragged.of_text(["甲乙丙丁戊己", "甲乙", "甲乙丙丁戊己", "丙"]))
    assert caught.value.rows == (1, 3)


def test_the_order_of_an_alphabet_is_part_of_its_layout_and_its_name_is_not():
    one = fields.custom("a", alphabet="01234567")
    same = fields.custom("b", alphabet="01234567")
    other = fields.custom("a", alphabet="76543210")
    assert one.layouts().id == same.layouts().id != other.layouts().id
    assert one.layouts(keep_first=1).id != one.layouts().id


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"alphabet": "a"},
        {"alphabet": "aa"},
        {"pattern": "("},
        {"alphabet": "ab", "mask": {"middle": 1}},
        {"alphabet": "ab", "mask": {"first": -1}},
        {"alphabet": "ab", "mask": {"first": "1"}},
        {"alphabet": "ab", "mask": {"display": 3}},
        {"alphabet": "ab", "mask": {"display": {"first": 1}, "first": 1}},
        {"alphabet": "ab", "levels": {"a": {"last": 1}}},
        {"alphabet": "ab", "levels": {"a": {"first": -1}}},
        {"alphabet": "ab", "levels": ["a"]},
        {"alphabet": "ab", "levels": {"hierarchy": {"first": 1}}},
        {"alphabet": "ab", "category": "secret"},
        {"alphabet": "ab", "sensitivity": "hi"},
    ],
)
def test_types_that_cannot_be_are_refused(options):
    with pytest.raises(InvalidParameter):
        fields.custom("code", **options)


def test_a_type_may_be_kept_from_leaving():
    assert not fields.custom("pin", alphabet="0123456789", releasable=False).releasable
