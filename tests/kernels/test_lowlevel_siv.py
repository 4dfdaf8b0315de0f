"""AesSiv and Cmac of `privkit.lowlevel`: values, columns of every kind, and what they refuse."""

import copy
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC

from privkit.errors import DecryptionFailed, InvalidParameter, InvalidValue
from privkit.lowlevel import AesSiv, Cmac

KEY = bytes(range(64))
ROWS = [b"value", b"", None, b"a value longer than a block is", b"\0", b"value"]


def objects(rows):
    out = np.empty(len(rows), object)
    out[:] = rows
    return out


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "numpy objects": objects,
    "arrow binary": lambda rows: pa.array(rows, pa.binary()),
    "arrow large_binary": lambda rows: pa.array(rows, pa.large_binary()),
    "arrow chunks": lambda rows: pa.chunked_array([rows[:2], rows[2:]], pa.binary()),
    "pandas objects": lambda rows: pd.Series(rows, index=range(10, 10 + len(rows)), dtype=object, name="note"),
    "pandas arrow": lambda rows: pd.Series(rows, dtype=pd.ArrowDtype(pa.binary())),
    "polars": lambda rows: pl.Series("note", rows, pl.Binary),
}


@pytest.fixture(params=CONTAINERS.values(), ids=CONTAINERS)
def container(request):
    return request.param


def rows_of(column):
    rows = column.to_pylist() if isinstance(column, pa.Array | pa.ChunkedArray) else list(column)
    return [row if isinstance(row, bytes) else None for row in rows]


def cmac_of(data, algorithm=algorithms.AES, key=KEY[:32]):
    mac = CMAC(algorithm(key))
    mac.update(data)
    return mac.finalize()


def test_siv_over_containers(container):
    siv, pyca = AesSiv(KEY), AESSIV(KEY)
    for associated in ([], [b"field"], (b"", b"field")):
        column = container(ROWS)
        sealed = siv.encrypt_many(column, associated)
        assert type(sealed) is type(column)
        assert getattr(sealed, "type", None) == getattr(column, "type", None)
        assert getattr(sealed, "dtype", None) == getattr(column, "dtype", None)
        assert rows_of(sealed) == [None if row is None else pyca.encrypt(row, list(associated)) for row in ROWS]
        assert rows_of(siv.decrypt_many(sealed, associated)) == ROWS


def test_siv_with_a_string_for_each_row(container):
    siv = AesSiv(KEY)
    each = [b"0", b"1", None, b"", b"four", b"5"]
    for associated in ([container(each)], [b"field", each]):
        sealed = siv.encrypt_many(container(ROWS), associated)
        strings = [[row] if len(associated) == 1 else [b"field", row] for row in each]
        assert rows_of(sealed) == [
            None if row is None else siv.encrypt(row, own) for row, own in zip(ROWS, strings, strict=True)
        ]
        assert rows_of(siv.decrypt_many(sealed, associated)) == ROWS


def test_cmac_over_containers(container):
    column = container(ROWS)
    digests = Cmac(KEY[:32]).digest_many(column)
    assert type(digests) is type(column)
    assert getattr(digests, "dtype", None) == getattr(column, "dtype", None)
    assert rows_of(digests) == [None if row is None else cmac_of(row) for row in ROWS]


def test_single_values():
    siv, cmac = AesSiv(KEY), Cmac(KEY[:32])
    for row in [row for row in ROWS if row is not None]:
        assert siv.encrypt(row, [b"field", b""]) == AESSIV(KEY).encrypt(row, [b"field", b""])
        assert siv.decrypt(siv.encrypt(row)) == row
        assert cmac.digest(row) == cmac_of(row)
    sm4 = Cmac(KEY[:16], algorithm="SM4")
    assert sm4.digest(b"value") == cmac_of(b"value", algorithms.SM4, KEY[:16])
    assert sm4.digest_many([b"value"]) == [sm4.digest(b"value")]


def test_numpy_bytes_of_fixed_width():
    siv = AesSiv(KEY)
    rows = np.array([b"%d" % number for number in range(2000)])
    sealed = siv.encrypt_many(rows)
    expected = [AESSIV(KEY).encrypt(row, []) for row in rows.tolist()]
    assert any(row.endswith(b"\0") for row in expected)  # these a fixed width would have cut
    assert sealed.tolist() == expected
    assert siv.decrypt_many(sealed).tolist() == rows.tolist()


def test_columns_without_values(container):
    siv, cmac = AesSiv(KEY), Cmac(KEY[:16])
    for rows in ([], [None, None]):
        assert rows_of(siv.encrypt_many(container(rows), [b"field"])) == rows
        assert rows_of(siv.decrypt_many(container(rows))) == rows
        assert rows_of(cmac.digest_many(container(rows))) == rows


def test_failures_say_which_rows(container):
    siv = AesSiv(KEY)
    sealed = rows_of(siv.encrypt_many(ROWS, [b"field"]))
    sealed[0] = sealed[0][:-1]
    sealed[4] = b"short"
    with pytest.raises(DecryptionFailed) as caught:
        siv.decrypt_many(container(sealed), [b"field"])
    assert caught.value.rows == (0, 4)
    assert "value" not in str(caught.value).replace("a value", "")
    with pytest.raises(DecryptionFailed) as caught:
        siv.decrypt(sealed[5], [b"another field"])
    assert caught.value.rows == ()


@pytest.mark.parametrize("wrong", [["text"], [1, 2], np.arange(3), pa.array(["text"]), pl.Series([1.5])])
def test_columns_of_other_kinds_are_refused(wrong):
    siv, cmac = AesSiv(KEY), Cmac(KEY[:16])
    for work in (siv.encrypt_many, siv.decrypt_many, cmac.digest_many):
        with pytest.raises(InvalidParameter, match="where one of bytes is needed"):
            work(wrong)


@pytest.mark.parametrize("wrong", ["text", 5, None, bytearray(20), memoryview(bytes(20))])
def test_values_that_are_no_bytes_are_refused(wrong):
    siv, cmac = AesSiv(KEY), Cmac(KEY[:16])
    for work in (siv.encrypt, siv.decrypt, cmac.digest):
        with pytest.raises(InvalidParameter, match="where bytes is needed"):
            work(wrong)
    with pytest.raises(InvalidParameter, match="where bytes is needed"):
        siv.encrypt(b"value", [wrong])
    for build in (AesSiv, Cmac):
        with pytest.raises(InvalidParameter, match="where bytes is needed"):
            build(wrong)


@pytest.mark.parametrize("wrong", [b"field", b"", "field", bytearray(b"field"), None, {b"field": 1}])
def test_associated_strings_come_in_a_list(wrong):
    siv = AesSiv(KEY)
    for work, data in (
        (siv.encrypt, b"value"),
        (siv.decrypt, bytes(20)),
        (siv.encrypt_many, [b"value"]),
        (siv.decrypt_many, [bytes(20)]),
    ):
        with pytest.raises(InvalidParameter, match="put them into a list"):
            work(data, wrong)


def test_associated_strings_fit_the_rows():
    siv = AesSiv(KEY)
    with pytest.raises(InvalidParameter, match="2 associated strings for 3 values"):
        siv.encrypt_many([b"a", b"b", b"c"], [[b"1", b"2"]])
    with pytest.raises(InvalidValue, match="the associated string of a value is null") as caught:
        siv.encrypt_many([b"a", None, b"c"], [[b"1", None, None]])
    assert caught.value.rows == (2,)
    with pytest.raises(InvalidParameter, match="127 associated strings"):
        siv.encrypt_many([b"a"], [b""] * 127)


@pytest.mark.parametrize(("build", "size"), [(AesSiv, 16), (AesSiv, 0), (AesSiv, 63), (Cmac, 0), (Cmac, 64)])
def test_wrong_key_sizes(build, size):
    with pytest.raises(InvalidParameter, match=f"key of {size} bytes"):
        build(bytes(size))


def test_wrong_algorithms():
    with pytest.raises(InvalidParameter, match="take AES or SM4"):
        Cmac(KEY[:16], algorithm="DES")
    with pytest.raises(InvalidParameter, match="key of 32 bytes; SM4 takes 16"):
        Cmac(KEY[:32], algorithm="SM4")


@pytest.mark.parametrize("tool", [AesSiv(b"K" * 64), Cmac(b"K" * 32)], ids=["AesSiv", "Cmac"])
def test_the_key_stays_inside(tool):
    assert "KK" not in repr(tool)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            leave(tool)
