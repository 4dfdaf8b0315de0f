"""IntegerPermutation and PrefixPermutation of `privkit.lowlevel`: values, columns of every kind, what they refuse."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from privkit._kernels import integers, prefix
from privkit._kernels.blocks import BlockCipher
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue, WrongType
from privkit.lowlevel import IntegerPermutation, PrefixPermutation

KEY = bytes(range(32))
SIZE = 10**9
VALUES = [*range(30), None, SIZE - 1, 123_456_789]
PERMUTATIONS = {"FF1": IntegerPermutation(KEY, SIZE), "prefix": PrefixPermutation(KEY, 1000)}
CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "Arrow": lambda rows: pa.array(rows, pa.int64()),
    "Arrow, 32 bits": lambda rows: pa.array(rows, pa.int32()),
    "pandas": lambda rows: pd.Series(rows, dtype="Int64"),
    "Polars": lambda rows: pl.Series(rows, dtype=pl.UInt32),
}


def rows_of(container):
    rows = container.to_pylist() if isinstance(container, pa.Array) else list(container)
    return [None if row is pd.NA else row for row in rows]


def kernel(name):
    size = PERMUTATIONS[name]._permutation.size
    return (integers.IntegerPermutation if name == "FF1" else prefix.PrefixPermutation)(BlockCipher(KEY), size)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", PERMUTATIONS)
def test_every_container_holds_what_single_values_become(name, container):
    permutation, size = PERMUTATIONS[name], kernel(name).size
    rows = [None if row is None else row % size for row in VALUES]
    column = CONTAINERS[container](rows)
    moved = permutation.encrypt_many(column, b"orders")
    assert type(moved) is type(column)
    assert getattr(moved, "type", getattr(moved, "dtype", None)) == getattr(
        column, "type", getattr(column, "dtype", None)
    )
    expected = [None if row is None else permutation.encrypt(row, b"orders") for row in rows]
    assert rows_of(moved) == expected == [None if row is None else kernel(name).encrypt(row, b"orders") for row in rows]
    assert rows_of(permutation.decrypt_many(moved, b"orders")) == rows
    assert [permutation.decrypt(row, b"orders") for row in expected if row is not None] == [
        r for r in rows if r is not None
    ]


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.int32])
def test_arrays_keep_their_type(dtype):
    values = np.arange(0, SIZE, SIZE // 50, dtype=dtype)
    moved = PERMUTATIONS["FF1"].encrypt_many(values)
    assert moved.dtype == dtype
    assert moved.tolist() == [PERMUTATIONS["FF1"].encrypt(value) for value in values.tolist()]


@pytest.mark.parametrize("name", PERMUTATIONS)
@pytest.mark.parametrize("empty", [[], (), np.array([], np.int64), pa.array([], pa.int64()), [None, None]], ids=str)
def test_columns_without_values_stay_as_they_are(name, empty):
    moved = PERMUTATIONS[name].encrypt_many(empty)
    assert type(moved) is type(empty)
    assert list(moved) == list(empty)


def test_a_tweak_for_each_row_of_any_lengths():
    rows, tweaks = [*range(100), None], [b"x" * (row % 3) for row in range(100)] + [None]
    moved = PERMUTATIONS["FF1"].encrypt_many(rows, tweaks)
    assert moved[:-1] == [
        PERMUTATIONS["FF1"].encrypt(row, tweak) for row, tweak in zip(rows[:-1], tweaks[:-1], strict=True)
    ]
    assert PERMUTATIONS["FF1"].decrypt_many(moved, tweaks) == rows


def test_the_largest_columns():
    permutation = IntegerPermutation(KEY, 2**64)
    values = np.array([0, 1, 2**63, 2**64 - 1], np.uint64)
    moved = permutation.encrypt_many(values)
    assert permutation.decrypt_many(moved).tolist() == values.tolist()
    beyond = IntegerPermutation(KEY, 2**64 + 1)
    assert beyond.decrypt(beyond.encrypt(2**64)) == 2**64
    most = IntegerPermutation(KEY, 2**16384)
    assert most.decrypt(most.encrypt(2**16384 - 1)) == 2**16384 - 1
    with pytest.raises(InvalidParameter, match="at most 16384"):
        IntegerPermutation(KEY, 2**16384 + 1)
    with pytest.raises(InvalidParameter, match="one by one"):
        beyond.encrypt_many(values)


@pytest.mark.parametrize("name", PERMUTATIONS)
def test_what_is_outside_is_named_by_its_row(name):
    permutation, size = PERMUTATIONS[name], kernel(name).size
    with pytest.raises(InvalidValue) as caught:
        permutation.encrypt_many([1, None, size, 2, -1])
    assert caught.value.rows == (2, 4)
    with pytest.raises(InvalidValue):
        permutation.encrypt(size)


def test_what_is_outside_is_named_by_its_row_where_each_has_a_tweak():
    rows = [*range(100), None, SIZE, 5, -1]
    tweaks = [b"x" * (row % 3) for row in range(len(rows))]
    for column in (rows, pa.array(rows, pa.int64())):
        with pytest.raises(InvalidValue) as caught:
            PERMUTATIONS["FF1"].encrypt_many(column, tweaks)
        assert caught.value.rows == (101, 103)


@pytest.mark.parametrize(
    "column",
    [np.arange(100, dtype=np.int16), pa.array([None, 1, 2], pa.int8()), pd.Series([None, 1], dtype="Int8")],
    ids=["NumPy", "Arrow", "pandas"],
)
def test_what_does_not_fit_the_type_is_refused(column):
    with pytest.raises(InvalidValue, match="take a type that holds all") as caught:
        PERMUTATIONS["FF1"].encrypt_many(column)
    assert 1 in caught.value.rows
    assert caught.value.count >= len(column) - 10


@pytest.mark.parametrize(
    "make",
    [
        lambda: IntegerPermutation("key", SIZE),
        lambda: IntegerPermutation(KEY, 1e9),
        lambda: PrefixPermutation(KEY, True),  # noqa: FBT003 - a size of the wrong type
        lambda: PERMUTATIONS["FF1"].encrypt("9137"),
        lambda: PERMUTATIONS["FF1"].encrypt(9137, "tweak"),
        lambda: PERMUTATIONS["FF1"].encrypt_many(["9137"]),
        lambda: PERMUTATIONS["FF1"].encrypt_many([9137.0]),
        lambda: PERMUTATIONS["FF1"].encrypt_many(9137),
        lambda: PERMUTATIONS["FF1"].encrypt_many(np.array(9137)),
        lambda: PERMUTATIONS["prefix"].encrypt_many(np.array([[1, 2]])),
        lambda: PERMUTATIONS["prefix"].encrypt_many([1], ["tweak"]),
    ],
)
def test_wrong_types_are_type_errors(make):
    with pytest.raises(WrongType) as caught:
        make()
    assert "9137" not in str(caught.value)


@pytest.mark.parametrize("values", [[1, 2], np.array(1), np.array([[1, 2]]), None])
@pytest.mark.parametrize("name", PERMUTATIONS)
def test_kernels_take_arrays_of_one_dimension(name, values):
    with pytest.raises(WrongType, match="one dimension"):
        kernel(name).encrypt_many(values)


def test_sizes_may_be_numpy_integers():
    assert IntegerPermutation(KEY, np.int64(SIZE)).encrypt(7) == PERMUTATIONS["FF1"].encrypt(7)


def test_sizes_out_of_bounds_are_refused():
    with pytest.raises(DomainTooSmall):
        IntegerPermutation(KEY, 999_999)
    with pytest.raises(InvalidParameter):
        PrefixPermutation(KEY, 1_000_000)
    with pytest.raises(InvalidParameter):
        IntegerPermutation(KEY, SIZE, algorithm="DES")
