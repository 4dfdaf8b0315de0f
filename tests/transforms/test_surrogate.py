import numpy as np
import pyarrow as pa
import pytest
from stdnum import luhn

from privkit import fields
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, InvalidValue, TableError
from privkit.fields import divisions
from privkit.keys import Keyring
from privkit.transforms import Surrogate, stand_ins
from privkit.transforms import word_lists as words_module
from privkit.transforms.word_lists import LOCALES, word_lists

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
    assert [name[:2] in word_lists("zh_CN").lists["compound"] for name in many] == [False, False, True, True]


def test_stand_ins_are_names_and_many(keys):
    stand_in = Surrogate(fields.PERSON_NAME, keys["name"])
    out = stand_in.protect_many([f"韩梅{chr(0x4E00 + number)}" for number in range(5000)])
    assert len(set(out)) > 4900
    assert all(fields.PERSON_NAME.normalise(name) == name for name in out)


DOTTED = ["阿依努尔·买买提", "艾尔肯·吐尔逊", "某某古丽·肉孜", "次仁·旺堆", "麦麦提·艾力·库尔班"]


def test_names_with_a_dot_become_names_with_a_dot(keys):
    stand_in = Surrogate(fields.PERSON_NAME, keys["name"])
    mixed = [DOTTED[0], "韩梅梅", None, *DOTTED[1:], "欧阳娜娜", ""]
    many = stand_in.protect_many(mixed)
    assert many == [None if name is None else stand_in.protect(name) for name in mixed]
    names = word_lists("dotted").lists
    for name, out in zip(mixed, many, strict=True):
        if name and "·" in name:
            given, father = out.split("·")
            assert given in names["given"]
            assert father in names["male"]
            assert fields.PERSON_NAME.normalise(out) == out != name
        else:
            assert out is None or "·" not in out
    assert many[1] == stand_in.protect("韩梅梅")


def test_names_with_a_dot_keep_their_sex_so_far_as_they_say_it(keys):
    stand_in = Surrogate(fields.PERSON_NAME, keys["name"], keep="sex")
    names = word_lists("dotted").lists
    for recipient in range(20):
        stand_in = Surrogate(fields.PERSON_NAME, keys["name"], keep="sex", recipient=str(recipient))
        given = [name.split("·")[0] for name in stand_in.protect_many(DOTTED)]
        assert given[0] in names["female"]
        assert given[1] in names["male"]
        assert given[2] in names["female"]
        assert given[3] in names["given"]


def test_no_dotted_name_is_of_both_sexes():
    names = word_lists("dotted").lists
    assert not set(names["male"]) & set(names["female"])
    assert len(names["given"]) == len(names["male"]) + len(names["female"])
    assert all(fields.PERSON_NAME.normalise(name) == name for name in names["given"])


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
    "cn_division": ["440305", "110101", "440305001003"],
    "device_model": ["HUAWEI Mate 60 Pro", "iPhone 15"],
    "imei": ["490154203237518", "356938035643809"],
    "mac_address": ["00:1b:44:11:3a:b7", "00:1b:44:11:3a:b8"],
    "oaid": ["6f1d4a3b-0c2e-4f5a-9b7d-8e6f5a4b3c2d", "0123456789abcdef"],
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


def test_lists_are_named_with_their_version(keys):
    lists = {name: Surrogate(fields.get(name), keys["a"]).lists for name in [*VALUES, "person_name"]}
    assert lists["email"] == "zh_CN-1"
    assert lists["person_name"] == "zh_CN-1, dotted-1"
    assert lists["cn_city"] == lists["cn_division"] == "divisions-1"
    assert lists["device_model"] == "devices-1"
    assert Surrogate(fields.EMAIL, keys["a"], locale="de_DE").lists == "de_DE-1"
    assert Surrogate(fields.TEXT, keys["a"], like="address").lists == "divisions-1, zh_CN-1"


@pytest.mark.parametrize("wrong", [
    {"like": "dog"}, {"keep": "city"}, {"like": "cn_division", "keep": "city"}, {"locale": "xx_XX"},
    {"locale": ""}, {"like": "cn_city", "locale": "zh_CN"}, {"like": "address", "locale": "en_US"},
    {"like": "address", "keep": "street"},
])  # fmt: skip
def test_parameters_are_checked(keys, wrong):
    with pytest.raises(InvalidParameter):
        Surrogate(fields.EMAIL, keys["a"], **wrong)


def test_what_there_is_not(keys):
    with pytest.raises(InvalidParameter, match="like cn_division cannot keep 'county'"):
        Surrogate(fields.CN_DIVISION, keys["a"], keep="county")
    with pytest.raises(InvalidParameter, match="no stand-ins"):
        Surrogate(fields.CN_MOBILE, keys["a"])
    with pytest.raises(InvalidParameter, match="the same everywhere"):
        Surrogate(fields.CN_CITY, keys["a"], locale="zh_CN")


def test_lists_that_were_altered_are_refused(monkeypatch):
    monkeypatch.setitem(words_module._DIGESTS, "fr_FR", "0" * 64)
    word_lists.cache_clear()
    with pytest.raises(TableError, match="were altered"):
        word_lists("fr_FR")


FROZEN = {
    ("person_name", "zh_CN"): "符辉琴",
    ("person_name", "zh_TW"): "康俊宏",
    ("person_name", "en_US"): "Stacey Owens",
    ("person_name", "de_DE"): "Zofia Bien",
    ("person_name", "fr_FR"): "Philippine Benard",
    ("person_name", "es_ES"): "Roque Casas Villar",
    ("person_name", "ja_JP"): "三浦和也",
    ("email", "zh_CN"): "fang.zeng64720@example.org",
    ("email", "zh_TW"): "hsinyu.shen64720@example.org",
    ("email", "en_US"): "stacey.owens64720@example.net",
    ("email", "de_DE"): "agathe.striebitz64720@example.org",
    ("email", "fr_FR"): "philippine.martin64720@example.com",
    ("email", "es_ES"): "guiomar.fiol64720@example.net",
    ("email", "ja_JP"): "maaya.fujiwara64720@example.com",
    ("user_name", "zh_CN"): "zouyang64720",
    ("user_name", "zh_TW"): "muchunhao64720",
    ("user_name", "en_US"): "faulknerderrick64720",
    ("user_name", "de_DE"): "zorbachmina64720",
    ("user_name", "fr_FR"): "jacobadrien64720",
    ("user_name", "es_ES"): "canetpastor64720",
    ("user_name", "ja_JP"): "murakamiyui64720",
    ("address_detail", "zh_CN"): "麻街964号4幢784室",
    ("address_detail", "zh_TW"): "北投街321號18樓",
    ("address_detail", "en_US"): "6067 Faulkner Park, Apt. 766",
    ("address_detail", "de_DE"): "Walterallee 184",
    ("address_detail", "fr_FR"): "184 boulevard Guillot",
    ("address_detail", "es_ES"): "Rambla Marqués 184",
    ("address_detail", "ja_JP"): "下吉羽1丁目13番9号",
    ("address", "zh_CN"): "江西省赣州市瑞金市戚街964号4幢784室",
    ("company", "zh_CN"): "南宁恒聪百汇科技有限公司",
    ("company", "zh_TW"): "瑞輝大藥廠有限公司",
    ("company", "en_US"): "Faulkner LLC",
    ("company", "de_DE"): "Walter GmbH & Co. KG",
    ("company", "fr_FR"): "Lemoine S.A.",
    ("company", "es_ES"): "Moll S.Coop.",
    ("company", "ja_JP"): "株式会社井上保険",
    ("cn_province", None): "福建省",
    ("cn_city", None): "驻马店市",
    ("cn_county", None): "灯塔市",
    ("device_model", None): "iPad Pro 11-inch",
    ("imei", None): "001292164868954",
    ("mac_address", None): "02:ef:cd:ab:89:67",
    ("oaid", None): "efcdab8967452301",
}


def test_stand_ins_are_those_of_version_1():
    """Frozen: whoever gets another name here has broken everybody's."""
    numbers = np.array([[0x0123456789ABCDEF, 0xFEDCBA9876543210]], np.uint64)
    text = Ragged.of_text(["韩梅梅"])
    made = {
        (name, locale): stand_ins.kind(name, None, locale).many(text, numbers).to_text()[0]
        for name, maker in stand_ins.KINDS.items() if name != "cn_division"
        for locale in maker.locales or [None]
    }  # fmt: skip
    assert made == FROZEN


def test_dotted_stand_ins_are_those_of_version_1():
    numbers = np.array([[0x0123456789ABCDEF, 0xFEDCBA9876543217]], np.uint64)
    made = stand_ins.kind("person_name").many(Ragged.of_text(["阿依努尔·买买提"]), numbers)
    assert made.to_text() == ["祖丽皮亚·亚森"]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_locale_has_its_words(keys, locale):
    for name in ("person_name", "email", "user_name", "address_detail"):
        field = fields.get(name)
        values = [f"{part}{number}" for number in range(300) for part in VALUES.get(name, ["name"])[:1]]
        text = Ragged.of_text(values)
        numbers = np.random.default_rng(1).integers(0, 2**64, (len(values), 2), np.uint64)
        out = stand_ins.kind(name, None, locale).many(text, numbers).to_text()
        assert all(field.normalise(value) == value for value in out)
        assert len(set(out)) > 250
    firms = Surrogate(fields.TEXT, keys["a"], like="company", locale=locale).protect_many(list("abcdefgh"))
    assert len(set(firms)) > 5


@pytest.mark.parametrize(
    ("locale", "male", "female", "unsaid"),
    [
        (
            "zh_CN",
            ["王伟", "李建军", "欧阳强", "上官志强"],
            ["王芳", "李秀英", "欧阳娜", "上官桂兰"],
            ["王一", "Anna Li"],
        ),
        ("zh_TW", ["陳志明", "歐陽建宏"], ["陳淑芬", "歐陽美玲"], ["陳一二"]),
        ("en_US", ["Aaron Smith", "Adam Li"], ["April Smith", "Amanda Li"], ["Zzyzx Smith", "Aaron"]),
        ("de_DE", ["Achim Adler"], ["Adelheid Adler"], ["Zzyzx Adler"]),
        ("es_ES", ["Aarón Abad Abril"], ["Adela Abad Abril"], ["Zzyzx Abad"]),
        ("ja_JP", ["佐藤健一"], ["佐藤さゆり", "佐藤明美"], ["佐藤一二三"]),
    ],
)
def test_the_sex_of_a_name_stays_where_it_is_asked_to(keys, locale, male, female, unsaid):
    words = word_lists(locale).lists
    only = {sex: set(words[sex]) - set(words[other]) for sex, other in (("male", "female"), ("female", "male"))}
    made = Surrogate(fields.PERSON_NAME, keys["a"], keep="sex", locale=locale)
    for sex, names in (("male", male), ("female", female)):
        for round_ in range(20):
            other = Surrogate(fields.PERSON_NAME, keys["a"], keep="sex", locale=locale, recipient=str(round_))
            for name in names:
                stand_in = other.protect(name)
                given = [word for word in words["given"] if _has_given(stand_in, word, locale)]
                assert given or locale.startswith("zh")
                opposite = only["female" if sex == "male" else "male"]
                assert not given or not set(given) <= opposite
    assert [len(name) for name in made.protect_many(male)] == [len(name) for name in male] or locale != "zh_CN"
    assert all(made.protect_many(unsaid))
    assert made.protect_many([*male, *female]) == [made.protect(name) for name in [*male, *female]]


def _has_given(name, word, locale):
    return name.endswith(word) if locale in {"zh_CN", "zh_TW", "ja_JP"} else name.startswith(f"{word} ")


def test_imeis_are_of_test_devices_and_addresses_of_no_maker(keys):
    imeis = Surrogate(fields.IMEI, keys["a"]).protect_many(["490154203237518", "356938035643809"])
    assert all(luhn.is_valid(imei) and imei.startswith("001") for imei in imeis)
    (mac,) = Surrogate(fields.MAC_ADDRESS, keys["a"]).protect_many(["00:1b:44:11:3a:b7"])
    assert mac.startswith("02:")


ADDRESSES = [
    "广东省深圳市南山区科技园路12号",
    "广东深圳南山区科技园路12号",
    "深圳市福田区深南大道1号",
    "北京市朝阳区建国路1号",
    "北京市北京市朝阳区建国路1号",
    "湖北省仙桃市干河街道1号",
]


def test_addresses_are_in_divisions_that_there_are(keys):
    table = divisions.table()
    for keep, level in (("province", 0), ("city", 1), ("county", -1)):
        out = Surrogate(fields.ADDRESS_DETAIL, keys["a"], like="address", keep=keep).protect_many(ADDRESSES)
        for address, place in zip(out, [440305, 440305, 440304, 110105, 110105, 429004], strict=True):
            assert address.startswith(table.path(place)[0])
            if level and place != 429004:
                assert address.startswith("".join(dict.fromkeys(table.path(place)[: level or None])))
    county = Surrogate(fields.ADDRESS_DETAIL, keys["a"], like="address", keep="county").protect_many(ADDRESSES)
    assert [address[:9] for address in county[:3]] == ["广东省深圳市南山区", "广东省深圳市南山区", "广东省深圳市福田区"]
    assert county[3].startswith("北京市朝阳区")
    anywhere = Surrogate(fields.ADDRESS_DETAIL, keys["a"], like="address")
    many = anywhere.protect_many([f"人民路{number}号" for number in range(3000)])
    assert len({address[:3] for address in many}) > 25
    assert all(fields.ADDRESS_DETAIL.normalise(address) == address for address in many)
    assert not any("行政区划" in address for address in many)


def test_addresses_that_do_not_say_where_they_are_are_refused_where_that_stays(keys):
    kept = Surrogate(fields.ADDRESS_DETAIL, keys["a"], like="address", keep="city")
    with pytest.raises(InvalidValue, match="cannot be read from its beginning") as caught:
        kept.protect_many(["广东省深圳市南山区科技园路12号", None, "科技园路12号", "广东省"])
    assert caught.value.rows == (2, 3)
    assert kept.protect_column(["广东省"], on_invalid="suppress").column == [None]
