"""The bytes of a text file as UTF-8, whatever its encoding: what the CSV parser reads from."""

from __future__ import annotations

import codecs
import gzip
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from privkit.errors import InvalidParameter, TableError

if TYPE_CHECKING:
    from pathlib import Path

_UTF8: Final = frozenset({"utf-8", "utf-8-sig"})
_BOM: Final = codecs.BOM_UTF8
_LINE_ENDS: Final = b"\r\n"
_STEP: Final = 1 << 20
_SNIFFED: Final = 1 << 12


def text_encoding(name: str) -> str:
    """The canonical name of a text encoding.

    Raises:
        InvalidParameter: If there is no such encoding.
    """
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        raise InvalidParameter(f"there is no text encoding {name!r}; try utf-8, gb18030 or utf-16") from None


class Utf8Bytes:
    """A text file, read as UTF-8 bytes without byte order mark and without empty lines at its beginning.

    Where the file is UTF-8 already its bytes pass unchecked; the parser checks the cells that are used.

    Args:
        path: The file.
        encoding: Its canonical encoding.
        packed: Whether it is compressed by gzip.
        last: What to append at the end, after a line end of its own.
    """

    def __init__(self, path: Path, encoding: str, *, packed: bool, last: bytes = b"") -> None:
        self._raw = path.open("rb")
        self._file: BinaryIO = cast("BinaryIO", gzip.GzipFile(fileobj=self._raw)) if packed else self._raw
        self._decoder = None if encoding in _UTF8 else codecs.getincrementaldecoder(encoding)()
        self._encoding = encoding
        self._size = max(path.stat().st_size, 1)
        self._path = path
        self._last = last
        self._lines = 1
        self._ready = self._final = b""
        self._started = self._ended = self.closed = False

    def fraction(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return 1.0 if self.closed else min(self._raw.tell() / self._size, 1.0)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, `size` at most; none at the end."""
        parts, held = [self._ready], len(self._ready)
        while not self._ended and (size < 0 or held < size):
            parts.append(self._next(max(size - held, _SNIFFED) if size > 0 else _STEP))
            held += len(parts[-1])
        data = b"".join(parts)
        cut = len(data) if size < 0 else size
        self._ready = data[cut:]
        return data[:cut]

    def end(self) -> None:
        """Let it be at its end, wherever it is."""
        self._ended, self._ready = True, b""

    def close(self) -> None:
        """Let go of the file."""
        self.closed = True
        self._file.close()
        self._raw.close()

    def readable(self) -> bool:
        """It is."""
        return True

    def writable(self) -> bool:
        """It is not."""
        return False

    def seekable(self) -> bool:
        """It is not."""
        return False

    def _next(self, size: int) -> bytes:
        """Some bytes from the file, perhaps none; `_ended` says when there are no more."""
        raw = self._unpacked(size)
        data = raw if self._decoder is None else self._decoded(raw)
        if not self._started:
            data = self._beginning(data)
        if data:
            self._final = data[-1:]
        if not raw:
            self._ended = True
            if self._last:
                gap = b"" if self._final in (b"\n", b"\r") else b"\n"
                return data + gap + self._last
        return data

    def _unpacked(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise TableError(f"{self._path} is not a whole gzip file") from None

    def _decoded(self, raw: bytes) -> bytes:
        decoder = cast("codecs.IncrementalDecoder", self._decoder)
        try:
            text = decoder.decode(raw, not raw)
        except UnicodeDecodeError as error:
            before = error.object[: error.start].count(b"\n")
            raise not_encoded(self._encoding, f"line {self._lines + before}") from None
        self._lines += text.count("\n")
        return text.encode("utf-8", "surrogatepass")

    def _beginning(self, data: bytes) -> bytes:
        if b"\0" in data[:_SNIFFED] or data[:4] == b"PAR1":
            raise TableError(f"{self._path} is not a CSV file in {self._encoding}: it holds binary data")
        data = data.removeprefix(_BOM).lstrip(_LINE_ENDS)
        self._started = bool(data)
        return data


def not_encoded(encoding: str, where: str) -> TableError:
    """The error for bytes that are no text."""
    remedy = (
        "name the file's encoding, as in --encoding gb18030"
        if encoding in _UTF8
        else "is it utf-8? leave --encoding away, or name the file's own"
    )
    return TableError(f"{where}: bytes that are not {encoding}; {remedy}")
