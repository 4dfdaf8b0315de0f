"""Nationalities: every code and name of the table, and what ethnic groups are called."""

import csv
from importlib import resources

import pytest

from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.fields.person import GROUPS


def countries():
    text = (resources.files("privkit.fields") / "data" / "countries.csv").read_text(encoding="utf-8")
    return list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))


def test_every_code_and_name_of_the_table_is_read():
    rows = countries()
    assert len(rows) == len({row[1] for row in rows}) == 249
    for short, letters, digits, chinese, english in rows:
        for code in (short, letters, digits, short.lower(), f" {letters.lower()} "):
            assert fields.NATIONALITY.normalise(code) == letters
        assert fields.NATIONALITY.normalise(chinese) == chinese
        for name in (english, english.upper(), english.replace(" ", "-"), english.replace("&", "and")):
            assert fields.NATIONALITY.normalise(name) == english


@pytest.mark.parametrize("name", ["Cote d'Ivoire", "COTE DIVOIRE", "Co\u0302te d’Ivoire"])
def test_accents_need_not_be_there(name):
    assert fields.NATIONALITY.normalise(name) == "Côte d’Ivoire"


def test_what_is_canonical_is_known_in_columns():
    canonical = [name for row in countries() for name in (row[1], *row[3:])]
    assert fields.NATIONALITY.recognise(Ragged.of_text(canonical)).all()


@pytest.mark.parametrize("width", [1, 2])
def test_codes_that_are_no_countrys_are_refused(width):
    text = Ragged.of_text(["AA", "QQ", "ZZZ", "0" * width, "9" * width, "CNY"])
    assert fields.NATIONALITY.read(text).bad.all()


def test_every_group_has_its_names_and_codes():
    # The order of the codes of digits; romanised names and letters of a few, read off GB/T 3304-1991.
    for code, name, letters, group in [
        ("01", "Han", "HA", "汉族"),
        ("06", "Miao", "MH", "苗族"),
        ("11", "Man", "MA", "满族"),
        ("36", "Maonan", "MN", "毛南族"),
        ("41", "Tajik", "TA", "塔吉克族"),
        ("50", "Tatar", "TT", "塔塔尔族"),
        ("56", "Jino", "JN", "基诺族"),
    ]:
        assert GROUPS[int(code) - 1] == group
        for written in (code, name, name.upper(), letters, letters.lower(), group, group[:-1]):
            assert fields.ETHNICITY.normalise(written) == group
