import sys

import pyarrow as pa
import pytest

from privkit import fields
from privkit.errors import InvalidParameter, MissingExtra
from privkit.keys import Keyring
from privkit.transforms import Surrogate, surrogate

NAMES = ["王伟", "韩梅梅", "欧阳锋", "欧阳娜娜", "阿依古丽·买买提", "Anna Smith", "𠮷田一郎"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


def test_one_and_many_agree_and_stay(keys):
    stand_in = Surrogate(fields.PERSON_NAME, keys["name"])
    many = stand_in.protect_many([*NAMES, None, ""])
    assert many == [*(stand_in.protect(name) for name in NAMES), None, ""]
    assert many == Surrogate(fields.PERSON_NAME, keys["name"]).protect_many([*NAMES, None, ""])
    assert not set(many[:-2]) & set(NAMES)


def test_lengths_of_surname_and_name_stay(keys):
    many = Surrogate(fields.PERSON_NAME, keys["name"]).protect_many(NAMES[:4])
    assert [len(name) for name in many] == [2, 3, 3, 4]
    assert [name[:2] in surrogate._COMPOUND for name in many] == [False, False, True, True]


def test_stand_ins_are_names_and_many(keys):
    stand_in = Surrogate(fields.PERSON_NAME, keys["name"])
    out = stand_in.protect_many([f"韩梅{chr(0x4E00 + number)}" for number in range(5000)])
    assert len(set(out)) > 4900
    assert all(fields.PERSON_NAME.normalise(name) == name for name in out)


def test_recipients_differ(keys):
    kinds = [
        Surrogate(fields.PERSON_NAME, keys["name"], recipient=name).protect_many(NAMES) for name in (None, "", "a")
    ]
    assert all(len({kind[row] for kind in kinds}) == 3 for row in range(len(NAMES)))


def test_containers(keys):
    column = pa.array(["韩梅梅", None])
    assert Surrogate(fields.PERSON_NAME, keys["name"]).protect_many(column).type == pa.string()


def test_what_there_is_not(keys, monkeypatch):
    with pytest.raises(InvalidParameter, match="no stand-ins"):
        Surrogate(fields.CN_MOBILE, keys["a"])
    monkeypatch.setitem(sys.modules, "faker.providers.person.zh_CN", None)
    surrogate._words.cache_clear()
    with pytest.raises(MissingExtra, match=r"privkit\[surrogate\]"):
        Surrogate(fields.PERSON_NAME, keys["a"])
    surrogate._words.cache_clear()
