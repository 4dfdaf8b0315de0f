import sys

import numpy as np
import pyarrow as pa
import pytest

from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, InvalidValue, MissingExtra
from privkit.fields import divisions
from privkit.keys import Keyring
from privkit.transforms import Surrogate, stand_ins

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
    assert [name[:2] in stand_ins.COMPOUND for name in many] == [False, False, True, True]


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


VALUES = {
    "email": ["li.lei@example.cn", "han@meimei.cn"],
    "user_name": ["lilei", "hanmeimei"],
    "address_detail": ["深南大道1号2室", "人民路3号"],
    "cn_province": ["广东省", "北京市"],
    "cn_city": ["深圳市", "杭州市"],
    "cn_county": ["南山区", "西湖区"],
    "cn_division": ["440305", "110101"],
}


@pytest.mark.parametrize("name", VALUES)
def test_stand_ins_of_every_type_are_values_of_it(keys, name):
    field = fields.get(name)
    stand_in = Surrogate(field, keys["a"])
    values = [*VALUES[name], None, "", VALUES[name][0]]
    many = stand_in.protect_many(values)
    assert many == [*(stand_in.protect(value) for value in VALUES[name]), None, "", many[0]]
    assert all(field.normalise(value) == value for value in many[:2])
    other = Surrogate(field, keys["a"], recipient="acme").protect_many([*VALUES[name]])
    assert other != many[:2]


@pytest.mark.parametrize("name", ["cn_province", "cn_city", "cn_county", "user_name"])
def test_every_word_of_a_list_is_a_value(name):
    (words, *_) = stand_ins.kind(name, None).pieces
    assert all(fields.get(name).normalise(word) == word for word in words.to_text())


def test_mail_goes_to_nobody_and_addresses_are_many(keys):
    mails = Surrogate(fields.EMAIL, keys["a"]).protect_many([f"{number}@qq.com" for number in range(3000)])
    assert {mail.split("@")[1] for mail in mails} == {"example.com", "example.net", "example.org"}
    assert len(set(mails)) > 2990
    details = Surrogate(fields.ADDRESS_DETAIL, keys["a"]).protect_many([f"人民路{number}号" for number in range(3000)])
    assert len(set(details)) > 2990


@pytest.mark.parametrize(("keep", "digits"), [("province", 2), ("city", 4)])
def test_divisions_stay_where_they_are_asked_to(keys, keep, digits):
    table = divisions.table()
    codes = [str(code) for code in table.codes[~table.zones()]]
    out = Surrogate(fields.CN_DIVISION, keys["a"], keep=keep).protect_many(codes)
    assert [code[:digits] for code in out] == [code[:digits] for code in codes]
    assert set(out) <= set(codes)
    assert sum(one != other for one, other in zip(out, codes, strict=True)) > len(codes) // 2


def test_divisions_reach_every_county():
    table = divisions.table()
    codes = [str(code) for code in table.codes[~table.zones()]]
    kind = stand_ins.kind("cn_division", None)
    numbers = np.arange(len(codes), dtype=np.uint64)[:, None].repeat(2, axis=1)
    assert kind.many(Ragged.of_text(codes), numbers).to_text() == codes


def test_provinces_without_counties_are_named_by_their_rows(keys):
    stand_in = Surrogate(fields.CN_DIVISION, keys["a"], keep="province")
    with pytest.raises(InvalidValue, match="no counties") as caught:
        stand_in.protect_many([None, "440305", "810000"])
    assert caught.value.rows == (2,)


def test_texts_may_look_like_something(keys):
    out = Surrogate(fields.FREE_TEXT, keys["a"], like="company").protect_many(["某某公司", "另一家公司"])
    assert len(set(out)) == 2
    assert all(name.endswith("有限公司") for name in out)


def test_fingerprints_tell_lists_apart(keys):
    lists = [Surrogate(fields.get(name), keys["a"]).lists for name in [*VALUES, "person_name"]]
    assert len(set(lists)) == len(lists)
    assert Surrogate(fields.EMAIL, keys["b"]).lists == lists[0]


def test_parameters_are_checked(keys):
    for wrong in ({"like": "dog"}, {"keep": "city"}, {"like": "cn_division", "keep": "city"}):
        with pytest.raises(InvalidParameter):
            Surrogate(fields.EMAIL, keys["a"], **wrong)
    with pytest.raises(InvalidParameter, match="'province' or 'city'"):
        Surrogate(fields.CN_DIVISION, keys["a"], keep="county")


def test_what_there_is_not(keys, monkeypatch):
    with pytest.raises(InvalidParameter, match="no stand-ins"):
        Surrogate(fields.CN_MOBILE, keys["a"])
    monkeypatch.setitem(sys.modules, "faker.providers.person.zh_CN", None)
    stand_ins.names.cache_clear()
    with pytest.raises(MissingExtra, match=r"privkit\[surrogate\]"):
        Surrogate(fields.PERSON_NAME, keys["a"])
    stand_ins.names.cache_clear()
