"""Standard algorithms on raw keys: the sharp edge.

Nothing here makes, stores, derives or rotates keys, and nothing binds a ciphertext to a field: who uses this answers
for all of that. Prefer the transforms, which do.

The `*_many` methods take a list or tuple, a NumPy, Arrow, pandas or Polars column and return the same kind; nulls stay
null.
"""

from privkit.lowlevel.cmac import Cmac
from privkit.lowlevel.ff1 import FF1
from privkit.lowlevel.integers import IntegerPermutation, PrefixPermutation
from privkit.lowlevel.siv import AesSiv

__all__ = ["FF1", "AesSiv", "Cmac", "IntegerPermutation", "PrefixPermutation"]
