"""Plaintexts to ciphertexts and back, one or many, each under the key version that it names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from cryptography.exceptions import InvalidTag

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.heads import read_heads, write_heads
from privkit._kernels.ragged import Ragged, windows
from privkit._kernels.slabs import batches, chunk
from privkit.errors import DecryptionFailed, InvalidParameter, KeyNotFound, SubjectForgotten
from privkit.keys.usages import DETERMINISTIC, RANDOMISED
from privkit.transforms import ciphertext as layout
from privkit.transforms.forms import NO_FORM, form, forms, key_id_of, only_form, width_of
from privkit.transforms.plaintexts import Plaintexts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from privkit._kernels.siv import Siv
    from privkit.keys import FieldKey
    from privkit.transforms.index import BlindIndexOf

_NONE: dict[bytes, Callable[[bytes, list[bytes]], bytes]] = {}


class Sealer:
    """Seals plaintexts (tag and content) for a field, and opens them.

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
            return decrypt(sealed[21:], [place, sealed[5:21]])
        except InvalidTag:
            raise DecryptionFailed from None

    def _open_first(self, sealed: bytes, place: bytes) -> bytes:
        """Open a ciphertext whose head was not met before, or one with an index; remember the cipher of the first."""
        key_id = self.key_id(sealed)
        try:
            known = self._derivatives().setdefault(self._slot, {})  # before the key, which may be disabled meanwhile
            siv = self._key.siv(self.usage, key_id)
        except KeyNotFound:
            raise DecryptionFailed from None
        plain = self._opened(siv, sealed, place)
        if sealed[0] == layout.MARKER:
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

    def opener(self, place: bytes, moment: Callable[[], object]) -> Callable[[bytes], bytes]:
        """`open` for one place as one function that keeps the ciphers it has used, for as long as a moment lasts.

        Args:
            place: The associated data that names the place.
            moment: What tells one moment from the next: when it gives another object, ciphers are asked for anew, and a
                version that was disabled meanwhile reads no more.
        """
        start = layout.HEADER if self._deterministic else layout.HEADER + layout.NONCE
        deterministic, shortest = self._deterministic, self._shortest
        known: dict[bytes, Callable[[bytes, list[bytes]], bytes]] = {}
        seen: object = None

        def open_one(sealed: bytes) -> bytes:
            nonlocal seen
            now = moment()
            if now is not seen:
                known.clear()
                seen = now
            head = sealed[: layout.HEADER]
            decrypt = known.get(head)
            if decrypt is None or len(sealed) < shortest:
                plain = self.open(sealed, place)
                if sealed[0] == layout.MARKER:
                    known[head] = self._key.siv(self.usage, int.from_bytes(head[1:], "big")).decrypt
                return plain
            if deterministic:
                return decrypt(sealed[start:], [place])
            return decrypt(sealed[start:], [place, sealed[layout.HEADER : start]])

        return open_one

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

    def seal_many(self, plain: Plaintexts, places: Sequence[bytes | Ragged]) -> Ragged:
        """Seal many plaintexts; `places` names the place of all, or of each."""
        key_id = self.writing_id
        siv = self._key.siv(self.usage, key_id)
        nonces = None if self._deterministic else _Nonces()
        head = self._head + self._width
        offsets = np.arange(len(plain) + 1)
        offsets *= head + layout.SIV + layout.TAG
        offsets += plain.content.offsets
        offsets -= plain.content.offsets[0]
        out = Ragged(np.empty(int(offsets[-1]), np.uint8), offsets)
        # A batch at a time, while it is in the processor's cache: memory is taken for the output alone.
        for first, last in batches(out):
            part = plain.part(first, last)
            heads, strings = self._heads(key_id, part, nonces)
            associated = [*_parts(places, first, last), *strings]
            sealed = siv.encrypt_many(part.content, associated, room=head, marks=part.tags)
            write_heads(sealed, heads)
            out.data[offsets[first] : offsets[last]] = sealed.data
        return out

    def open_many(self, sealed: Ragged, places: Sequence[bytes | Ragged]) -> tuple[Plaintexts, NDArray[np.bool_]]:
        """Open rows, each under the version and in the form that it names.

        Returns:
            The plaintexts, and which rows failed: of those there is neither tag nor content.

        Raises:
            KeyUnavailable: If a version that sealed some of them is disabled or destroyed.
        """
        only = self._siv_of(only_form(sealed, deterministic=self._deterministic))
        if only is not None:
            return self._open_form(only, 0, sealed, places)
        found = forms(sealed, deterministic=self._deterministic)
        failed = np.ones(len(sealed), np.bool_)
        parts: list[tuple[NDArray[np.intp], Plaintexts]] = []
        for one in np.unique(found).tolist():
            rows = np.flatnonzero(found == one)
            siv = self._siv_of(one)
            if siv is None:
                parts.append((rows, Plaintexts.of([b""] * len(rows))))
                continue
            own = [place if isinstance(place, bytes) else place.take(rows) for place in places]
            plain, failed[rows] = self._open_form(siv, width_of(one), sealed.take(rows), own)
            parts.append((rows, plain))
        return Plaintexts.merge(len(sealed), parts), failed

    def outdated(self, sealed: Ragged) -> NDArray[np.bool_]:
        """Which rows `seal_many` would write under another version or in another form.

        Whether an index is still the value's is seen when the value is open: see `misplaced`.
        """
        return np.not_equal(forms(sealed, deterministic=self._deterministic), form(self.writing_id, self._width))

    def misplaced(self, sealed: Ragged, plain: Plaintexts) -> NDArray[np.bool_]:
        """Which rows, none of them outdated, have another index than `seal_many` would write.

        Args:
            sealed: Ciphertexts with an index of the present width.
            plain: What they hold.
        """
        indexes = self._indexes(plain)
        if indexes is None:
            return np.zeros(len(sealed), np.bool_)
        heads = read_heads(sealed, layout.INDEX_AT + self._index_size)
        return np.asarray((heads[:, layout.INDEX_AT :] != indexes).any(axis=1))

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
        index = self._index_in(sealed)
        body = layout.INDEX_AT + len(index)
        nonce = sealed[body : body + layout.NONCE]
        return siv.decrypt(sealed[body + layout.NONCE :], [place, index, nonce])

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
        _check_text(plain[0])
        index = self._index.of(plain[1:].decode()) if self._index is not None else b""
        return index.ljust(self._index_size, b"\x00")

    def _indexes(self, plain: Plaintexts) -> NDArray[np.uint8] | None:
        """The index of each plaintext, `(rows, index size)`."""
        if self._index is None:
            return None
        indexes = np.zeros((len(plain), self._index_size), np.uint8)
        _check_text(layout.BYTES_TAG if (plain.tags == layout.BYTES_TAG).any() else 0)
        if len(plain):
            indexes[:, : self._index.size] = self._index.of_many(plain.content)
        return indexes

    def _heads(self, key_id: int, plain: Plaintexts, nonces: _Nonces | None) -> tuple[NDArray[np.uint8], list[Ragged]]:
        """What stands before each SIV, and what of it is associated data."""
        heads = np.empty((len(plain), self._head + self._width), np.uint8)
        heads[:, : layout.HEADER] = np.frombuffer(layout.header(key_id), np.uint8)
        strings = []
        indexes = self._indexes(plain)
        if indexes is not None:
            heads[:, 0] = layout.INDEXED_MARKER
            heads[:, layout.HEADER] = self._index_size
            heads[:, layout.INDEX_AT : layout.INDEX_AT + self._index_size] = indexes
            strings.append(Ragged.of_matrix(indexes))
        if nonces is not None:
            drawn = nonces.draw(len(plain))
            heads[:, layout.HEADER + self._width :] = drawn
            strings.append(Ragged.of_matrix(drawn))
        return heads, strings

    def _strings_in(self, sealed: Ragged, width: int) -> list[Ragged]:
        """What of the head of each row is associated data; `width` is what the index and its length take."""
        strings = []
        if width:
            heads = read_heads(sealed, layout.HEADER + width)
            strings.append(Ragged.of_matrix(heads[:, layout.INDEX_AT :]))
        if not self._deterministic:
            nonces = windows(sealed.data, layout.NONCE)[sealed.offsets[:-1] + (layout.HEADER + width)].view(np.uint8)
            strings.append(Ragged.of_matrix(nonces.reshape(-1, layout.NONCE)))
        return strings

    def _siv_of(self, one: int) -> Siv | None:
        """The cipher of a form; none where it is no form, or the keyring has not its key."""
        if one == NO_FORM:
            return None
        try:
            return self._key.siv(self.usage, key_id_of(one))
        except KeyNotFound:
            return None

    def _open_form(
        self, siv: Siv, width: int, sealed: Ragged, places: Sequence[bytes | Ragged]
    ) -> tuple[Plaintexts, NDArray[np.bool_]]:
        """Open rows of one form; `width` is what the index and its length take."""
        head = self._head + width
        tags, failed = np.empty(len(sealed), np.uint8), np.empty(len(sealed), np.bool_)
        size = int(sealed.offsets[-1] - sealed.offsets[0]) - len(sealed) * (head + layout.SIV + layout.TAG)
        data, offsets, end = np.empty(size, np.uint8), np.zeros(len(sealed) + 1, np.int64), 0
        for first, last in batches(sealed):  # as in `seal_many`
            part = chunk(sealed, first, last)
            associated = [*_parts(places, first, last), *self._strings_in(part, width)]
            content, failed[first:last] = siv.decrypt_many(part, associated, room=head, marks=tags[first:last])
            data[end : end + len(content.data)] = content.data
            np.add(content.offsets[1:], end, out=offsets[first + 1 : last + 1])
            end += len(content.data)
        return Plaintexts(tags, Ragged(data[:end], offsets)), failed


class _Nonces:
    """Nonces of one call: a counter under a key that is drawn for it and thrown away after it.

    They are as unpredictable as AES-256 is, no two of a call are equal, and no state outlives the call that a fork
    could copy. Asking the system for each byte would take as long as the encryption.
    """

    __slots__ = ("_cipher", "_drawn")

    def __init__(self) -> None:
        self._cipher = BlockCipher(os.urandom(32))
        self._drawn = 0

    def draw(self, count: int) -> NDArray[np.uint8]:
        """Draw some more, `(count, 16)`."""
        counters = np.zeros((count, BLOCK // 8), np.uint64)
        counters[:, 0] = np.arange(self._drawn, self._drawn + count, dtype=np.uint64)
        self._drawn += count
        return self._cipher.encrypt(counters.view(np.uint8))


def _parts(places: Sequence[bytes | Ragged], first: int, last: int) -> list[bytes | Ragged]:
    """The places of consecutive rows."""
    return [place if isinstance(place, bytes) else chunk(place, first, last) for place in places]


def _check_text(tag: int) -> None:
    if tag == layout.BYTES_TAG:
        raise InvalidParameter("an index is of a value's text, and bytes have none; pass text, or leave out the index")
