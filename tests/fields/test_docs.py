"""The page of field types says what the code does."""

import importlib.util
import re
from pathlib import Path

from privkit import fields

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fields.md").read_text(encoding="utf-8")


def generator():
    spec = importlib.util.spec_from_file_location("make_field_tables", ROOT / "scripts" / "make_field_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_catalogue():
    made = generator()
    assert PAGE.split(made.BEGIN)[1].split(made.END)[0].strip() == made.tables(), (
        "run scripts/make_field_tables.py docs/fields.md"
    )


def test_examples_are_canonical():
    made = generator()
    assert set(made.EXAMPLES) == set(fields.CATALOGUE)
    for name, value in made.EXAMPLES.items():
        assert fields.get(name).normalise(value) == value


def test_the_examples_of_the_page_give_what_they_say(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    count, names = 0, {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        for line in block.splitlines():
            code, _, says = line.partition("  #")
            code = code.strip()
            if says:
                assert repr(eval(code, names)) == says.strip()  # noqa: S307 - our own page
                count += 1
            else:
                exec(code, names)  # noqa: S102 - our own page
    assert count == 5
