"""Format-preserving encryption of typed values: valid in, valid out, and back."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from privkit._kernels.integers import IntegerPermutation
from privkit._kernels.prefix import PrefixPermutation
from privkit._kernels.ragged import Ragged
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue
from privkit.fields.parameters import check_types
from privkit.keys import Usage
from privkit.transforms.base import ReversibleFieldTransform, of_field
from privkit.transforms.framing import framed, framed_many

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from privkit.fields.base import FieldType, Reading
    from privkit.fields.layout import Layout, Slots
    from privkit.keys import FieldKey

Direction = Literal["encrypt", "decrypt"]

SMALLEST_DOMAIN = 1_000_000
"""Below this FF1 is refused (SP 800-38G Rev. 1, second draft of 2025, section 5.1)."""


class _Permutation(Protocol):
    def encrypt(self, value: int, tweak: bytes = b"") -> int: ...
    def decrypt(self, value: int, tweak: bytes = b"") -> int: ...
    def encrypt_many(self, values: NDArray[np.uint64], tweak: bytes = b"") -> NDArray[np.uint64]: ...
    def decrypt_many(self, values: NDArray[np.uint64], tweak: bytes = b"") -> NDArray[np.uint64]: ...


class FormatPreserving(ReversibleFieldTransform):
    """Encrypt a value into another valid value of its type, one to one.

    FF1 (SP 800-38G) on the rank that a value has among all valid ones. A phone number becomes a phone number, a card
    keeps its length and passes its Luhn check. Equal values have equal ciphertexts, which is the price; nothing shows
    that a ciphertext was altered, since every valid value is one. It is de-identification (去标识化).

    Separators, full-width digits and the case of letters stay as written, so that revealing gives back the very
    spelling. One that cannot be kept comes back in canonical form: a date such as `1990年1月2日`, an IPv6 address
    with its zeros, a lower-case letter for which a digit comes.

    It stands on the keyring's stable version, so a rotation changes no value.

    Args:
        field: What the values are.
        key: The field's key.
        small_domain: Where values move among fewer than 1,000,000: take a keyed permutation of them all (a prefix
            cipher) in place of FF1, which is not to be trusted there. What no cipher can change: a guess is right
            once in as many tries as there are values, and how often values occur shows. A value of which nothing
            moves is refused all the same.
        **options: What the field type's layout takes, such as `keep="bin"`. What is kept is the tweak.

    Raises:
        InvalidParameter: If the field type has no format-preserving form, or not with these options.
        DomainTooSmall: If values would move among fewer than 1,000,000 and `small_domain` is not set.

    Example:
        >>> from privkit import FormatPreserving, Keyring, fields
        >>> keys = Keyring.create("keyring.json")
        >>> phone = FormatPreserving(fields.CN_MOBILE, keys["customer.phone"])
        >>> phone.reveal(phone.protect("13812345678"))
        '13812345678'
    """

    word = "fpe"

    def __init__(
        self,
        field: FieldType,
        key: FieldKey,
        *,
        small_domain: bool = False,
        **options: Any,  # noqa: ANN401 - the layout says
    ) -> None:
        super().__init__(field)
        self.layout = _layout(field, options, small_domain=small_domain)
        if self.layout.size < SMALLEST_DOMAIN and not small_domain:
            raise DomainTooSmall(
                f"{self.layout.id} moves among {self.layout.size} values (< {SMALLEST_DOMAIN}), too few for FF1; "
                "keep less, or set small_domain=True and read there what it cannot do"
            )
        self._permutation = lru_cache(maxsize=64)(partial(_permutation, of_field(key), self.layout))

    def _protect(self, reading: Reading, raw: Ragged) -> Ragged:
        return self._move(reading, raw, "encrypt")

    def _reveal(self, reading: Reading, raw: Ragged) -> Ragged:
        return self._move(reading, raw, "decrypt")

    def _protect_one(self, text: str, raw: str) -> str:
        return self._move_one(text, raw, "encrypt")

    def _reveal_one(self, text: str, raw: str) -> str:
        return self._move_one(text, raw, "decrypt")

    def _move_one(self, text: str, raw: str, direction: Direction) -> str:
        slot = self.layout.split_one(text)
        if slot.size == 1:
            raise _unmoved()
        permutation = self._permutation(slot.size)
        moved = self.layout.join_one(text, getattr(permutation, direction)(slot.rank, slot.tweak))
        return moved if raw == text else framed(self.field, raw, text, moved)

    def _move(self, reading: Reading, raw: Ragged, direction: Direction) -> Ragged:
        parts = self.layout.split(reading.text)
        for part in parts:
            if part.size == 1:
                raise _unmoved(range(len(raw)) if part.rows is None else part.rows.tolist())
        slots = [replace(part, ranks=_permute(self._permutation(part.size), part, direction)) for part in parts]
        moved = self.layout.join(reading.text, slots)
        if not len(reading.changed):
            return moved
        rows = reading.changed
        written = framed_many(self.field, raw.take(rows), reading.text.take(rows), moved.take(rows))
        if len(rows) == len(moved):
            return written
        rest = np.delete(np.arange(len(moved)), rows)
        return Ragged.merge(len(moved), [(rest, moved.take(rest)), (rows, written)])


def _unmoved(rows: Iterable[int] = ()) -> InvalidValue:
    """The error for values that have no other to become, and would come back in the clear."""
    return InvalidValue("nothing of it moves, so it would come back as it is; keep less, or take a token", rows=rows)


def _permute(permutation: _Permutation, part: Slots, direction: Direction) -> NDArray[np.uint64]:
    many = getattr(permutation, f"{direction}_many")
    moved: NDArray[np.uint64]
    if isinstance(part.tweak, bytes) or isinstance(permutation, IntegerPermutation):
        moved = many(part.ranks, part.tweak)
        return moved
    tweaks, group = np.unique(part.tweak, axis=0, return_inverse=True)
    moved = np.empty_like(part.ranks)
    for number, tweak in enumerate(tweaks):
        rows = group == number
        moved[rows] = many(part.ranks[rows], tweak.tobytes())
    return moved


def _permutation(key: FieldKey, layout: Layout, size: int) -> _Permutation:
    small = size < SMALLEST_DOMAIN
    usage = Usage(
        purpose="fpe",
        algorithm="AES-PREFIX" if small else "AES-FF1",
        key_bytes=32,
        layout=layout.id,
        layout_version=layout.version,
    )
    cipher = key.cipher(usage)
    return PrefixPermutation(cipher, size) if small else IntegerPermutation(cipher, size)


def _layout(field: FieldType, options: dict[str, Any], *, small_domain: bool) -> Layout:
    if field.layouts is None:
        raise InvalidParameter(f"{field.name} has no format-preserving form; use a token, or encrypt it")
    try:
        signature(field.layouts).bind(**options)
    except TypeError as error:
        takes = ", ".join(signature(field.layouts).parameters) or "no options"
        raise InvalidParameter(f"fpe of {field.name}: {error}; it takes {takes}") from None
    check_types(f"fpe of {field.name}", field.layouts, options)
    if small_domain and "small_domain" in signature(field.layouts).parameters:
        # Where the domain depends on the value, the layout refuses single values that have too small a one.
        options = {**options, "small_domain": True}
    return field.layouts(**options)
