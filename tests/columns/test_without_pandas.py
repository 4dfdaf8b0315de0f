"""Arrow goes in and out without an import of pandas, which takes longer than most calls."""

import datetime as dt
import subprocess
import sys

import pyarrow as pa

CODE = """
import sys
import numpy as np
import pyarrow as pa
from privkit.anonymity import Anonymiser
from privkit.columns import lift
from privkit.columns.tables import open_table

table = pa.ipc.open_stream(sys.stdin.buffer).read_all()
for name in table.column_names:
    column = table[name]
    lifted = lift(column)
    back = lifted.restore_like(lifted.text())
    back.validate(full=True)
    assert back.equals(column) or (name == "coded" and back.cast(pa.string()).equals(column.cast(pa.string()))), name
plan = Anonymiser(["age", "city"], k=60, recoding="full_domain", suppression=0.1).fit(table)
assert plan.apply(table).num_rows == plan.report.records - plan.report.suppressed
opened = open_table(table)
assert opened.take(np.array([2, 0]))["age"].to_pylist() == [35, 31]
assert opened.take(np.arange(300) < 1).num_rows == 1
print("pandas" in sys.modules)
"""


def test_arrow_needs_no_pandas():
    day, moment = dt.date(1990, 1, 2), dt.datetime(1990, 1, 2, 3, 4, 5)
    of_three = {
        "tiny": pa.array([1, None, -3], pa.int8()),
        "huge": pa.array([1, None, 1 << 63], pa.uint64()),
        "small": pa.array([1.5, None, -0.0], pa.float32()),
        "truth": pa.array([True, None, False]),
        "day": pa.array([day, None, day], pa.date32()),
        "wide_day": pa.array([day, None, day], pa.date64()),
        "moment": pa.array([moment, None, moment], pa.timestamp("ms")),
        "zoned": pa.array([moment, None, moment], pa.timestamp("us", "UTC")),
        "coded": pa.array(["hz", None, "sh"]).dictionary_encode(),
        "city": pa.array(["hz", "sh", None]),
    }
    columns = {name: pa.concat_arrays([column] * 100) for name, column in of_three.items()}
    table = pa.table({**columns, "age": [31, 34, 35, 52, 58, 59] * 50})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    done = subprocess.run(
        [sys.executable, "-c", CODE], input=sink.getvalue().to_pybytes(), capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"False\n"), done.stderr.decode()
