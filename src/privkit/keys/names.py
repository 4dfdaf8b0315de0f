"""Names of fields: one canonical spelling each, since a key is derived from it."""

import unicodedata
from functools import lru_cache

from privkit.errors import InvalidParameter

MAX_NAME_BYTES = 200
"""The longest field name in UTF-8."""

_PUNCTUATION = frozenset("_-")
_DIGITS = frozenset("0123456789")


def canonical_name(name: str) -> str:
    """Check a field's name and put it into its canonical form.

    A name is words joined by dots, such as `customer.phone` or `订单.收件人`. A word is made of letters of any script,
    the digits 0 to 9, `_` and `-`. Upper and lower case differ. The canonical form is Unicode NFC, so that the same
    name typed on two systems derives the same key.

    Raises:
        InvalidParameter: If the name is empty, too long, or holds something else.

    Example:
        >>> canonical_name("customer.phone")
        'customer.phone'
    """
    if not isinstance(name, str):
        raise InvalidParameter(f"a field name is a str, got {type(name).__name__}")
    return _canonical(name)


@lru_cache(maxsize=4096)  # an application has few fields, and asks for them over and over
def _canonical(name: str) -> str:
    canonical = unicodedata.normalize("NFC", name)
    try:
        size = len(canonical.encode())
    except UnicodeEncodeError:
        raise InvalidParameter("field name holds a lone surrogate; use text that UTF-8 can write") from None
    if size > MAX_NAME_BYTES:
        raise InvalidParameter(f"field name too long ({size} > {MAX_NAME_BYTES} bytes)")
    if not all(map(_is_word, canonical.split("."))):
        raise InvalidParameter(f"field name {canonical!a} is not words of letters, digits, '_' and '-' joined by dots")
    return canonical


def _is_word(word: str) -> bool:
    return bool(word) and unicodedata.category(word[0])[0] != "M" and all(map(_is_allowed, word))


def _is_allowed(character: str) -> bool:
    # Marks (M) after the first place: several scripts write vowels with them, and NFC has no composed form for all.
    return character in _DIGITS or character in _PUNCTUATION or unicodedata.category(character)[0] in "LM"
