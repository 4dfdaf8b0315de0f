"""The types of the columns of a file that is written, and marks by which revealing gives back those that they had."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Final

from privkit.errors import TableError

_TYPE: Final = b"privkit.type"
"""In the metadata of a Parquet column: the Arrow type that it had, as an IPC schema in base64."""


def marked(result: Any, source: Any) -> Any:  # noqa: ANN401 - pyarrow Fields
    """A column that comes out, with the type that it had, so that revealing gives back that very type.

    Encrypted values know what kind of value they are, but not the width or scale that their column had.
    """
    import pyarrow as pa  # noqa: PLC0415 - an extra, and there once there is a source

    if result.type.equals(source.type):
        return result
    return result.with_metadata({_TYPE: b64encode(pa.schema([pa.field("", source.type)]).serialize().to_pybytes())})


def unmarked(result: Any, source: Any) -> Any:  # noqa: ANN401 - pyarrow Fields
    """A column that is revealed, in the type that its mark names, where it has one."""
    import pyarrow as pa  # noqa: PLC0415 - an extra, and there once there is a source

    mark = (source.metadata or {}).get(_TYPE)
    if mark is None:
        return result
    try:
        return result.with_type(pa.ipc.read_schema(pa.py_buffer(b64decode(mark, validate=True))).field(0).type)
    except (ValueError, OSError, pa.ArrowException):
        raise TableError(f"column {source.name!r}: the mark of its type is damaged; protect the file again") from None


def texts(schema: Any) -> set[str]:  # noqa: ANN401 - a pyarrow Schema
    """The columns that are written as text: what is revealed there is the canonical text of whatever it was."""
    import pyarrow as pa  # noqa: PLC0415 - an extra, and there once there is a source

    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return {field.name for field in schema if any(test(field.type) for test in tests)}


def of_schema(batch: Any, schema: Any) -> Any:  # noqa: ANN401 - a pyarrow RecordBatch and Schema
    """A batch in the types that the file began with: a transform may choose wider ones for a batch of long values."""
    if batch.schema.equals(schema):
        return batch
    try:
        return batch.cast(schema)
    except (ValueError, NotImplementedError, KeyError):
        raise TableError(
            "a batch has come out with other types than the file began with; where it was revealed, its columns were "
            "encrypted from values of several types"
        ) from None
