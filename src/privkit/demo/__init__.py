"""A seeded, realistic export of a Chinese online shop, to show and to measure privkit with. Everyone in it is made up.

The columns cover what the e-commerce norm names: identity, contact, account, transaction, behaviour, device, biometric
and other sensitive data. `batches` yields the export as Arrow record batches, `write` puts it into a file.
"""

from importlib import import_module

from privkit.errors import MissingExtra

try:
    # Only looked for: here, so that the whole package has one error, which names the extra.
    import_module("faker")
    import_module("pyarrow")
except ImportError as missing:
    raise MissingExtra("the demo export", extra="demo") from missing

from privkit.demo.export import SCHEMA, batches, write

__all__ = ["SCHEMA", "batches", "write"]
