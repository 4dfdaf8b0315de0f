"""Which kind of file a name stands for, by its ending."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from privkit.errors import TableError
from privkit.policy.files.csv_sink import CsvSink
from privkit.policy.files.csv_source import CsvSource
from privkit.policy.files.landing import Landing
from privkit.policy.files.parquet import ParquetSink, ParquetSource

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from privkit.policy.files.base import Sink, Source

_CSV: Final[Mapping[str, Mapping[str, Any]]] = {
    ".csv": {"delimiter": ","},
    ".tsv": {"delimiter": "\t"},
    ".csv.gz": {"delimiter": ",", "packed": True},
    ".tsv.gz": {"delimiter": "\t", "packed": True},
}
_PARQUET: Final = ".parquet"
ENDINGS: Final = (*_CSV, _PARQUET)
"""The endings of the files that can be read and written, whatever their case."""


def open_source(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> Source:
    r"""Open a file for reading, by its ending.

    Args:
        path: A `.csv`, `.tsv` (also `.gz`) or `.parquet` file.
        encoding: The text encoding of a CSV file; a byte order mark is recognised in UTF-8 and UTF-16.

    Raises:
        TableError: If the ending is another, or the file is not what its ending says.
        InvalidParameter: If there is no such encoding.
        OSError: If there is no such file, or no leave to read it.

    Example:
        >>> path = directory / "orders.csv"
        >>> _ = path.write_text('order,note\n007,\n008,""\n')
        >>> with open_source(path) as source:
        ...     [batch.to_pylist() for batch in source.batches(source.names)]
        [[{'order': '007', 'note': None}, {'order': '008', 'note': ''}]]
    """
    place = Path(path)
    ending = _ending(place)
    if not place.exists():
        raise FileNotFoundError(f"there is no file {path}")
    return ParquetSource(place) if ending == _PARQUET else CsvSource(place, encoding=encoding, **_CSV[ending])


def open_sink(
    path: str | os.PathLike[str],
    *,
    like: Source | None = None,
    force: bool = False,
    encoding: str = "utf-8",
    apart_from: Iterable[str | os.PathLike[str]] = (),
) -> Sink:
    """Prepare a file for writing, by its ending. Nothing is written before `Sink.start`.

    Args:
        path: A `.csv`, `.tsv` (also `.gz`) or `.parquet` file.
        like: The source that the rows come from: a Parquet file is compressed like it, and it is never overwritten.
        force: Whether a file that is there already may be replaced.
        encoding: The text encoding of a CSV file.
        apart_from: Other files that must not be overwritten, such as the keyring.

    Raises:
        TableError: If the ending is another, the file exists already, or is one that must not be overwritten.
        InvalidParameter: If there is no such encoding.
        OSError: If its folder does not exist.
    """
    ending = _ending(Path(path))
    spared = ([like.path] if like else []) + [Path(other) for other in apart_from]
    landing = Landing(path, force=force, apart_from=tuple(spared))
    if ending == _PARQUET:
        return ParquetSink(landing, codecs=like.codecs if isinstance(like, ParquetSource) else None)
    return CsvSink(landing, encoding=encoding, **_CSV[ending])


def _ending(path: Path) -> str:
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
    name = path.name.lower()
    for ending in ENDINGS:
        if name.endswith(ending):
            return ending
    raise TableError(f"{path.name}: unknown file ending; files end in {', '.join(ENDINGS)}")
