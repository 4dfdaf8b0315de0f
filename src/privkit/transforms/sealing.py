"""Plaintexts to ciphertexts and back, a column at a time, each under the key version that it names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.blocks import BLOCK, BlockCipher
from privkit._kernels.heads import read_heads, write_heads
from privkit._kernels.ragged import Ragged, windows
from privkit._kernels.slabs import batches, chunk
from privkit.transforms import ciphertext as layout
from privkit.transforms.forms import NO_FORM, form, forms, key_id_of, only_form, width_of
from privkit.transforms.plaintexts import Plaintexts
from privkit.transforms.sealing_values import ValueSealer, check_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from privkit._kernels.siv import Siv


class Sealer(ValueSealer):
    """Seals plaintexts (tag and content) for a field, and opens them: single ones, and columns of them."""

    __slots__ = ()

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
        only = self._siv_of_form(only_form(sealed, deterministic=self._deterministic))
        if only is not None:
            return self._open_form(only, 0, sealed, places)
        found = forms(sealed, deterministic=self._deterministic)
        failed = np.ones(len(sealed), np.bool_)
        parts: list[tuple[NDArray[np.intp], Plaintexts]] = []
        for one in np.unique(found).tolist():
            rows = np.flatnonzero(found == one)
            siv = self._siv_of_form(one)
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

    def _indexes(self, plain: Plaintexts) -> NDArray[np.uint8] | None:
        """The index of each plaintext, `(rows, index size)`."""
        if self._index is None:
            return None
        indexes = np.zeros((len(plain), self._index_size), np.uint8)
        check_text(layout.BYTES_TAG if (plain.tags == layout.BYTES_TAG).any() else 0)
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

    def _siv_of_form(self, one: int) -> Siv | None:
        """The cipher of a form; none where it is no form, or the keyring has not its key."""
        return None if one == NO_FORM else self._siv_of(key_id_of(one))

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
