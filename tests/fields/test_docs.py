"""The page of field types says what the code does."""

import importlib
import re
from pathlib import Path

import pytest

from privkit import fields
from privkit.errors import InvalidParameter, InvalidValue

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fields.md").read_text(encoding="utf-8")


@pytest.fixture
def scripts(monkeypatch):
    """The scripts that write the pages."""
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return importlib.import_module("make_field_tables"), importlib.import_module("make_field_pages")


REMEDY = "run scripts/make_field_pages.py docs"


def test_the_tables_are_those_of_the_catalogue(scripts):
    made, _ = scripts
    assert PAGE.split(made.BEGIN)[1].split(made.END)[0].strip() == made.tables(), REMEDY
    stand_ins = (ROOT / "docs" / "subjects-and-stand-ins.md").read_text(encoding="utf-8")
    assert stand_ins.split(made.KINDS_BEGIN)[1].split(made.KINDS_END)[0].strip() == made.stand_ins(), REMEDY


def test_every_type_has_the_page_that_is_made_of_it(scripts):
    _, made = scripts
    found = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "fields").iterdir()}
    assert found == made.pages(), REMEDY
    for kind in fields.CATALOGUE.values():
        assert f"(fields/{kind.name}.md)" in PAGE
        assert kind.title_zh in found[kind.name].splitlines()[0]
        assert kind.basis in found[kind.name]
        assert ("## What masks show" in found[kind.name]) == kind.releasable
        assert ("format-preserving" in found[kind.name]) == (kind.layouts is not None)


def test_what_cannot_be_had_is_as_small_as_the_page_says():
    sixteen = 10 ** (15 - 6 - 4)
    mobile = 10 ** (11 - 3 - 4)
    name = fields.EMAIL.layouts(small_domain=True).split_one("abcd@qq.com").size
    whole = fields.CN_RESIDENT_ID.layouts(keep="area+year+sex", small_domain=True).size
    for size in (sixteen, mobile, name, whole):
        assert size < 10**6
        assert f"{size:,}" in PAGE.split("What cannot be had:")[1].split("\n\n")[1]
    for kind, keep in ((fields.BANK_CARD, "bin+last4"), (fields.CN_MOBILE, "prefix3+last4")):
        with pytest.raises(InvalidParameter, match="cannot keep"):
            kind.layouts(keep=keep)
    for kind, options, value in (
        (fields.EMAIL, {}, "abcd@qq.com"),
        (fields.CN_RESIDENT_ID, {"keep": "area+year+sex"}, "810000199408230021"),
    ):
        layout = kind.layouts(**options)
        assert layout.size < 10**6 or _refused(layout, value)


def _refused(layout, value):
    with pytest.raises(InvalidValue, match="too few for FF1"):
        layout.split_one(value)
    return True


def test_examples_are_canonical(scripts):
    made, _ = scripts
    assert set(made.EXAMPLES) == set(fields.CATALOGUE)
    for name, value in made.EXAMPLES.items():
        assert fields.get(name).normalise(value) == value


def test_the_examples_of_the_page_give_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    count, names = 0, {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        code = ""
        for line in block.splitlines():
            whole, _, says = line.partition("  #")
            if says:
                exec(code, names)  # noqa: S102 - our own page
                assert repr(eval(whole, names)) == says.strip()  # noqa: S307 - our own page
                code, count = "", count + 1
            else:
                code += f"{line}\n"
    assert count == 7
