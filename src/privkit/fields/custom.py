"""Field types of the user's own, in a few lines of Python or of a policy file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from privkit.errors import InvalidParameter
from privkit.fields.base import Category, FieldType, Level, MaskShape, Sensitivity
from privkit.fields.bytesets import byteset, only
from privkit.fields.characters import CodeLayout
from privkit.fields.listed import HIERARCHY
from privkit.fields.masks import PROFILES, Keep, profiles
from privkit.fields.places import PatternLayout, places
from privkit.fields.plain import tidy
from privkit.suggest import nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged
    from privkit.fields.layout import Layout

_LONGEST_NAME = 64
_LEAST = 2
_ENDS = ("first", "last")
E = TypeVar("E", Category, Sensitivity)

MaskOption: TypeAlias = MaskShape | Mapping[str, int] | Mapping[str, MaskShape | Mapping[str, int]] | None
"""A shape, or how many characters stay, as `{"first": 2, "last": 1}`: of `display`, or of several profiles by name."""
LevelOption: TypeAlias = Mapping[str, Mapping[str, int] | Callable[..., Level]] | None
"""Levels by name: how many characters stay at the beginning, as `{"first": 2}`, or what makes a level."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Custom(FieldType):
    """A type made of an alphabet, a pattern, or both; canonical has no runs of space and no full-width forms.

    Attributes:
        alphabet: The characters that values have; `""` is any.
        pattern: What a canonical value looks like from beginning to end; `None` is anything.
    """

    alphabet: str = ""
    pattern: re.Pattern[str] | None = None

    def normalise(self, text: str) -> str:
        """Make the value tidy, then check alphabet and pattern."""
        # Where the value is of the type as it stands, it means what it says: an alphabet may be full-width.
        if self._fits(text) is None:
            return text
        canonical = tidy(text)
        reason = self._fits(canonical)
        if reason is not None:
            raise self.invalid(reason)
        return canonical

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Rows of an ASCII alphabet are canonical where there is no pattern beside it."""
        if self.pattern or not self.alphabet.isascii():
            return super().recognise(text)
        return only(text, byteset(self.alphabet))

    def _fits(self, text: str) -> str | None:
        if self.alphabet and not set(text) <= set(self.alphabet):
            return f"there are characters in it that are not of its alphabet of {len(self.alphabet)}"
        if self.pattern and not self.pattern.fullmatch(text):
            return f"its {len(text)} characters do not match the type's pattern"
        return None if text else "there is nothing but space in it"


def custom(
    name: str,
    *,
    alphabet: str = "",
    pattern: str = "",
    mask: MaskOption = None,
    levels: LevelOption = None,
    category: Category | str = Category.BEHAVIOUR,
    sensitivity: Sensitivity | str = Sensitivity.GENERAL,
    basis: str = "as its maker says",
    title: str = "",
    title_zh: str = "",
    releasable: bool = True,
) -> FieldType:
    """Make a field type.

    With an alphabet its values also move under format-preserving encryption, each character among all of the alphabet
    (in the order given, which is part of the key derivation). With a pattern they do where that is simple: a row of
    characters, classes and counts, such as `[A-Z]{2}-[0-9]{4}`; each character then moves within its class.

    Args:
        name: What errors and reports call it, 1 to 64 characters.
        alphabet: The characters that values have.
        pattern: A regular expression that values match from beginning to end.
        mask: How the profile `display` looks, as a shape or as `{"first": 2, "last": 1}`, or how several profiles do:
            `{"display": {"first": 2}, "log": {"last": 1}}`; all else shows nothing.
        levels: Levels by name, each as `{"first": 2}`, which leaves so many characters at the beginning and a star for
            the rest (six stars where there is none), or as what makes a level; `hierarchy` every type has.
        category: Its category in the norm.
        sensitivity: How sensitive it is.
        basis: What that rests on.
        title: A short English title; the name by default.
        title_zh: A short Chinese title; the English one by default.
        releasable: False for what may never leave in any form.

    Raises:
        InvalidParameter: A parameter is not what it should be.

    Example:
        >>> from privkit import fields
        >>> badge = fields.custom(
        ...     "badge", alphabet="ABCDEF0123456789", mask={"first": 2}, levels={"site": {"first": 1}}
        ... )
        >>> badge.masks["display"].one("A0B1C2"), badge.levels["site"]().one("A0B1C2")
        ('A0****', 'A*')
    """
    if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
        raise InvalidParameter(f"the name of a type has 1 to {_LONGEST_NAME} printable characters")
    if not alphabet and not pattern:
        raise InvalidParameter(f"type {name}: an alphabet or a pattern is needed; for any text take 'text'")
    if alphabet and (len(alphabet) < _LEAST or len(set(alphabet)) != len(alphabet)):
        raise InvalidParameter(f"type {name}: an alphabet has two characters or more, each once")
    return Custom(
        name=name,
        title=title or name,
        title_zh=title_zh or title or name,
        category=_member(Category, category),
        sensitivity=_member(Sensitivity, sensitivity),
        basis=basis,
        masks=profiles(**_shapes(name, mask)),
        levels=MappingProxyType({level: _level(name, level, said) for level, said in _named(name, levels).items()}),
        layouts=_layouts(alphabet, pattern),
        releasable=releasable,
        alphabet=alphabet,
        pattern=_compiled(name, pattern) if pattern else None,
    )


def _layouts(alphabet: str, pattern: str) -> Callable[..., Layout] | None:
    # Alphabet or pattern alone are what old values stand on: a type may be renamed.
    if not pattern:
        return CodeLayout(f"custom/{alphabet}", (alphabet,))
    alphabets = places(pattern)
    if alphabets is None or (alphabet and not set("".join(alphabets)) <= set(alphabet)):
        return None
    return PatternLayout(pattern, alphabets)


def _member(kind: type[E], value: E | str) -> E:
    names = {member.name.lower(): member for member in kind} | {member.value: member for member in kind}
    if str(value).lower() not in names:
        raise InvalidParameter(f"no {kind.__name__.lower()} {str(value)!r}{nearest(str(value), names)}")
    return names[str(value).lower()]


def _shapes(name: str, mask: MaskOption) -> dict[str, MaskShape]:
    """The shape of each profile that is said."""
    if mask is None:
        return {}
    if not isinstance(mask, Mapping):
        return {"display": mask}
    if not any(profile in mask for profile in PROFILES):
        return {"display": _shape(name, "display", mask)}
    for profile in mask:
        if profile not in PROFILES:
            raise InvalidParameter(f"type {name}: no mask profile {profile!r}{nearest(profile, PROFILES)}")
    return {profile: _shape(name, profile, said) for profile, said in mask.items()}


def _shape(name: str, profile: str, said: object) -> MaskShape:
    if not isinstance(said, Mapping):
        if not hasattr(said, "many"):
            raise InvalidParameter(f"type {name}: mask {profile!r} is a shape, or a table with first and last")
        return cast("MaskShape", said)
    return Keep(**_counts(f"type {name}: mask {profile!r}", said, _ENDS))


def _counts(what: str, said: Mapping[str, object], known: tuple[str, ...]) -> dict[str, int]:
    """How many characters stay at which end."""
    counts = dict.fromkeys(known, 0)
    for part, count in said.items():
        if part not in known:
            raise InvalidParameter(f"{what} has no part {part!r}{nearest(part, known)}")
        if not isinstance(count, int) or isinstance(count, bool):
            raise InvalidParameter(f"{what}: {part} is a whole number")
        counts[part] = count
    return counts


def _named(name: str, levels: LevelOption) -> Mapping[str, object]:
    if levels is not None and not isinstance(levels, Mapping):
        raise InvalidParameter(f"type {name}: levels are a table of levels by name")
    return levels or {}


def _level(name: str, level: str, said: object) -> Callable[..., Level]:
    if level == HIERARCHY:
        raise InvalidParameter(f"type {name}: every type has the level {level!r}; name yours otherwise")
    if callable(said):
        return said
    if not isinstance(said, Mapping):
        raise InvalidParameter(f"type {name}: level {level!r} is a table such as {{ first = 2 }}")
    counts = _counts(f"type {name}: level {level!r}", said, _ENDS[:1])
    coarse = Keep(first=counts["first"], stars=1)
    return lambda: coarse


def _compiled(name: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise InvalidParameter(f"type {name}: the pattern is no regular expression: {error}") from None
