"""What a column's name says that it is."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

from privkit.policy.inspect.lexicon import FILLERS, KEPT, OWNERS, PHRASES

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")
_BREAKS: Final = re.compile(r"[\W_]+|(?<=[\u4e00-\u9fff])(?=[a-z])|(?<=[a-z])(?=[\u4e00-\u9fff])")
_SHORTEST_JOINED: Final = 5
"""Letters that a phrase needs to be found in a name without breaks, such as `customerphone`."""
_LOOSE: Final = frozenset({"free_text", "text"})


@dataclass(frozen=True, slots=True)
class Hint:
    """What a name says.

    Attributes:
        types: Names of the types that it may mean, likeliest first.
        exact: Whether it says nothing else.
    """

    types: tuple[str, ...]
    exact: bool


def hint(name: str) -> Hint | None:
    """Read a column's name, in English, Chinese or pinyin initials.

    What a name says last is what it means, for in both languages the noun stands there: `phone_model` is a model. Only
    what the law calls sensitive and what opens accounts is not talked away by a note that follows: `health_note`.

    Returns:
        The types that it may mean; `None` where it says none.

    Example:
        >>> hint("收货人手机号").types, hint("receiverMobile").types, hint("phone_model").types
        (('cn_mobile',), ('cn_mobile',), ('device_model',))
    """
    words = _split(name)
    whole = "_".join(words)
    spoken = _trimmed(words)
    if whole in _phrases() or spoken in _phrases():
        return Hint(_phrases().get(whole) or _phrases()[spoken], exact=True)
    found = _found(words) or _joined("".join(words))
    if not found:
        return None
    last = max(found, key=lambda place: (place[0], place[1]))
    if last[2][0] in _LOOSE:
        earlier = [place for place in found if place[2][0] in KEPT] if last[2][0] == "free_text" else []
        last = max(earlier, default=last)
    return Hint(last[2], exact=False)


@cache
def _phrases() -> dict[str, tuple[str, ...]]:
    # Broken as names are: `mac地址` into two words.
    return {"_".join(_split(phrase)): types for types, phrases in PHRASES.items() for phrase in phrases.split()}


def _split(name: str) -> list[str]:
    plain = _CAMEL.sub("_", unicodedata.normalize("NFKC", name)).lower()
    return [word for word in _BREAKS.split(plain) if word]


def _trimmed(words: list[str]) -> str:
    """A name without whose it is and without words such as `no` at its end."""
    rest = list(words)
    while len(rest) > 1 and rest[-1] in FILLERS and "_".join(rest) not in _phrases():
        rest.pop()
    while len(rest) > 1 and rest[0] in OWNERS and "_".join(rest) not in _phrases():
        rest.pop(0)
    return "_".join(rest)


def _found(words: list[str]) -> list[tuple[int, int, tuple[str, ...]]]:
    """Every phrase in a name: where it ends, how long it is, what it may mean."""
    name = f"_{'_'.join(words)}_"
    places: list[tuple[int, int, tuple[str, ...]]] = []
    for phrase, types in _phrases().items():
        if _HAN.search(phrase):
            at = name.rfind(phrase)
            end = at + len(phrase)
        elif len(phrase) > 2 or phrase in {"ip", "qq", "at"}:  # noqa: PLR2004 - initials count as the whole name only
            at = name.rfind(f"_{phrase}_")
            end = at + len(phrase) + 1
        else:
            continue
        if at >= 0:
            places.append((end, len(phrase), types))
    return places


def _joined(name: str) -> list[tuple[int, int, tuple[str, ...]]]:
    """Phrases at the end of a name that has no breaks."""
    joined = ((phrase.replace("_", ""), types) for phrase, types in _phrases().items())
    return [
        (len(name), len(phrase), types)
        for phrase, types in joined
        if len(phrase) >= _SHORTEST_JOINED and name.endswith(phrase)
    ]
