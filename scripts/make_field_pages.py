# ruff: noqa: INP001 - a script, not part of a package
"""Write one page for each type of the catalogue, and the tables of docs/fields.md: run it after a type has changed.

    python scripts/make_field_pages.py docs

Facts come from the catalogue and remarks from the docstrings of the types, so that a page cannot say what the code does
not do. The values are those that the tests check.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
import textwrap
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from make_field_tables import EXAMPLES, NEEDED, OPTIONS, moves_among
from make_field_tables import main as write_tables

from privkit import fields
from privkit.errors import InvalidParameter, InvalidValue
from privkit.fields.registry import FAMILIES
from privkit.transforms.stand_ins import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from privkit.fields.base import FieldType

_ROOT = Path(__file__).parents[1]
_LONGEST = 48
"""Longer values say nothing more on a page than that they are long."""
_FEW = 8
_SAYS_NOTHING = "Bring one value into canonical form"
_PLACE = "customer"


def written_values() -> tuple[dict[str, list[tuple[str, str]]], dict[str, list[str]]]:
    """The values that the tests check: as written with the canonical form of each, and those that are refused."""
    spec = importlib.util.spec_from_file_location("field_examples", _ROOT / "tests" / "fields" / "examples.py")
    if spec is None or spec.loader is None:
        raise LookupError("tests/fields/examples.py is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.EXAMPLES, module.INVALID


TAKEN, REFUSED = written_values()


def remarks() -> dict[str, str]:
    """What stands beneath each type in its module, by the name of its constant."""
    found: dict[str, str] = {}
    for family in FAMILIES:
        for before, after in pairwise(ast.parse(inspect.getsource(family)).body):
            match before, after:
                case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = inspect.cleandoc(text)
    return found


REMARKS = remarks()


def page(kind: FieldType) -> str:
    """The page of one type."""
    parts = [_head(kind), _valid(kind), _masks(kind), _token(kind), _levels(kind), _layouts(kind), _stand_ins(kind)]
    if not kind.releasable:
        parts = [_head(kind), _valid(kind), _never(kind)]
    return "\n\n".join([*(part for part in parts if part), _policy(kind)]) + "\n"


def _head(kind: FieldType) -> str:
    leaves = "" if kind.releasable else ", and never leaves"
    return "\n".join(
        [
            f"# {kind.title}, {kind.title_zh}: `{kind.name}`",
            "",
            REMARKS[kind.name.upper()],
            "",
            "| | |",
            "|---|---|",
            f"| in Python | `fields.{kind.name.upper()}` |",
            f"| category | {kind.category} |",
            f"| sensitivity | {kind.sensitivity}{leaves} |",
            f"| rests on | {kind.basis} |",
        ]
    )


def _valid(kind: FieldType) -> str:
    lines = ["## What is valid", "", _rules(kind), *_limits(kind), ""]
    reads = inspect.cleandoc(kind.normalise.__doc__ or "").split("\n\n", maxsplit=1)[0]
    reads = reads.removeprefix(_SAYS_NOTHING).removeprefix(": ").strip(".")
    taken = [pair for pair in TAKEN[kind.name] if len(pair[0]) <= _LONGEST]
    if reads and any(value != canonical for value, canonical in taken):
        lines += [f"Normalisation: {reads if reads[1:2].isupper() else reads[0].lower() + reads[1:]}.", ""]
    lines += ["```python", "from privkit import fields", "", f"kind = fields.{kind.name.upper()}"]
    lines += [f"assert kind.normalise({_quoted(value)}) == {_quoted(canonical)}" for value, canonical in taken]
    lines += ["```"]
    refused = [value for value in REFUSED.get(kind.name, []) if value and len(value) <= _LONGEST]
    if refused:
        lines += ["", "Refused, among others:", "", "| value | reason |", "|---|---|"]
        lines += [f"| {_code(_shown(value))} | {_cell(_reason(kind, value))} |" for value in refused[:_FEW]]
    return "\n".join(lines)


def _rules(kind: FieldType) -> str:
    text = inspect.cleandoc(type(kind).__doc__ or "")
    return re.split(r"\n\n?(?:Attributes|Example):\n", text)[0].strip()


def _limits(kind: FieldType) -> list[str]:
    names = ("shortest", "longest", "alphabet", "pattern", "words")
    shortest, longest, alphabet, pattern, words = (getattr(kind, name, None) for name in names)
    lines = []
    if longest:
        lines.append(f"- {f'{shortest} to' if shortest else 'at most'} {longest} characters")
    if alphabet:
        lines.append(f"- of the characters {_code(alphabet)}")
    if pattern:
        lines.append(f"- of the pattern {_code(pattern.pattern)}")
    if words:
        listed = ", ".join(_code(word) for word in words)
        lines += textwrap.wrap(f"- one of {listed}", 100, subsequent_indent="  ")
    if getattr(kind, "signed", True) is False:
        lines.append("- not negative")
    return ["", *lines] if lines else []


def _reason(kind: FieldType, value: str) -> str:
    try:
        kind.normalise(value)
    except InvalidValue as error:
        return error.reason
    raise LookupError(f"{kind.name} takes a value that is to be refused")


def _masks(kind: FieldType) -> str:
    value = EXAMPLES[kind.name]
    constant = f"fields.{kind.name.upper()}"
    lines = ["## What masks show", "", "| profile | of the example | characters of a value at most |", "|---|---|---|"]
    lines += [f"| `{name}` | {_code(mask.one(value))} | {mask.shows or 'none'} |" for name, mask in kind.masks.items()]
    lines += ["", "```python", "from privkit import Mask", ""]
    lines += [
        f"assert Mask({constant}, profile={_quoted(name)}).protect({_quoted(value)}) == {_quoted(mask.one(value))}"
        for name, mask in kind.masks.items()
    ]
    wrong = next((text for text in REFUSED.get(kind.name, []) if text and len(text) <= _LONGEST), None)
    if wrong is not None:
        lines.append(f'assert Mask({constant}).protect({_quoted(wrong)}) == "******"')
    return "\n".join([*lines, "```"])


def _token(kind: FieldType) -> str:
    pairs = [(value, canonical) for value, canonical in TAKEN[kind.name] if value != canonical]
    value, canonical = pairs[0] if pairs else (EXAMPLES[kind.name],) * 2
    lines = ["## Tokens", "", "Two spellings of one value get one token, and two recipients never share any."]
    lines += ["", "```python", "from privkit import Keyring, Token", "", 'keys = Keyring.create("keyring.json")']
    lines += [f'key = keys["{_PLACE}.{kind.name}"]', f"token = Token(key, fields.{kind.name.upper()})"]
    lines += [f"assert token.protect({_quoted(value)}) == token.protect({_quoted(canonical)})"]
    lines += [f'other = Token(key, fields.{kind.name.upper()}, recipient="acme")']
    lines += [f"assert token.protect({_quoted(canonical)}) != other.protect({_quoted(canonical)})", "```"]
    return "\n".join(lines)


def _levels(kind: FieldType) -> str:
    value = EXAMPLES[kind.name]
    own = kind.own_levels
    also = (
        "Any value goes through a\n[hierarchy of one's own](../fields.md#values-through-a-hierarchy-of-your-own) too."
    )
    if not own:
        return f"## How values become coarser\n\nThere is no level of its own. {also}"
    lines = ["## How values become coarser", "", "| level | parameters | the example becomes |", "|---|---|---|"]
    code = []
    for level, make in own.items():
        said = NEEDED.get(level, {})
        gives = make(**said).one(value)
        takes = ", ".join(_code(name) for name in inspect.signature(make).parameters) or "none"
        lines.append(f"| `{level}` | {takes} | {_code(gives)}{_with(said)} |")
        more = "".join(f", {name}={_quoted(given)}" for name, given in said.items())
        call = f"Generalise(fields.{kind.name.upper()}, to={_quoted(level)}{more})"
        code.append(f"assert {call}.protect({_quoted(value)}) == {_quoted(gives)}")
    return "\n".join([*lines, "", also, "", "```python", "from privkit import Generalise", "", *code, "```"])


def _with(said: dict[str, Any]) -> str:
    return f" ({', '.join(_code(f'{name}={given!r}') for name, given in said.items())})" if said else ""


def _layouts(kind: FieldType) -> str:
    if kind.layouts is None:
        return ""
    lines = ["## How values move under format-preserving encryption", "", _how(kind), ""]
    lines += ["| what is said | the example moves among | FF1 |", "|---|---|---|"]
    tried: list[dict[str, object]] = []
    for options in OPTIONS.get(kind.name, [{}]):
        size, version = moves_among(kind.name, options)
        enough = size >= 10**6
        said = ", ".join(f"{name}={given!r}" for name, given in options.items())
        named = _code(said) if said else "nothing"
        lines.append(f"| {named} | {size:,} | {'yes' if enough else 'no: `small_domain=True`'} |")
        small = {} if enough else {"small_domain": True}
        tried.append({**options, **small})
    lines += ["", f"The layout is of version {version}, which goes into the key derivation with its name and options."]
    return "\n".join([*lines, "", "```python", "from privkit import FormatPreserving", "", *_moves(kind, tried), "```"])


def _moves(kind: FieldType, tried: list[dict[str, object]]) -> Iterator[str]:
    """Code that moves the example under each of some options, and back."""
    value, constant = _quoted(EXAMPLES[kind.name]), f"fields.{kind.name.upper()}"
    indent = "    " if len(tried) > 1 else ""
    options = ", **options" if indent else "".join(f", {name}={_quoted(given)}" for name, given in tried[0].items())
    if indent:
        yield "for options in ("
        for one in tried:
            said = ", ".join(f"{_quoted(name)}: {_quoted(given)}" for name, given in one.items())
            yield f"    {{{said}}},"
        yield "):"
    yield f"{indent}moving = FormatPreserving({constant}, key{options})"
    yield f"{indent}moved = moving.protect({value})"
    yield f"{indent}assert kind.normalise(moved) == moved"
    yield f"{indent}assert moving.reveal(moved) == {value}"


def _how(kind: FieldType) -> str:
    make = getattr(kind.layouts, "__func__", kind.layouts)
    says = inspect.getdoc(make) if inspect.isfunction(make) else None
    if says is None:  # a class that is its own layout, or makes one by being called
        says = inspect.getdoc(make if inspect.isclass(make) else type(make).__call__) or ""
    head, _, args = says.partition("Args:\n")
    head = head.split("\n\nRaises:")[0].split("\n\nAttributes:")[0].strip()
    lines = [line.strip() for line in args.split("\n\n")[0].splitlines()]
    return "\n".join([head, *[""] * bool(lines), *_bullets(lines)])


def _bullets(lines: list[str]) -> Iterator[str]:
    for line in lines:
        match = re.match(r"(\w+): (.*)", line)
        yield f"- `{match[1]}`: {match[2]}" if match else f"  {line}"


def _stand_ins(kind: FieldType) -> str:
    if kind.name not in KINDS:
        return ""
    value = EXAMPLES[kind.name]
    made = KINDS[kind.name]
    where = ", ".join(_code(name) for name in made.locales) or "the same everywhere"
    keeps = ", ".join(_code(part) for part in made.keeps) or "nothing that could be chosen"
    lines = ["## Stand-ins", "", "| | |", "|---|---|", f"| made of | {made.made_of} |"]
    lines += [f"| `keep` | {keeps} |", f"| `locale` | {where} |", "", "```python", "from privkit import Surrogate", ""]
    lines += [f"surrogate = Surrogate(fields.{kind.name.upper()}, key)"]
    lines += [f"stand_in = surrogate.protect({_quoted(value)})", "assert kind.normalise(stand_in) == stand_in"]
    lines += [f"assert surrogate.protect({_quoted(value)}) == stand_in", "```"]
    return "\n".join(lines)


def _never(kind: FieldType) -> str:
    constant = f"fields.{kind.name.upper()}"
    lines = ["## It never leaves", "", "Every transform refuses it, masks included; a policy can only drop it."]
    lines += ["", "```python", "from privkit import Mask", "from privkit.errors import InvalidParameter", "", "try:"]
    return "\n".join([*lines, f"    Mask({constant})", "except InvalidParameter as error:", _refusal(kind), "```"])


def _refusal(kind: FieldType) -> str:
    from privkit import Mask  # noqa: PLC0415 - only what is refused needs it

    try:
        Mask(kind)
    except InvalidParameter as error:
        return f"    assert str(error) == {_quoted(str(error))}"
    raise LookupError(f"{kind.name} is masked")


def _policy(kind: FieldType) -> str:
    lines = ["## In a policy", "", "```toml", f"[fields.{kind.name}]", f'type = "{kind.name}"']
    if not kind.releasable:
        return "\n".join([*lines, "", "[views.support.fields]", f'{kind.name} = "drop"', "```"])
    views: dict[str, str] = {"support": '"mask"', "logs": '{ transform = "mask", profile = "log" }', "joins": '"token"'}
    level = next(iter(kind.own_levels), None)
    if level:
        said = "".join(f", {name} = {_toml(given)}" for name, given in NEEDED.get(level, {}).items())
        views["statistics"] = f'{{ transform = "generalise", to = "{level}"{said} }}'
    if kind.layouts is not None:
        small = moves_among(kind.name, {})[0] < 10**6
        views["testing"] = '{ transform = "fpe", small_domain = true }' if small else '"fpe"'
    if kind.name in KINDS:
        views["training"] = '"surrogate"'
    for view, treatment in views.items():
        lines += ["", f"[views.{view}.fields]", f"{kind.name} = {treatment}"]
    return "\n".join([*lines, "```"])


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _quoted(value: object) -> str:
    """A value as Python code with double quotes."""
    if not isinstance(value, str):
        return repr(value)
    plain = repr(value)
    return plain if '"' in value else f'"{plain[1:-1]}"' if plain.startswith("'") else plain


def _shown(value: str) -> str:
    return repr(value)[1:-1].replace("|", "\\|") if value.strip() else repr(value)


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def pages() -> dict[str, str]:
    """All pages by the name of their type."""
    return {name: page(kind) for name, kind in fields.CATALOGUE.items()}


def main(docs: Path) -> None:
    """Write all pages, and the tables of the page that leads to them."""
    for name, text in pages().items():
        (docs / "fields").mkdir(exist_ok=True)
        (docs / "fields" / f"{name}.md").write_text(text, encoding="utf-8")
    write_tables(docs)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
