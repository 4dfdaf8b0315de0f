"""CSV and Parquet files as streams of record batches, in bounded memory: in by `open_source`, out by `open_sink`."""

from privkit.errors import MissingExtra

try:
    import pyarrow as pa  # noqa: F401 - only looked for: one error for the whole package, which names the extra
except ImportError as missing:
    raise MissingExtra("reading and writing files", extra="cli") from missing

from privkit.policy.files.base import BATCH_ROWS, Sink, Source
from privkit.policy.files.endings import ENDINGS, open_sink, open_source

__all__ = ["BATCH_ROWS", "ENDINGS", "Sink", "Source", "open_sink", "open_source"]
