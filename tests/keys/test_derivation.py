import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import InvalidParameter
from privkit.keys import Usage
from privkit.keys.derivation import derive
from privkit.keys.material import Secret

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "derivation.json").read_text(encoding="utf-8"))["vectors"]
USAGE = Usage("token", "AES-CMAC", 32)
ROOT = Secret(bytes(range(32)))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
usages = st.builds(
    Usage,
    purpose=texts.filter(bool),
    algorithm=texts.filter(bool),
    key_bytes=st.sampled_from([16, 24, 32, 48, 64]),
    mode=texts,
    layout=texts,
    layout_version=st.integers(0, 2**32 - 1),
    recipient=st.none() | texts,
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_derivation_is_frozen(vector):
    usage = Usage(**vector["usage"])
    assert usage.info(vector["field"]).hex() == vector["info"]
    assert derive(Secret(bytes.fromhex(vector["root"])), usage, vector["field"]).expose().hex() == vector["key"]


@given(st.tuples(usages, texts), st.tuples(usages, texts))
def test_no_two_uses_share_an_info(one, other):
    assert (one[0].info(one[1]) == other[0].info(other[1])) == (one == other)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "index"},
        {"algorithm": "SM4-CMAC"},
        {"key_bytes": 16},
        {"mode": "a"},
        {"layout": "a"},
        {"layout_version": 1},
        {"recipient": ""},
        {"recipient": "acme"},
    ],
)
def test_every_part_changes_the_key(change):
    assert derive(ROOT, replace(USAGE, **change), "a") != derive(ROOT, USAGE, "a")
    assert derive(ROOT, USAGE, "b") != derive(ROOT, USAGE, "a")


def test_parts_do_not_run_into_each_other():
    assert Usage("ab", "c", 32).info("f") != Usage("a", "c", 32, mode="b").info("f")
    assert Usage("a", "c", 32, layout="f").info("") != Usage("a", "c", 32).info("f")


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": ""},
        {"algorithm": ""},
        {"key_bytes": 20},
        {"key_bytes": 0},
        {"layout_version": -1},
        {"layout_version": 2**32},
        {"recipient": "\ud800"},
        {"mode": "x" * 65_536},
    ],
)
def test_a_usage_that_cannot_be_encoded_is_refused(wrong):
    with pytest.raises(InvalidParameter):
        replace(USAGE, **wrong)


@given(usages)
def test_a_usage_travels_and_compares(usage):
    again = pickle.loads(pickle.dumps(usage))  # noqa: S301 - our own bytes
    assert again == usage
    assert {usage: 1}[again] == 1
    assert "_hash" not in repr(USAGE)
