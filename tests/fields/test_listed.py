"""The level that a file lists."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import Generalise, Policy, fields
from privkit.anonymity import Hierarchy
from privkit.errors import InvalidParameter, InvalidValue, PolicyError

CITIES = "深圳;珠三角;华南\n110100;京津冀;华北\n没有市;不详;不详\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "cities.csv"
    path.write_text(CITIES, encoding="utf-8")
    return path


def test_values_are_matched_in_canonical_form(file):
    fine = Generalise(fields.CN_CITY, to="hierarchy", file=file)
    coarse = Generalise(fields.CN_CITY, to="hierarchy", file=str(file), level=2)
    rows = ["深圳市", "深圳", "440300", "北京市", None, "", "没有市"]
    assert fine.protect_many(rows) == ["珠三角", "珠三角", "珠三角", "京津冀", None, "", "不详"]
    assert coarse.protect_many(rows) == ["华南", "华南", "华南", "华北", None, "", "不详"]
    assert [fine.protect(row) for row in rows] == fine.protect_many(rows)


def test_every_type_has_it(tmp_path):
    for kind in (*fields.CATALOGUE.values(), fields.custom("code", alphabet="ab")):
        assert "hierarchy" in kind.levels
        assert "hierarchy" not in kind.own_levels
    path = tmp_path / "codes.csv"
    path.write_text("aa,first\nab,first\n", encoding="utf-8")
    code = fields.custom("code", alphabet="ab")
    assert Generalise(code, to="hierarchy", file=path, delimiter=",").protect_many(["ab", "aa"]) == ["first"] * 2


def test_what_is_not_listed_is_refused_with_its_rows(file):
    level = Generalise(fields.CN_CITY, to="hierarchy", file=file)
    with pytest.raises(InvalidValue, match="does not list it") as caught:
        level.protect_many(["深圳市", None, "上海市", "杭州市"])
    assert caught.value.rows == (2, 3)
    assert "上海" not in str(caught.value)
    with pytest.raises(InvalidValue, match="does not list it"):
        level.protect("上海市")
    outcome = level.protect_column(["上海市"], on_invalid="suppress")
    assert (outcome.column, outcome.invalid) == ([None], 1)


@pytest.mark.parametrize(
    ("content", "parameters", "says"),
    [
        ("", {}, "is empty"),
        ("深圳;a\n上海\n", {}, "row 2 of the hierarchy file has no level 1"),
        ("深圳;a\n1;b\n", {}, "row 2 of the hierarchy file is no cn_city"),
        ("深圳;a\n深圳市;b\n", {}, "row 2 of the hierarchy file gives"),
        ("深圳;\n", {}, "row 1 of the hierarchy file has no label"),
        (";a\n", {}, "row 1 of the hierarchy file has no value"),
        ("深圳;a\n", {"level": 2}, "has no level 2"),
        ("深圳;a\n", {"level": 0}, "from 1 on"),
        ("深圳;a\n", {"level": "a"}, "a whole number, not text"),
        ("深圳;a\n", {"delimiter": ";;"}, "TypeError"),
        ("深圳;a\n", {"encoding": "ascii"}, "is not ascii"),
        ("深圳;a\n", {"encoding": "klingon"}, "LookupError"),
    ],
)
def test_files_that_are_wrong_are_refused_by_row(tmp_path, content, parameters, says):
    path = tmp_path / "cities.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidParameter, match=says) as caught:
        Generalise(fields.CN_CITY, to="hierarchy", file=path, **parameters)
    assert "深圳" not in str(caught.value)
    with pytest.raises(InvalidParameter, match="No such file"):
        Generalise(fields.CN_CITY, to="hierarchy", file=tmp_path / "missing.csv")


def test_a_policy_finds_the_file_beside_itself(file):
    text = """
[fields.city]
type = "cn_city"
[views.statistics.fields]
city = { transform = "generalise", to = "hierarchy", file = "cities.csv", level = 2 }
"""
    policy = file.parent / "policy.toml"
    policy.write_text(text, encoding="utf-8")
    view = Policy.load(policy).view("statistics")
    assert view.apply({"city": ["深圳", None]}) == {"city": ["华南", None]}
    for wrong, says in (("cities.csv", "missing.csv"), ("level = 2", "level = true"), ("level = 2", "levle = 2")):
        policy.write_text(text.replace(wrong, says), encoding="utf-8")
        with pytest.raises(PolicyError) as caught:
            Policy.load(policy)
        assert caught.value.line == 5


LABELS = st.sampled_from("甲乙丙")


@settings(deadline=None, max_examples=50)
@given(rows=st.dictionaries(st.text("ab", min_size=1, max_size=4), st.tuples(LABELS, LABELS), min_size=1))
def test_it_reads_the_files_of_anonymity(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    path.write_text("".join(f"{value};{one};{two}\n" for value, (one, two) in rows.items()), encoding="utf-8")
    assert Hierarchy.from_file(path).levels == ("value", "level 1", "level 2", "*")
    kind = fields.custom("code", alphabet="ab")
    for number in (1, 2):
        level = Generalise(kind, to="hierarchy", file=path, level=number)
        assert level.protect_many(list(rows)) == [labels[number - 1] for labels in rows.values()]
