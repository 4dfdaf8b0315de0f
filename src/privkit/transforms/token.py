"""Keyed tokens: one-way stand-ins that still join."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from privkit._kernels import textual
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter
from privkit.fields import TEXT
from privkit.fields.parameters import check_types
from privkit.keys import Usage
from privkit.suggest import nearest
from privkit.transforms.base import FieldTransform, of_field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.fields.base import FieldType, Reading
    from privkit.keys import FieldKey


class Form(StrEnum):
    """How a token is written."""

    HEX = "hex"
    BASE32 = "base32"
    BASE64URL = "base64url"
    UUID = "uuid"
    DIGITS = "digits"


_BITS_OF = {Form.UUID: 122, Form.DIGITS: 106}
_MOST_BITS = 128
"""What CMAC with a 128-bit block gives (SP 800-38B)."""
_DIGITS_A_HALF = 16
"""Decimal digits taken from each 64-bit half of the CMAC: 10^16 divides 2^64 with a bias below 1/1800."""
_MOST_COLLISION = 1e-6


class Token(FieldTransform):
    """Replace a value by a keyed, one-way token: AES-CMAC (SP 800-38B) of its canonical form.

    Equal values have equal tokens, also in other tables under the same field key: that is what joins them, and it is
    the price: how often a value occurs can be seen. Without the key a token cannot be computed from a guess. Two
    recipients get tokens under different keys and cannot join them. Tokens are de-identification (去标识化).

    Tokens stand on the keyring's stable version, so a rotation changes none of them.

    Args:
        key: The field's key.
        field: What the values are; by default any text, taken as it is.
        recipient: Who gets the tokens; another recipient's differ. None and `""` are different recipients.
        form: How tokens are written: `hex`, `base32`, `base64url`, `uuid` or `digits`.
        bits: How long they are, at most 128 (122 for a UUID, 106 for digits, and the most by default).
        rows: How many different values there will be, at most; the probability that any two of them share a token
            may not be over one in a million.

    Raises:
        InvalidParameter: If there is no such form or length, or tokens would collide.

    Example:
        >>> from privkit import Keyring, Token, fields
        >>> keys = Keyring.create("keyring.json")
        >>> token = Token(keys["customer.phone"], fields.CN_MOBILE)
        >>> token.protect("+86 138-1234-5678") == token.protect("13812345678")
        True
        >>> token.protect("13812345678") == Token(keys["customer.phone"], recipient="acme").protect("13812345678")
        False
    """

    word: ClassVar[str] = "token"

    def __init__(
        self,
        key: FieldKey,
        field: FieldType = TEXT,
        *,
        recipient: str | None = None,
        form: str = Form.HEX,
        bits: int | None = None,
        rows: int = 1_000_000_000,
    ) -> None:
        super().__init__(field)
        check_types("token", Token, {"recipient": recipient, "form": form, "bits": bits, "rows": rows})
        if form not in list(Form):
            raise InvalidParameter(f"no token form {form!r}{nearest(form, list(Form))}")
        self.form = Form(form)
        most = _BITS_OF.get(self.form, _MOST_BITS)
        self.bits = most if bits is None else bits
        if not 1 <= self.bits <= most or (self.form is Form.UUID and self.bits != most):
            raise InvalidParameter(f"a {self.form} token of {self.bits} bits; it has {most} at most")
        self.rows = rows
        if self.collision_probability > _MOST_COLLISION:
            raise InvalidParameter(
                f"tokens of {self.bits} bits collide among {rows} values with probability "
                f"{self.collision_probability:.1g} (> {_MOST_COLLISION:.0e}); take more bits, or state fewer rows"
            )
        self._cmac = of_field(key).cmac(Usage(purpose="token", algorithm="AES-CMAC", key_bytes=32, recipient=recipient))

    @property
    def length(self) -> int:
        """How many characters a token has."""
        match self.form:
            case Form.HEX:
                return math.ceil(self.bits / 4)
            case Form.BASE32:
                return math.ceil(self.bits / 5)
            case Form.BASE64URL:
                return math.ceil(self.bits / 6)
            case Form.UUID:
                return 36
            case Form.DIGITS:
                return math.ceil(self.bits / math.log2(10))

    @property
    def collision_probability(self) -> float:
        """The probability that any two of `rows` different values share a token: at most n² / 2^(bits + 1)."""
        effective = self.length * math.log2(10) if self.form is Form.DIGITS else self.bits
        return min(1.0, self.rows**2 / 2 ** (effective + 1))

    def _protect(self, reading: Reading, raw: Ragged) -> Ragged:  # noqa: ARG002 - equal canonical forms join
        return self._write(self._cmac.digest_many(reading.text))

    def _protect_one(self, text: str, raw: str) -> str:  # noqa: ARG002 - as above
        digest = self._cmac.digest(text.encode())
        if self.form is Form.HEX and self.bits == _MOST_BITS:
            return digest.hex()
        return self._write(np.frombuffer(digest, np.uint8).reshape(1, -1)).to_text()[0]

    def _write(self, digests: NDArray[np.uint8]) -> Ragged:
        """Write `(rows, 16)` digests in the form."""
        match self.form:
            case Form.HEX:
                return _cut(textual.to_hex(self._truncate(digests)), self.length)
            case Form.BASE32:
                return _cut(textual.to_base32(self._truncate(digests)), self.length)
            case Form.BASE64URL:
                return _cut(textual.to_base64url(Ragged.of_matrix(self._truncate(digests))), self.length)
            case Form.UUID:
                return _uuids(digests)
            case Form.DIGITS:
                return Ragged.of_matrix(_digits(digests)[:, : self.length])

    def _truncate(self, digests: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Clear all bits behind the first `bits`."""
        if self.bits == _MOST_BITS:
            return digests
        keep = np.zeros(_MOST_BITS, np.uint8)
        keep[: self.bits] = 1
        return digests & np.packbits(keep)


def _cut(text: Ragged, length: int) -> Ragged:
    width = text.width
    if width is None or width == length:
        return text
    return Ragged.of_matrix(text.matrix(width)[:, :length])


def _uuids(digests: NDArray[np.uint8]) -> Ragged:
    """Write digests as UUIDs of version 8, the one for values of one's own making (RFC 9562, section 5.8)."""
    marked = digests.copy()
    marked[:, 6] = marked[:, 6] & 0x0F | 0x80
    marked[:, 8] = marked[:, 8] & 0x3F | 0x80
    digits = textual.to_hex(marked).matrix(32)
    out = np.full((len(digests), 36), ord("-"), np.uint8)
    start = 0
    for position, width in ((0, 8), (9, 4), (14, 4), (19, 4), (24, 12)):
        out[:, position : position + width] = digits[:, start : start + width]
        start += width
    return Ragged.of_matrix(out)


def _digits(digests: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Write digests as 32 decimal digits, 16 from each half."""
    halves = np.ascontiguousarray(digests).view(">u8").astype(np.uint64)
    out = np.empty((len(digests), 2 * _DIGITS_A_HALF), np.uint8)
    for half in range(2):
        rest = halves[:, half].copy()
        for place in range(_DIGITS_A_HALF - 1, -1, -1):
            quotient = rest // np.uint64(10)
            out[:, half * _DIGITS_A_HALF + place] = (rest - quotient * np.uint64(10)).astype(np.uint8) + ord("0")
            rest = quotient
    return out
