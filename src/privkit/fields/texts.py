"""Field types of written text: anything at all, tidy text, codes over an alphabet, and words from a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from privkit.fields.base import FieldType
from privkit.fields.bytesets import DIGITS, LETTERS, byteset, only, printable
from privkit.fields.plain import compact, has_controls, narrow, tidy
from privkit.fields.wordlist import WordList

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AnyText(FieldType):
    """Text of any shape: every value is valid and canonical as it stands."""

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Every row is canonical."""
        return np.ones(len(text), np.bool_)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TidyText(FieldType):
    """Short text on one line: full-width forms are made plain, runs of space single, and the ends are cut.

    Attributes:
        longest: At most how many characters it has.
    """

    longest: int = 64

    def normalise(self, text: str) -> str:
        """Bring one value into canonical form: NFKC, single spaces, none at the ends."""
        canonical = tidy(text)
        if not canonical:
            raise self.invalid("there is nothing but space in it")
        if len(canonical) > self.longest:
            raise self.invalid(f"too long ({len(canonical)} > {self.longest} characters)")
        if has_controls(canonical):
            raise self.invalid("there are control characters or unassigned code points in it")
        return canonical

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Rows of visible ASCII and Han that are short enough in bytes are canonical."""
        return printable(text) & (text.lengths <= self.longest)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Code(FieldType):
    """Letters, digits and marks of an ASCII alphabet, such as an order number; one letter or digit at least.

    Attributes:
        alphabet: The characters that it may have.
        shortest: At least how many characters it has.
        longest: At most how many.
        label: What may stand before it and is taken off, whatever its case, such as `No:`.
    """

    alphabet: str
    shortest: int = 1
    longest: int = 64
    label: str = ""

    @cached_property
    def _allowed(self) -> NDArray[np.bool_]:
        return byteset(self.alphabet)

    def normalise(self, text: str) -> str:
        """Bring one value into canonical form: full-width forms plain, no spaces, no label."""
        canonical = compact(text, "")
        if self.label and canonical.lower().startswith(self.label.lower()):
            canonical = canonical[len(self.label) :]
        if not set(canonical) <= set(self.alphabet):
            raise self.invalid("there are characters in it that this type does not have")
        if not self.shortest <= len(canonical) <= self.longest:
            raise self.invalid(f"it has {len(canonical)} characters (needed: {self.shortest} to {self.longest})")
        if not any(map(str.isalnum, canonical)):
            raise self.invalid("there is no letter or digit in it")
        return canonical

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Rows of the alphabet, of a right length and with a letter or digit in front are canonical."""
        lengths = text.lengths
        good = only(text, self._allowed) & (lengths >= self.shortest) & (lengths <= self.longest)
        good &= (DIGITS | LETTERS)[text.data[text.offsets[:-1]]]
        return good


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Choice(FieldType):
    """One word of a list.

    Attributes:
        words: The canonical words.
        aliases: Other ways to write them, in lower case, and the word that each stands for.
    """

    words: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _list(self) -> WordList:
        return WordList(self.words)

    @cached_property
    def _spellings(self) -> dict[str, str]:
        return {**self.aliases, **{word.lower(): word for word in self.words}}

    def normalise(self, text: str) -> str:
        """Bring one value into canonical form: the word of the list."""
        word = self._spellings.get(tidy(narrow(text)).lower())
        if word is None:
            raise self.invalid(f"it is none of the {len(self.words)} words that this type has")
        return word

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Rows that are words of the list are canonical."""
        return self._list.find(text) >= 0
