"""Field types of the user's own, in a few lines of Python or of a policy file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from privkit.errors import InvalidParameter
from privkit.fields.base import Category, FieldType, MaskShape, Sensitivity
from privkit.fields.bytesets import byteset, only
from privkit.fields.characters import CodeLayout
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import tidy
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged
    from privkit.fields.layout import Layout

_LONGEST_NAME = 64
_LEAST = 2
_ENDS = ("first", "last")
E = TypeVar("E", Category, Sensitivity)

MaskOption: TypeAlias = MaskShape | Mapping[str, int] | None
"""A shape, or how many characters stay: `{"first": 2, "last": 1}`."""


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
    category: Category | str = Category.BEHAVIOUR,
    sensitivity: Sensitivity | str = Sensitivity.GENERAL,
    basis: str = "as its maker says",
    title: str = "",
    title_zh: str = "",
    releasable: bool = True,
) -> FieldType:
    """Make a field type.

    With an alphabet its values also move under format-preserving encryption, each character among all of the alphabet
    (in the order given, which is part of the key derivation); with a pattern they do not, since the result might not
    match it.

    Args:
        name: What errors and reports call it, 1 to 64 characters.
        alphabet: The characters that values have.
        pattern: A regular expression that values match from beginning to end.
        mask: How the profile `display` looks, as a shape or as `{"first": 2, "last": 1}`; all else shows nothing.
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
        >>> badge = fields.custom("badge", alphabet="ABCDEF0123456789", mask={"first": 2}, category="identity")
        >>> badge.masks["display"].one("A0B1C2")
        'A0****'
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
        masks=profiles(display=_shape(mask)) if mask is not None else profiles(),
        layouts=_layouts(alphabet) if alphabet and not pattern else None,
        releasable=releasable,
        alphabet=alphabet,
        pattern=_compiled(name, pattern) if pattern else None,
    )


def _layouts(alphabet: str) -> Callable[..., Layout]:
    # The alphabet alone is what old values stand on: a type may be renamed.
    return CodeLayout(f"custom/{alphabet}", (alphabet,))


def _member(kind: type[E], value: E | str) -> E:
    names = {member.name.lower(): member for member in kind} | {member.value: member for member in kind}
    if str(value).lower() not in names:
        raise InvalidParameter(f"no {kind.__name__.lower()} {str(value)!r}{nearest(str(value), names)}")
    return names[str(value).lower()]


def _shape(mask: MaskShape | Mapping[str, int]) -> MaskShape:
    if not isinstance(mask, Mapping):
        return mask
    for part in mask:
        if part not in _ENDS:
            raise InvalidParameter(f"a mask has no part {part!r}{nearest(part, _ENDS)}")
    return Keep(first=mask.get("first", 0), last=mask.get("last", 0))


def _compiled(name: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise InvalidParameter(f"type {name}: the pattern is no regular expression: {error}") from None
