"""pandas and Polars where pyarrow is not installed, and lists where nothing is."""

import subprocess
import sys
import textwrap
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
PREAMBLE = f"""
import sys
sys.path.insert(0, {str(SOURCE)!r})
sys.modules["pyarrow"] = None  # what an import finds where it is not installed
import datetime as dt
from decimal import Decimal
import numpy as np
from privkit._kernels.ragged import Ragged
from privkit.columns import Kind, lift
"""


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_pandas():
    out = run("""
        import pandas as pd
        rows = ["13812345678", None, "王小明"]
        for dtype in ("str", "string", object, "category"):
            column = pd.Series(rows, dtype=dtype, index=[5, 6, 7], name="n")
            lifted = lift(column)
            assert lifted.text().to_text() == ["13812345678", "王小明"]
            restored = lifted.restore_like(lifted.text())
            pd.testing.assert_series_equal(restored, column)
            print(restored.dtype, lifted.restore(Ragged.of([b"a", b"b"]), Kind.BYTES).tolist())
        for column in (pd.Series([1, None], dtype="Int64"), pd.Series([1.5, None]), pd.Series([1, 2]),
                       pd.Series([dt.datetime(2020, 1, 2), None])):
            lifted = lift(column)
            pd.testing.assert_series_equal(lifted.restore_like(lifted.text()), column)
            print(lifted.restore(lifted.text()).dtype, lifted.text().to_text())
    """)
    assert out == [
        "str [b'a', nan, b'b']",
        "string [b'a', <NA>, b'b']",
        "object [b'a', None, b'b']",
        "category [b'a', nan, b'b']",
        "string ['1']",
        "str ['1.5']",
        "str ['1', '2']",
        "str ['2020-01-02T00:00:00']",
    ]


def test_polars():
    run("""
        import polars as pl
        zone = dt.timezone.utc
        columns = [
            pl.Series("n", ["13812345678", None, "王小明"]),
            pl.Series("n", ["a", None, "b"], dtype=pl.Categorical),
            pl.Series("n", ["a", None, "b"], dtype=pl.Enum(["a", "b"])),
            pl.Series("n", [1, None], dtype=pl.Int16),
            pl.Series("n", [1.5, None, 2.0]),
            pl.Series("n", [True, None]),
            pl.Series("n", [Decimal("1.50"), None]),
            pl.Series("n", [dt.date(1990, 1, 2), None]),
            pl.Series("n", [dt.datetime(1990, 1, 2, 3, 4, 5, 6), None]),
            pl.Series("n", [1, None], dtype=pl.Int64).cast(pl.Datetime("ns")),
            pl.Series("n", [None, None], dtype=pl.String),
            pl.Series("n", [], dtype=pl.Date),
            pl.Series("n", [None]),
        ]
        for column in columns:
            lifted = lift(column)
            restored = lifted.restore_like(lifted.text())
            assert restored.dtype == column.dtype and restored.equals(column, null_equal=True), column.dtype
            assert restored.name == "n"
            text = lifted.restore(lifted.text())
            assert text.drop_nulls().cast(pl.String).to_list() == lifted.text().to_text()
            sealed = lifted.restore(Ragged.of([b"\\xff"] * len(lifted.values)), Kind.BYTES)
            assert lift(sealed).values.to_list() == [b"\\xff"] * len(lifted.values)
    """)


def test_nothing_is_imported_to_look():
    out = run("""
        from privkit.columns.tables import open_table
        lifted = lift(["a", None])
        lifted.restore(lifted.text())
        open_table([{"a": 1}]).rebuild({"a": [2]})
        print(sorted({"pandas", "polars"} & set(sys.modules)))
    """)
    assert out == ["[]"]
