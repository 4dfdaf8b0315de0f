"""The memory that the lowlevel door takes beside input and output, by container and number of rows.

    python benchmarks/kernel_memory.py [--rows 1000000 5000000] [--only FF1]

Each line is a process of its own. "Allocated" is what Python, NumPy and Arrow have at most, less the input and the
output; Polars counts its own memory nowhere. "Process" is the most that the process has in memory, less what it had
before and the output; freed memory that an allocator keeps counts there. Linux alone tells it.
"""

import argparse
import gc
import itertools
import multiprocessing
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from privkit.lowlevel import FF1, AesSiv, Cmac, IntegerPermutation

KEY = bytes(range(32))
MOST = 64
DIGITS = 16
CHUNK_ROWS = 100_000
FEW = 1000

POOL = pa.proxy_memory_pool(pa.default_memory_pool())
"""Counts what Arrow allocates; it must live as long as anything that was taken from it."""


def digits(rows: int) -> pa.Array:
    """Texts of 16 digits."""
    data = np.random.default_rng(1).integers(ord("0"), ord("9") + 1, rows * DIGITS, np.uint8)
    offsets = np.arange(0, rows * DIGITS + 1, DIGITS, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def octets(rows: int) -> pa.Array:
    """Values of 11 to 40 bytes, as long as e-mail addresses are."""
    rng = np.random.default_rng(2)
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(rng.integers(11, 41, rows), out=offsets[1:])
    data = rng.integers(0, 256, int(offsets[-1]), np.uint8)
    return pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def few(array: pa.Array) -> pa.Array:
    """As many rows, in which a thousand of the values repeat."""
    return array.take(pa.array(np.random.default_rng(4).integers(0, FEW, len(array))))


def numbers(rows: int) -> pa.Array:
    """Integers below 10^12."""
    return pa.array(np.random.default_rng(3).integers(0, MOST_NUMBER, rows, np.int64))


def view(array: pa.Array) -> pa.Array:
    """The same rows as views."""
    return array.cast(pa.string_view() if array.type == pa.string() else pa.binary_view())


def turned(array: pa.Array) -> pa.Array:
    """A dictionary whose values are in another order than the rows have them, with nulls between the rows."""
    encoded = array.dictionary_encode()
    values = encoded.dictionary.take(pa.array(np.arange(len(encoded.dictionary) - 1, -1, -1)))
    codes = len(values) - 1 - encoded.indices.to_numpy(zero_copy_only=False)
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32(), mask=np.arange(len(array)) % 7 == 0), values)


def in_chunks(array: pa.Array) -> pa.ChunkedArray:
    """Chunks with a dictionary each."""
    bounds = itertools.pairwise([*range(0, len(array), CHUNK_ROWS), len(array)])
    return pa.chunked_array([array.slice(first, last - first).dictionary_encode() for first, last in bounds])


def with_gaps(array: np.ndarray) -> np.ndarray:
    """The same rows, each before another one."""
    return np.repeat(array, 2)[::2]


CONTAINERS: dict[str, Callable[[pa.Array], object]] = {
    "Arrow": lambda array: array,
    "Arrow chunks": lambda array: pa.chunked_array(
        [array.slice(first, CHUNK_ROWS) for first in range(0, len(array), CHUNK_ROWS)]
    ),
    "pandas": lambda array: pd.Series(array, dtype="str" if array.type == pa.string() else pd.ArrowDtype(array.type)),
    "pandas objects": lambda array: pd.Series(array.to_pylist(), dtype=object),
    "Polars": pl.Series,
    "list": lambda array: array.to_pylist(),
    "NumPy objects, with gaps": lambda array: with_gaps(array.to_numpy(zero_copy_only=False)),
    "NumPy fixed width, with gaps": lambda array: with_gaps(array.to_numpy(zero_copy_only=False).astype("S")),
    "NumPy text, with gaps": lambda array: with_gaps(array.to_numpy(zero_copy_only=False).astype("U")),
    "Arrow view": view,
    "Arrow view, chunks": lambda array: pa.chunked_array(
        [view(array.slice(first, CHUNK_ROWS)) for first in range(0, len(array), CHUNK_ROWS)]
    ),
    "Arrow dictionary": lambda array: array.dictionary_encode(),
    "Arrow dictionary, turned": turned,
    "Arrow dictionary, few": lambda array: few(array).dictionary_encode(),
    "Arrow dictionary, few, turned": lambda array: turned(few(array)),
    "Arrow dictionary, few, chunks": lambda array: in_chunks(few(array)),
    "pandas dictionary, few": lambda array: pd.Series(
        few(array).dictionary_encode(), dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), array.type))
    ),
    "pandas string[python]": lambda array: pd.Series(array.to_pylist(), dtype="string[python]"),
    "pandas category": lambda array: pd.Series(array.to_pylist(), dtype="category"),
    "pandas category, few": lambda array: pd.Series(few(array).to_pylist(), dtype="category"),
    "Polars category, few": lambda array: pl.Series(few(array)).cast(pl.Categorical),
    "Polars enumeration, few": lambda array: pl.Series(few(array)).cast(pl.Enum(few(array).unique())),
}
OF_NUMBERS: dict[str, Callable[[pa.Array], object]] = {
    "NumPy": lambda array: array.to_numpy(),
    "Arrow": lambda array: array,
    "Arrow dictionary, few": lambda array: few(array).dictionary_encode(),
    "pandas": lambda array: pd.Series(array.to_numpy()),
    "pandas Int64": lambda array: pd.Series(array.to_numpy()).astype("Int64"),
    "pandas category, few": lambda array: pd.Series(few(array).to_numpy()).astype("category"),
    "Polars": pl.Series,
}
ONLY_TEXT = {"NumPy text, with gaps", "pandas string[python]", "Polars category, few", "Polars enumeration, few"}
TWEAK = "FF1, a tweak a row"
DECRYPT = "AES-SIV decrypt"
NUMBERS = "integers"
MOST_NUMBER = 10**12
FIELD = [b"customer.email"]
TEXT_WORKS: dict[str, Callable[..., object]] = {
    "FF1": FF1(KEY, "0123456789").encrypt_many,
    "FF1 decrypt": FF1(KEY, "0123456789").decrypt_many,
    TWEAK: FF1(KEY, "0123456789").encrypt_many,
}
BYTE_WORKS: dict[str, Callable[..., object]] = {
    "AES-SIV encrypt": lambda column: AesSiv(KEY).encrypt_many(column, FIELD),
    DECRYPT: lambda column: AesSiv(KEY).decrypt_many(column, FIELD),
    "CMAC": Cmac(KEY).digest_many,
}


def work_on(name: str, container: str, rows: int) -> Callable[[], object]:
    """The work of one line, with its input made."""
    if name == NUMBERS:
        whole = OF_NUMBERS[container](numbers(rows))
        return lambda: IntegerPermutation(KEY, MOST_NUMBER).encrypt_many(whole)
    array = digits(rows) if name in TEXT_WORKS else octets(rows)
    if name == DECRYPT:
        array = AesSiv(KEY).encrypt_many(array, FIELD)
    column, beside = CONTAINERS[container](array), [array.cast(pa.binary())] if name == TWEAK else []
    work = (TEXT_WORKS | BYTE_WORKS)[name]
    return lambda: work(column, *beside)


def of_process(field: str) -> int:
    """A size of this process in bytes, as Linux has it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def in_process(work: Callable[[], object]) -> int:
    """By how much the process grows at most."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the highest so far
    before = of_process("VmRSS:")
    work()
    return of_process("VmHWM:") - before


def in_polars(series: pl.Series) -> int:
    """The bytes of text or bytes with what points at them, which `estimated_size` leaves out."""
    return sum(part.to_arrow(compat_level=pl.CompatLevel.newest()).nbytes for part in series.get_chunks())


def allocated(work: Callable[[], object]) -> tuple[int, int]:
    """What is allocated at most beside the output, and the output."""
    pool = POOL
    pa.set_memory_pool(pool)
    tracemalloc.start()
    result = work()
    output = in_polars(result) if isinstance(result, pl.Series) else 0
    now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    beside = most - now + pool.max_memory() - pool.bytes_allocated()
    return beside, output or now + pool.bytes_allocated()


def measure(name: str, container: str, rows: int) -> tuple[float, float]:
    """Both figures of one line, in MB (10**6 bytes)."""
    work = work_on(name, container, rows)
    grown = in_process(work) if sys.platform == "linux" else 0
    beside, output = allocated(work)
    return beside / 1e6, (grown - output) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000])
    parser.add_argument("--only", default="", help="how the names of the lines begin")
    options = parser.parse_args()
    lines = [(name, container) for name in TEXT_WORKS for container in CONTAINERS]
    lines += [(name, container) for name in BYTE_WORKS for container in CONTAINERS if container not in ONLY_TEXT]
    lines += [(NUMBERS, container) for container in OF_NUMBERS]
    print(f"MB beside input and output, allocated (process); at most {MOST} wanted")
    print(f"{'':<36}" + "".join(f"{rows:>20,}" for rows in options.rows))
    for name, container in lines:
        if not f"{name}, {container}".startswith(options.only):
            continue
        figures = []
        for rows in options.rows:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                beside, grown = pool.apply(measure, (name, container, rows))
            figures.append(f"{f'{beside:.0f} ({grown:.0f})':>20}")
        print(f"{f'{name}, {container}':<36}" + "".join(figures), flush=True)


if __name__ == "__main__":
    main()
