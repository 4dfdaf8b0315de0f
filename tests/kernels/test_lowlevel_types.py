"""What all of the lowlevel door has in common: wrong types, keys that are neither shown nor handed on, threads."""

import copy
import pickle
import threading

import numpy as np
import pytest

from privkit.errors import InvalidParameter, WrongType
from privkit.lowlevel import FF1, AesSiv, Cmac, IntegerPermutation, PrefixPermutation

KEY = bytes(range(32))
CIPHERS = {
    "FF1": FF1(KEY, "0123456789"),
    "AesSiv": AesSiv(KEY),
    "Cmac": Cmac(KEY),
    "IntegerPermutation": IntegerPermutation(KEY, 10**6),
    "PrefixPermutation": PrefixPermutation(KEY, 12),
}
WRONG = {
    "key": lambda: FF1(bytearray(16), "0123456789"),
    "key of text": lambda: Cmac("0123456789abcdef"),
    "no key": lambda: AesSiv(None),
    "alphabet": lambda: FF1(KEY, list("0123456789")),
    "text": lambda: CIPHERS["FF1"].encrypt(9137555555),
    "text of bytes": lambda: CIPHERS["FF1"].decrypt(b"9137555555"),
    "tweak": lambda: CIPHERS["FF1"].encrypt("9137555555", "9137"),
    "value": lambda: CIPHERS["AesSiv"].encrypt("9137"),
    "associated string": lambda: CIPHERS["AesSiv"].encrypt(b"", ["9137"]),
    "associated strings": lambda: CIPHERS["AesSiv"].decrypt(b"", b"9137"),
    "message": lambda: CIPHERS["Cmac"].digest(9137),
    "column of numbers": lambda: CIPHERS["FF1"].encrypt_many([9137555555]),
    "column of bytes": lambda: CIPHERS["FF1"].encrypt_many([b"9137555555"]),
    "column of text": lambda: CIPHERS["Cmac"].digest_many(np.array(["9137"])),
    "tweaks": lambda: CIPHERS["FF1"].encrypt_many(["9137555555"], ["9137"]),
    "no column": lambda: CIPHERS["AesSiv"].encrypt_many({b"9137"}),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_types_are_type_errors(what):
    with pytest.raises(WrongType) as caught:
        WRONG[what]()
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, InvalidParameter)
    assert "9137" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("name", CIPHERS)
def test_keys_are_not_shown_nor_handed_on(name):
    cipher = CIPHERS[name]
    assert repr(cipher) == repr(type(cipher).__new__(type(cipher))) == f"<{name}: key not shown>"
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="build it there"):
            way(cipher)


def test_threads_share_an_object():
    ff1, siv, cmac = FF1(KEY, "0123456789"), AesSiv(KEY), Cmac(KEY)
    texts = [[str(10**9 + 7 * row**2 + thread) for row in range(400)] for thread in range(8)]
    values = [[text.encode() * (row % 5) for row, text in enumerate(rows)] for rows in texts]

    def work(thread, ff1, siv, cmac):
        tweak = b"%d" % thread
        moved = ff1.encrypt_many(texts[thread], tweak), ff1.encrypt(texts[thread][0], tweak)
        return (
            *moved,
            siv.encrypt_many(values[thread], [tweak]),
            siv.encrypt(b"v", [tweak]),
            cmac.digest_many(values[thread]),
        )

    alone = [work(thread, FF1(KEY, "0123456789"), AesSiv(KEY), Cmac(KEY)) for thread in range(8)]
    together, begin = {}, threading.Barrier(8)

    def run(thread):
        begin.wait()
        together[thread] = [work(thread, ff1, siv, cmac) for _ in range(3)]

    threads = [threading.Thread(target=run, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[thread] for thread in range(8)] == [[expected] * 3 for expected in alone]
