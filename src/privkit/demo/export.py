"""The export: one row per order, as Arrow record batches or as a file.

>>> from privkit.demo import export
>>> batch = next(export.batches(1_000, seed=7))
>>> batch.num_rows, batch.schema == export.SCHEMA
(1000, True)
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from privkit.demo import customers, orders
from privkit.demo.dirty import spoilt
from privkit.demo.draw import Draws, with_nulls
from privkit.errors import InvalidParameter

NULL_SHARE = 0.01
"""The share of cells that are null, in every column but `order_id`."""

MAX_BATCH_ROWS = 1 << 20
"""The largest batch: the offsets of an Arrow string array are 32 bits."""

_OTHER_TYPES = {
    "order_time": pa.timestamp("ms"),
    "birth_date": pa.date32(),
    "amount": pa.decimal128(12, 2),
    "stay_seconds": pa.int32(),
}
_ORDER_COLUMNS = (
    "order_id", "order_time", "amount", "payment_method", "courier", "tracking_number", "review", "ip_address",
    "stay_seconds", "search_words",
)  # fmt: skip
_COLUMNS = (
    "order_id", "order_time", "customer_name", "gender", "birth_date", "ethnicity", "mobile", "email", "landline",
    "province", "city", "county", "address_detail", "postcode", "user_name", "password", "resident_id", "bank_card",
    "amount", "payment_method", "courier", "tracking_number", "review", "ip_address", "imei", "oaid", "device_model",
    "stay_seconds", "search_words", "health_note", "religion", "face_template",
)  # fmt: skip

SCHEMA = pa.schema([(name, _OTHER_TYPES.get(name, pa.string())) for name in _COLUMNS])
"""Names and types of the export's columns, in order."""


def batches(rows: int, *, seed: int = 0, dirty: float = 0.0, batch_rows: int = 65_536) -> Iterator[pa.RecordBatch]:
    """Generate the export, a batch at a time.

    The same rows, seed and dirt give the same export, however it is cut into batches (while Faker's word lists stay
    the same). About 1 % of the cells are null in every column but `order_id`; `health_note` and `religion` say nothing
    of most people.

    Args:
        rows: How many orders; `0` gives one empty batch.
        seed: Another seed gives other customers and orders.
        dirty: The share of cells, in columns with a checkable form, that get a malformed value.
        batch_rows: Rows in a batch, at most; the last one has the rest.

    Yields:
        Record batches of `SCHEMA`.

    Raises:
        InvalidParameter: Rows are negative, a batch has none or more than `MAX_BATCH_ROWS`, or the share is not
            between 0 and 1.
    """
    if rows < 0 or not 1 <= batch_rows <= MAX_BATCH_ROWS:
        raise InvalidParameter(f"cannot generate {rows} rows in batches of {batch_rows} (of 1 to {MAX_BATCH_ROWS})")
    if not 0 <= dirty <= 1:
        raise InvalidParameter(f"dirty is a share between 0 and 1 (got {dirty})")
    return _batches(rows, seed, dirty, batch_rows)


def _batches(rows: int, seed: int, dirty: float, batch_rows: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, max(rows, 1), batch_rows):
        numbers = np.arange(start, min(start + batch_rows, rows), dtype=np.uint64)
        yield _batch(numbers, rows, seed, dirty)


def _batch(numbers: NDArray[np.uint64], rows: int, seed: int, dirty: float) -> pa.RecordBatch:
    order_draws = Draws(seed, numbers)
    customer_draws = Draws(seed, orders.customer_numbers(order_draws, rows))
    arrays = customers.columns(customer_draws) | orders.columns(order_draws, numbers, rows)
    for name in SCHEMA.names[1:]:
        draws = order_draws if name in _ORDER_COLUMNS else customer_draws
        arrays[name] = with_nulls(arrays[name], draws.chance(f"null {name}", NULL_SHARE))
    if dirty:
        arrays |= spoilt(arrays, order_draws, dirty)
    return pa.record_batch([arrays[name] for name in SCHEMA.names], schema=SCHEMA)


class _Writer(Protocol):
    def write_batch(self, batch: pa.RecordBatch) -> None: ...


def write(
    path: str | Path,
    rows: int,
    *,
    seed: int = 0,
    dirty: float = 0.0,
    batch_rows: int = 65_536,
    progress: Callable[[int], object] | None = None,
) -> None:
    """Write the export into a Parquet or CSV file, by the path's ending.

    In CSV a null is an empty cell and an empty text is `""`. The file is written beside the target and renamed at the
    end; a target that exists is replaced.

    Args:
        path: Ends in `.parquet` or `.csv`.
        rows: How many orders.
        seed: As for `batches`.
        dirty: As for `batches`.
        batch_rows: As for `batches`; in Parquet also the size of a row group.
        progress: Called with the rows written so far, after each batch.

    Raises:
        InvalidParameter: The path ends otherwise, or a number is out of range.
    """
    target = Path(path)
    if target.suffix not in _FORMATS:
        raise InvalidParameter(f"cannot write a {target.suffix or 'file without an ending'}: use .parquet or .csv")
    source = batches(rows, seed=seed, dirty=dirty, batch_rows=batch_rows)
    opened, schema = _FORMATS[target.suffix]
    partial = target.with_name(f".{target.name}.partial")
    try:
        with opened(partial) as writer:
            done = 0
            for batch in source:
                writer.write_batch(batch.cast(schema))
                done += batch.num_rows
                if progress is not None:
                    progress(done)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _open_parquet(path: Path) -> contextlib.AbstractContextManager[_Writer]:
    writer: contextlib.AbstractContextManager[_Writer] = pq.ParquetWriter(path, SCHEMA, compression="zstd")
    return writer


def _open_csv(path: Path) -> contextlib.AbstractContextManager[_Writer]:
    options = pa_csv.WriteOptions(batch_size=8_192)
    writer: contextlib.AbstractContextManager[_Writer] = pa_csv.CSVWriter(path, _CSV_SCHEMA, write_options=options)
    return writer


# Text shows whole seconds, as an export does; Parquet has no type for them, but for milliseconds.
_CSV_SCHEMA = SCHEMA.set(SCHEMA.get_field_index("order_time"), pa.field("order_time", pa.timestamp("s")))
_FORMATS = {".parquet": (_open_parquet, SCHEMA), ".csv": (_open_csv, _CSV_SCHEMA)}
