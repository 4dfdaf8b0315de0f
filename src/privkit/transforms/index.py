"""Blind indexes: short keyed digests by which values that are encrypted at random can still be found.

An index is the first bits of an AES-CMAC (SP 800-38B) of the value's canonical form, or of a part of it. Whoever sees
it learns which values *may* be equal, and nothing about them without the key. The shorter it is, the more different
values share one, the less it says, and the more candidates a lookup has to decrypt: of n values, some n / 2^bits are
there by chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from privkit import columns
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, InvalidValue, WrongType
from privkit.fields import TEXT
from privkit.fields.parameters import check_types, type_name
from privkit.keys import Usage
from privkit.suggest import nearest
from privkit.transforms.base import of_field, released

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from privkit._kernels.cmac import Cmac
    from privkit.fields.base import FieldType
    from privkit.keys import FieldKey

MOST_BITS = 128
"""What a CMAC has with blocks of 128 bits (SP 800-38B)."""
_LAST = 4


class Part(StrEnum):
    """What of a value is indexed."""

    WHOLE = "whole"
    LAST_FOUR = "last_four"
    """The last four characters: of a telephone number, a card, a resident ID."""
    DOMAIN = "domain"
    """What stands behind the last `@`, in lower case."""


_CUT: dict[Part, Callable[[str], str]] = {
    Part.WHOLE: lambda text: text,
    Part.LAST_FOUR: lambda text: text[-_LAST:],
    Part.DOMAIN: lambda text: text.rpartition("@")[2].lower(),
}


@dataclass(frozen=True)
class BlindIndexOf:
    """A blind index of a field's values.

    It stands on the keyring's stable version, so that a rotation changes none. Equal canonical forms have equal
    indexes, also in other tables under the same field key: that is the price, and the reason to keep it short.

    Attributes:
        key: The field's key.
        field: What the values are: `+86 138-1234-5678` and `13812345678` then have one index. A value that is not of
            that type is indexed as it stands. By default any text, taken as it is.
        bits: How long the index is, from 1 to 128.
        part: What of the value is indexed.

    Raises:
        InvalidParameter: If there is no such length or part.

    Example:
        >>> from privkit.transforms import BlindIndexOf
        >>> keys = Keyring.create(directory / "keyring.json")
        >>> phone = BlindIndexOf(keys["user.phone"], fields.CN_MOBILE, bits=32)
        >>> phone.of("+86 138-1234-5678") == phone.of("13812345678"), phone.size
        (True, 4)
    """

    key: FieldKey
    field: FieldType = field(default=TEXT)
    bits: int = 32
    part: Part = Part.WHOLE

    def __post_init__(self) -> None:
        of_field(self.key)
        released(self.field)
        check_types("a blind index", BlindIndexOf, {"bits": self.bits})
        if not isinstance(self.part, str):
            raise WrongType(f"part of a blind index is text, not {type_name(self.part)}")
        if not 1 <= self.bits <= MOST_BITS:
            raise InvalidParameter(f"a blind index of {self.bits} bits; it has from 1 to {MOST_BITS}")
        if self.part not in list(Part):
            raise InvalidParameter(f"no part {self.part!r} of a value{nearest(self.part, list(Part))}")
        object.__setattr__(self, "part", Part(self.part))

    @property
    def size(self) -> int:
        """How many bytes an index has; bits behind the last are zero."""
        return -(-self.bits // 8)

    def of(self, value: Any, *, key_id: int | None = None) -> bytes:  # noqa: ANN401 - whatever can be encrypted
        """The index of one value.

        Args:
            value: A value of any type that has a canonical text; not null.
            key_id: Which version of the key; the stable one by default.
        """
        return self._truncated(self._cmac(key_id).digest(self.wanted(value).encode()))

    def of_many(self, text: Ragged) -> NDArray[np.uint8]:
        """The indexes of many values under the stable version.

        Args:
            text: The canonical text of each value.

        Returns:
            `(rows, size)`.
        """
        digests = self._cmac(None).digest_many(self._canonical(text))[:, : self.size]
        return digests & np.frombuffer(self._mask, np.uint8)

    def candidates(self, value: Any) -> list[bytes]:  # noqa: ANN401 - as for `of`
        """The indexes of one value under every version that reads, the stable one first.

        Ask for all of them: while a column is re-keyed its rows are under two versions.
        """
        wanted = self.wanted(value).encode()
        ids = dict.fromkeys([self.key.stable_id, *self.key.version_ids])
        return list(dict.fromkeys([self._truncated(self._cmac(key_id).digest(wanted)) for key_id in ids]))

    def matches(self, stored: Any, value: Any) -> bool:  # noqa: ANN401 - as for `of`
        """Whether a decrypted candidate is the value that was looked for, and not another of the same index."""
        found, wanted = columns.text_of(stored), columns.text_of(value)
        return found == wanted or self._normal(found) == self._normal(wanted)

    def wanted(self, value: Any) -> str:  # noqa: ANN401 - as for `of`
        """What of a value is indexed: the part of its canonical form."""
        return _CUT[self.part](self._normal(columns.text_of(value)))

    def _normal(self, text: str) -> str:
        if not text:
            return text
        try:
            return self.field.normalise(text)
        except InvalidValue:
            return text  # what a column holds must be found in it, also where it is not what it should be

    def _canonical(self, text: Ragged) -> Ragged:
        if self.part is Part.WHOLE:
            if self.field is TEXT:
                return text
            present = np.flatnonzero(text.lengths)
            if self.field.recognise(text if len(present) == len(text) else text.take(present)).all():
                return text
        cut = _CUT[self.part]
        return Ragged.of_text([cut(self._normal(value)) for value in text.to_text()])

    def _cmac(self, key_id: int | None) -> Cmac:
        return self.key.cmac(self._usage, key_id)

    @cached_property
    def _usage(self) -> Usage:
        return Usage(purpose="index", algorithm="AES-CMAC", key_bytes=32, mode=self.part.value)

    @cached_property
    def _mask(self) -> bytes:
        return ((1 << self.bits) - 1 << (8 * self.size - self.bits)).to_bytes(self.size, "big")

    def _truncated(self, digest: bytes) -> bytes:
        if self.bits % 8 == 0:
            return digest[: self.size]
        return digest[: self.size - 1] + bytes([digest[self.size - 1] & self._mask[-1]])
