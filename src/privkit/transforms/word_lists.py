"""The frozen word lists that stand-ins are made of, and templates of how: one file a locale.

A template is text with lists and ranges in braces: `{streets}{roads}{1-999}号`. A stand-in is chosen by number, so its
lists are frozen: a digest is checked when they are read, and newer lists get a new version beside this one, which
stays. Without that an update of some package would give persons other names overnight.

    >>> from privkit.transforms.word_lists import word_lists
    >>> word_lists("zh_CN").lists["surnames"][:3]
    ('王', '李', '张')
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from privkit.errors import InvalidParameter, TableError
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1
DEVICES: Final = "devices"
"""The file of devices, whose names are the same everywhere."""
DOTTED: Final = "dotted"
"""The file of Chinese names with a dot, whose parts no Chinese surnames and given names are."""
_DIGESTS: Final = {
    "zh_CN": "e0a7027d135837978877d148692e1336a2aa2545d24eac76c110656841d9329d",
    "zh_TW": "6a6087df57c48098054c1ca479a41917e129cb2a0b1981e21ea75c18db17e9fb",
    "en_US": "7d1e4168c656b58d8b0d32845b747c017ebc8df544da43d7ac4d2895d327492f",
    "de_DE": "c81cd952e86559225270214098586d490b0716cbdac58e9ffbdb343163abf82d",
    "fr_FR": "463fa96040320752d163139393e06bbe3699eb3388f64ce9f499e7e1a32fe169",
    "es_ES": "b8d63f67b5f25deddadc88e9963df6c06bec498099f60a2bc49447538b985d35",
    "ja_JP": "46d76ebce8ebf7b65795bddc4d5f1ab4f9948d482df5fc7ec3f84f6046e935e3",
    DEVICES: "7869ee0cf2d0591bbb868f8baf10a4cbc5dbf14c48de9bcd609048d63faf1b98",
    DOTTED: "0ed07339ceae8e6bae5210269f6671e7f51427b3c525e6f06cb643ea27daa046",
}
"""The SHA-256 of each file of version 1."""
LOCALES: Final = tuple(name for name in _DIGESTS if name not in {DEVICES, DOTTED})
"""The locales that there are lists of; the first is the one where nothing is said."""

_PIECE: Final = re.compile(r"\{([^{}]+)\}")
_RANGE: Final = re.compile(r"([0-9]+)-([0-9]+)")
_BYTES: Final = tuple(f"{byte:02x}" for byte in range(256))


@dataclass(frozen=True, slots=True)
class WordLists:
    """The lists of one file.

    Attributes:
        name: Which lists they are, with their version: while it is the same, so are the stand-ins.
        lists: The words by the name of their list.
        templates: How stand-ins are made of them, by kind.
    """

    name: str
    lists: Mapping[str, tuple[str, ...]]
    templates: Mapping[str, str]

    def pieces(self, template: str) -> list[tuple[str, ...] | range]:
        """The pieces of a template in their order: the words of a list, a range of numbers, or the one text between."""
        found: list[tuple[str, ...] | range] = []
        for place, text in enumerate(_PIECE.split(template)):
            if place % 2:
                bounds = _RANGE.fullmatch(text)
                found.append(range(int(bounds[1]), int(bounds[2]) + 1) if bounds else self.lists[text])
            elif text:
                found.append((text,))
        return found


@cache
def word_lists(locale: str) -> WordLists:
    """Read the lists of a locale, or of devices; they are read once and shared.

    Raises:
        InvalidParameter: There are none; with the nearest name.
        TableError: The installed file is not the one that this version is.
    """
    if locale not in _DIGESTS:
        raise InvalidParameter(f"there are no lists of the locale {locale!r}{nearest(locale, LOCALES)}")
    content = (resources.files("privkit.transforms") / "data" / f"stand-ins-{VERSION}-{locale}.toml").read_bytes()
    if hashlib.sha256(content).hexdigest() != _DIGESTS[locale]:
        # Other lists would give everybody other stand-ins, and nobody would notice.
        raise TableError(f"the word lists of {locale}, version {VERSION}, were altered: reinstall privkit")
    read = tomllib.loads(content.decode())
    lists = {name: tuple(words) for name, words in read["lists"].items()}
    if "male" in lists:
        lists["given"] = tuple(dict.fromkeys(lists["male"] + lists["female"]))
    return WordLists(f"{locale}-{VERSION}", {**lists, "bytes": _BYTES}, read["templates"])
