"""Bringing one written value into shape: full-width forms, separators, spaces, invisible characters."""

from __future__ import annotations

import re
import unicodedata

# Marks of direction, joiners and the byte order mark, which come along when a value is copied from a page.
_INVISIBLE = dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF])
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0x2500, 0x30FC, 0xFE58], "-")
IDEOGRAPHS = r"\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters, those beyond the basic plane too, for a class of a regular expression."""
_SPACES = re.compile(r"\s+")
_GUARDED = re.compile(r"\s*=\s*\"([^\"]*)\"\s*|\s*'(.+)", re.DOTALL)
_INNER_DASHES = re.compile(r"(?<=[^-])-+(?=[^-])")
_CONTROLS = frozenset({"Cc", "Cs", "Cn"})
_PRIVATE_PLANES = 0x20000
"""From here on Python's Unicode data may be older than the characters people write."""


def narrow(text: str) -> str:
    """Bring full-width forms to plain ones (Unicode NFKC), take out invisible characters, make all dashes `-`."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).translate(_DASHES)


def unguarded(text: str) -> str:
    """Take off what keeps a spreadsheet from reading a number, `="138"` and `'138`, from types without such marks."""
    guarded = _GUARDED.fullmatch(text) if "=" in text or "'" in text else None
    return (guarded[1] or guarded[2] or "") if guarded else text


def compact(text: str, separators: str = "-") -> str:
    """As `narrow`, without spaces, separators and guards; a dash at an end separates nothing (a minus?) and stays."""
    text = _SPACES.sub("", unguarded(narrow(text)))
    for separator in separators.replace("-", ""):
        text = text.replace(separator, "")
    return _INNER_DASHES.sub("", text) if "-" in separators and "-" in text else text


def tidy(text: str) -> str:
    """Full-width forms to plain ones (Unicode NFKC), no invisible characters, single spaces, none at the ends."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
    return _SPACES.sub(" ", text).strip()


def has_controls(text: str) -> bool:
    """Whether there are control characters, surrogates or unassigned code points in it."""
    if text.isascii():
        return not text.isprintable()
    return any(unicodedata.category(letter) in _CONTROLS and letter < chr(_PRIVATE_PLANES) for letter in text)
