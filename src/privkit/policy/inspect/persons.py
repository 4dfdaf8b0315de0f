"""Telling names of persons from other short words."""

from __future__ import annotations

import re
from typing import Final

from privkit.policy.inspect.lexicon import COMPOUND_SURNAMES, GIVEN_NAMES, SURNAMES

_HAN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,4}")
_DOTTED: Final = re.compile(r"[\u3400-\u9fff]{2,}[·•.][\u3400-\u9fff·]{1,}")
_LATIN: Final = re.compile(r"[A-Za-z][A-Za-z'’.-]*(?:,? [A-Za-z][A-Za-z'’.-]*){1,3}")
_LONGEST_WITH_ONE: Final = 3
"""Characters of a Han name whose surname has one."""


def is_person(value: str) -> bool:
    """Whether a value looks like a person's name: a surname or given name of the lists, or a dotted one.

    Example:
        >>> is_person("诸葛孔明"), is_person("Smith, John"), is_person("保温杯")
        (True, True, False)
    """
    if _HAN.fullmatch(value):
        return value.startswith(COMPOUND_SURNAMES) or (value[0] in SURNAMES and len(value) <= _LONGEST_WITH_ONE)
    if _LATIN.fullmatch(value):
        return any(word.strip(",.").lower() in GIVEN_NAMES for word in value.split())
    return bool(_DOTTED.fullmatch(value))
