"""Plaintexts to ciphertexts and back, one by one, each under the key version that it names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag

from privkit.errors import DecryptionFailed, InvalidParameter, KeyNotFound, SubjectForgotten
from privkit.keys.usages import DETERMINISTIC, RANDOMISED
from privkit.transforms import ciphertext as layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from privkit._kernels.siv import Siv
    from privkit.keys import FieldKey
    from privkit.transforms.index import BlindIndexOf

_NONE: dict[bytes, Callable[[bytes, list[bytes]], bytes]] = {}


class ValueSealer:
    """Seals single plaintexts (tag and content) for a field, and opens them.

    Args:
        key: The field's key.
        deterministic: Whether equal plaintexts get equal ciphertexts.
        index: What is written into each ciphertext, beside the value, to find it by.
        index_size: How many bytes the index takes there: as many as it has, or more, which are zero.
    """

    __slots__ = (
        "_derivatives",
        "_deterministic",
        "_head",
        "_index",
        "_index_size",
        "_key",
        "_shortest",
        "_slot",
        "_width",
        "usage",
    )

    def __init__(
        self, key: FieldKey, *, deterministic: bool, index: BlindIndexOf | None = None, index_size: int = 0
    ) -> None:
        self._key = key
        self._derivatives = key.derivatives
        self._slot = f"{'deterministic' if deterministic else 'randomised'} {key.name}"
        self._deterministic = deterministic
        self._index = index
        self._index_size = index_size
        self._head = layout.HEADER + (0 if deterministic else layout.NONCE)
        self._width = 0 if index is None else 1 + index_size
        self._shortest = layout.length(0, deterministic=deterministic)
        self.usage = DETERMINISTIC if deterministic else RANDOMISED

    @property
    def writing_id(self) -> int:
        """The version that writes: what is deterministic stays under the stable one."""
        return self._key.stable_id if self._deterministic else self._key.primary_id

    def seal(self, plain: bytes, place: bytes, key_id: int | None = None) -> bytes:
        """Seal one plaintext.

        Args:
            plain: Tag and content.
            place: The associated data that names its place.
            key_id: Which version; by default the one that writes.
        """
        key_id = self.writing_id if key_id is None else key_id
        nonce = b"" if self._deterministic else os.urandom(layout.NONCE)
        return self._sealed(self._key.siv(self.usage, key_id), key_id, plain, place, nonce)

    def seal_each(self, plain: Sequence[bytes], places: Sequence[bytes]) -> list[bytes]:
        """Seal some plaintexts, each for its place: for too few to be worth `seal_many`."""
        key_id = self.writing_id
        siv = self._key.siv(self.usage, key_id)
        size = 0 if self._deterministic else layout.NONCE
        drawn = os.urandom(size * len(plain))
        nonces = [drawn[size * row : size * (row + 1)] for row in range(len(plain))]
        return [self._sealed(siv, key_id, *row) for row in zip(plain, places, nonces, strict=True)]

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Open one ciphertext.

        Raises:
            DecryptionFailed: If it was not sealed by this key for this place.
            KeyUnavailable: If the version that sealed it is disabled or destroyed.
        """
        # On the way of every single value: ciphers are found by marker and key id, and heads are cut by numbers.
        decrypt: Callable[[bytes, list[bytes]], bytes] | None
        try:
            decrypt = self._derivatives().get(self._slot, _NONE).get(sealed[:5])
        except (KeyNotFound, SubjectForgotten):  # said of what has the form of a ciphertext, and of nothing else
            decrypt = None
        if decrypt is None or len(sealed) < self._shortest:
            return self._open_first(sealed, place)
        try:
            if self._deterministic:
                return decrypt(sealed[5:], [place])
            if sealed[0] == layout.MARKER:
                return decrypt(sealed[21:], [place, sealed[5:21]])
            return decrypt(*self._indexed_parts(sealed, place))
        except InvalidTag:
            raise DecryptionFailed from None

    def _open_first(self, sealed: bytes, place: bytes) -> bytes:
        """Open a ciphertext whose head was not met before, and remember the cipher."""
        key_id = self.key_id(sealed)
        try:
            known = self._derivatives().setdefault(self._slot, {})  # before the key, which may be disabled meanwhile
            siv = self._key.siv(self.usage, key_id)
        except KeyNotFound:
            raise DecryptionFailed from None
        plain = self._opened(siv, sealed, place)
        known[sealed[: layout.HEADER]] = siv.bare_decrypt
        return plain

    def open_each(self, sealed: Sequence[bytes], places: Sequence[bytes]) -> list[bytes | None]:
        """Open some ciphertexts: for too few to be worth `open_many`; `None` for one that fails.

        Raises:
            KeyUnavailable: If a version that sealed some of them is disabled or destroyed.
        """
        sivs: dict[bytes, Siv | None] = {}
        found: list[bytes | None] = []
        for one, place in zip(sealed, places, strict=True):
            try:
                head = one[: layout.HEADER]
                if head not in sivs or head[0] != layout.MARKER or len(one) < self._shortest:
                    sivs[head] = self._siv_of(self.key_id(one))  # and sees that it has the form of a ciphertext
                siv = sivs[head]
                found.append(None if siv is None else self._opened(siv, one, place))
            except DecryptionFailed:
                found.append(None)
        return found

    def key_id(self, sealed: bytes) -> int:
        """The key version that a ciphertext names.

        Raises:
            DecryptionFailed: If it is no ciphertext.
        """
        if len(sealed) < self._shortest:
            raise DecryptionFailed
        if sealed[0] != layout.MARKER:
            self._index_in(sealed)
        return int.from_bytes(sealed[1 : layout.HEADER], "big")

    def has_form(self, head: bytes) -> bool:
        """Whether bytes begin as ciphertexts of this keyring do: a marker, and the id of a key it has or had."""
        if len(head) < layout.HEADER or head[0] not in (layout.MARKER, layout.INDEXED_MARKER):
            return False
        return self._key.knows(int.from_bytes(head[1 : layout.HEADER], "big"))

    def is_current(self, sealed: bytes, place: bytes) -> bool:
        """Whether a ciphertext is as `seal` would write it now: key version, form and index.

        Raises:
            DecryptionFailed: If it is no ciphertext, or, where there is an index to compare, does not open.
        """
        if self.key_id(sealed) != self.writing_id or (sealed[0] == layout.MARKER) != (self._index is None):
            return False
        if self._index is None:
            return True
        return self._index_in(sealed) == self._index_of(self.open(sealed, place))

    def _siv_of(self, key_id: int) -> Siv | None:
        """The cipher of a key version; none where the keyring has not that."""
        try:
            return self._key.siv(self.usage, key_id)
        except KeyNotFound:
            return None

    def _sealed(self, siv: Siv, key_id: int, plain: bytes, place: bytes, nonce: bytes) -> bytes:
        if self._deterministic:
            return layout.header(key_id) + siv.encrypt(plain, [place])
        if self._index is None:
            return layout.header(key_id) + nonce + siv.encrypt(plain, [place, nonce])
        index = self._index_of(plain)
        return layout.header(key_id, index) + nonce + siv.encrypt(plain, [place, index, nonce])

    def _opened(self, siv: Siv, sealed: bytes, place: bytes) -> bytes:
        """Open one ciphertext that has the form of one."""
        if sealed[0] == layout.MARKER:
            if self._deterministic:
                return siv.decrypt(sealed[5:], [place])
            return siv.decrypt(sealed[21:], [place, sealed[5:21]])
        return siv.decrypt(*self._indexed_parts(sealed, place))

    def _indexed_parts(self, sealed: bytes, place: bytes) -> tuple[bytes, list[bytes]]:
        """What is decrypted of a ciphertext that has an index, and its associated data."""
        index = self._index_in(sealed)
        body = layout.INDEX_AT + len(index)
        nonce = sealed[body : body + layout.NONCE]
        return sealed[body + layout.NONCE :], [place, index, nonce]

    def _index_in(self, sealed: bytes) -> bytes:
        """The index in a ciphertext that has one; any other is a failed decryption."""
        if self._deterministic or sealed[0] != layout.INDEXED_MARKER:
            raise DecryptionFailed
        size = sealed[layout.HEADER]
        if not 1 <= size <= layout.LONGEST_INDEX or len(sealed) < self._shortest + 1 + size:
            raise DecryptionFailed
        return sealed[layout.INDEX_AT : layout.INDEX_AT + size]

    def _index_of(self, plain: bytes) -> bytes:
        """The index of a plaintext, as wide as it stands in the ciphertext."""
        check_text(plain[0])
        index = self._index.of(plain[1:].decode()) if self._index is not None else b""
        return index.ljust(self._index_size, b"\x00")


def check_text(tag: int) -> None:
    """Refuse to index bytes.

    Args:
        tag: The tag of a plaintext.

    Raises:
        InvalidParameter: If it is the tag of bytes.
    """
    if tag == layout.BYTES_TAG:
        raise InvalidParameter("an index is of a value's text, and bytes have none; pass text, or leave out the index")
