import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit import fields
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue
from privkit.fields.digits import luhn_sum
from privkit.keys import Keyring
from privkit.transforms import FormatPreserving, framing
from privkit.transforms.framing import reframe

MOBILES = st.from_regex(r"\A1[3-9][0-9]{9}\Z")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")


@pytest.fixture(scope="module")
def phone(keys):
    return FormatPreserving(fields.CN_MOBILE, keys["phone"])


@settings(deadline=None)
@given(column=st.lists(MOBILES | st.none() | st.just(""), max_size=40))
def test_one_and_many_agree_and_come_back(column, phone):
    protected = phone.protect_many(column)
    assert protected == [phone.protect(value) for value in column]
    assert phone.reveal_many(protected) == column
    for before, after in zip(column, protected, strict=True):
        assert (after or None) is None if not before else fields.CN_MOBILE.normalise(after) == after


def test_it_is_one_to_one(phone):
    column = [str(13800000000 + number) for number in range(5000)]
    assert len(set(phone.protect_many(column))) == len(column)


WRITTEN = [
    (fields.CN_MOBILE, "+86 138-1234-5678"),
    (fields.CN_MOBILE, "0086 13812345678"),
    (fields.CN_MOBILE, "138 1234 5678"),
    (fields.CN_MOBILE, "１３８１２３４５６７８"),
    (fields.BANK_CARD, "4111 1111 1111 1111"),
    (fields.IMEI, "49-015420-323751-8"),
    (fields.BIRTH_DATE, "1990/05/17"),
    (fields.BIRTH_DATE, "19900517"),
    (fields.EMAIL, "A.Bcdefgh@X.cn"),
    (fields.EMAIL, "zhangsan@QQ.com"),
    (fields.MAC_ADDRESS, "00-1A-2B-3C-4D-5E"),
    (fields.IP_ADDRESS, "2001:DB8::1"),
    (fields.CN_PLATE, "京a12345"),
]


@pytest.mark.parametrize(("field", "written"), WRITTEN, ids=str)
def test_the_way_it_is_written_stays(field, written, keys):
    transform = FormatPreserving(field, keys["written"], small_domain=True)
    protected = transform.protect(written)
    assert transform.protect_many([written, None]) == [protected, None]
    assert transform.reveal_many([protected]) == [transform.reveal(protected)]
    revealed = transform.reveal(protected)
    if protected.lower() == protected.upper() and written.lower() != written.upper():
        assert revealed.upper() == written.upper()  # by chance no letter came out that could have kept the case
    else:
        assert revealed == written


@pytest.mark.parametrize(
    ("field", "written"),
    [
        (fields.BIRTH_DATE, "1990年5月7日"),
        (fields.IP_ADDRESS, "2001:db8::1"),
        (fields.CN_RESIDENT_ID, "11010519491231002x"),
    ],
    ids=str,
)
def test_what_cannot_be_kept_comes_back_canonical(field, written, keys):
    transform = FormatPreserving(field, keys["written"], small_domain=True)
    revealed = transform.reveal(transform.protect(written))
    assert field.normalise(revealed) == field.normalise(written)
    assert transform.reveal_many(transform.protect_many([written])) == [revealed]


def test_reframe():
    assert reframe("+86 138-1234-5678", "13812345678", "15900001111") == "+86 159-0000-1111"
    assert reframe("１３８", "138", "159") == "１５９"
    assert reframe("1990/05/17", "1990-05-17", "1985-10-20") == "1985/10/20"
    assert reframe("1990年5月7日", "1990-05-07", "1985-10-20") == "1985-10-20"
    assert reframe("aB1", "AB1", "CDE") == "cDE"
    assert reframe("AB1", "ab1", "cde") == "CDE"
    assert reframe("ab", "ab", "abc") == "abc"


FRAMES = [
    (
        fields.CN_MOBILE,
        {},
        ["+86 138-1234-5678", "(0086)13912345678", "138 1234 5679", "13812345670", "１３８１２３４５６７８"],
    ),
    (fields.BANK_CARD, {}, ["6222 0212 3456 7890 128", "4111-1111-1111-1111", "4111111111111111"]),
    (
        fields.CN_RESIDENT_ID,
        {},
        ["11010519491231002x", "110105 19491231 002X", "11010519491231002X", "１１０１０５１９４９１２３１００２Ｘ"],
    ),
    (
        fields.BIRTH_DATE,
        {"small_domain": True},
        ["1990/5/7", "1990/05/17", "1990/11/12", "19900517", "1990年5月7日", "1990.5.17"],
    ),
    (fields.MAC_ADDRESS, {}, ["00-1B-44-11-3A-B7", "001b.4411.3aB7", "001B44113AB7", "00-1b-44-11-3a-b7"]),
    (fields.EMAIL, {}, ["Zhang.San01@QQ.com", "zhangsan02@Qq.Com", "ZHANGSAN@QQ.COM", "zhang-san@example.cn"]),
    (fields.IP_ADDRESS, {}, ["2001:DB8::1", " 192.0.2.1", "2001:0db8:0:0:0:0:0:1"]),
]


@pytest.mark.parametrize(("field", "options", "written"), FRAMES, ids=str)
def test_frames_of_columns_are_those_of_single_values(field, options, written, keys):
    for number in range(40):  # of other keys, so that every kind of character comes in every place
        transform = FormatPreserving(field, keys[f"frames.{number}"], **options)
        assert transform.protect_many(written) == [transform.protect(value) for value in written]


def test_common_frames_take_no_slow_way(phone, monkeypatch):
    rows = ["+86 138-1234-5678", "13812345670", "(+86) 138 1234 5679"] * 20
    expected = [phone.protect(row) for row in rows]
    monkeypatch.setattr(framing, "framed", None)
    assert phone.protect_many(rows) == expected
    assert phone.reveal_many(expected) == rows


def test_typed_columns_stay_typed(phone):
    column = pa.array([13812345678, None], pa.int64())
    protected = phone.protect_many(column)
    assert protected.type == pa.int64()
    assert phone.reveal_many(protected).equals(column)
    assert phone.protect(13812345678) == int(phone.protect("13812345678"))
    numbers = np.array([13812345678, 15900001111])
    assert phone.reveal_many(phone.protect_many(numbers)).tolist() == numbers.tolist()


def test_a_card_that_an_integer_does_not_hold_is_refused_with_the_remedy(keys):
    bodies = [f"621799{number:012}" for number in range(400)]  # of 19 digits one in thirteen is beyond 2**63
    cards = np.array([int(body + str(-luhn_sum(body + "0") % 10)) for body in bodies])
    card = FormatPreserving(fields.BANK_CARD, keys["card"])
    with pytest.raises(InvalidValue, match="int64 does not hold; make it a column of text") as caught:
        card.protect_many(cards)
    fits = np.array([int(moved) < 1 << 63 for moved in card.protect_many(cards.astype(str))])
    fitting = cards[fits]
    assert caught.value.count == np.count_nonzero(~fits)
    assert 0 < len(fitting) < len(cards)
    assert card.reveal_many(card.protect_many(fitting)).tolist() == fitting.tolist()
    assert card.reveal_many(card.protect_many(cards.astype(str))).tolist() == cards.astype(str).tolist()


def test_fields_and_layouts_have_keys_of_their_own(keys):
    assert FormatPreserving(fields.CN_MOBILE, keys["a"]).protect("13812345678") != FormatPreserving(
        fields.CN_MOBILE, keys["b"]
    ).protect("13812345678")


def test_a_rotation_changes_nothing(tmp_path):
    keys = Keyring.create(tmp_path / "keyring.json")
    before = FormatPreserving(fields.CN_MOBILE, keys["a"]).protect("13812345678")
    keys.rotate()
    assert FormatPreserving(fields.CN_MOBILE, keys["a"]).reveal(before) == "13812345678"


def test_invalid_values_raise_without_their_value(phone):
    for attempt in (
        lambda: phone.protect("12345"),
        lambda: phone.protect_many([None, "13812345678", "12345"]),
        lambda: phone.reveal_many([None, "13812345678", "12345"]),
    ):
        with pytest.raises(InvalidValue) as caught:
            attempt()
        assert "12345" not in str(caught.value)
        assert caught.value.rows in {(), (2,)}


def test_small_domains_are_refused_until_asked_for(keys):
    with pytest.raises(DomainTooSmall, match="small_domain=True"):
        FormatPreserving(fields.BIRTH_DATE, keys["birth"])
    birth = FormatPreserving(fields.BIRTH_DATE, keys["birth"], small_domain=True)
    column = ["1990-05-17", None, "2000-02-29", "1990-05-17"]
    protected = birth.protect_many(column)
    assert birth.reveal_many(protected) == column
    assert protected[0] == protected[3] == birth.protect("1990-05-17") != "1990-05-17"
    typed = pa.array(column).cast(pa.date32())
    assert birth.protect_many(typed).cast(pa.string()).to_pylist() == protected


@pytest.mark.parametrize(("field", "options"), [(fields.EMAIL, {"no": 1}), (fields.CN_MOBILE, {"keeep": "x"})])
def test_what_there_is_not_is_refused(field, options, keys):
    with pytest.raises(InvalidParameter):
        FormatPreserving(field, keys["a"], **options)


def test_values_with_too_few_neighbours_are_named_or_suppressed(keys):
    email = FormatPreserving(fields.EMAIL, keys["email"])
    column = [None, "", "zhangsan@qq.com", "ab@qq.com", "not one", "xyz@qq.com", "lisi.wang@qq.com"]
    with pytest.raises(InvalidValue, match="too few for FF1") as caught:
        email.protect_many([value for value in column if value != "not one"])
    assert caught.value.rows in {(3,), (4,)}
    outcome = email.protect_column(column, on_invalid="suppress")
    assert [value is None for value in outcome.column] == [True, False, False, True, True, True, False]
    assert (outcome.nulls, outcome.invalid) == (1, 3)
    assert [email.reveal(value) for value in outcome.column] == [None, "", column[2], None, None, None, column[6]]


def test_the_same_with_repeated_values(keys):
    email = FormatPreserving(fields.EMAIL, keys["email"])
    column = pa.array([None, "zhangsan@qq.com", "ab@qq.com"] * 20_000)
    with pytest.raises(InvalidValue) as caught:
        email.protect_many(column)
    assert (caught.value.rows[:2], caught.value.count) == ((2, 5), 20_000)
    outcome = email.protect_column(column, on_invalid="suppress")
    assert outcome.invalid == 20_000
    assert outcome.column.null_count == 40_000


@pytest.mark.parametrize(
    ("field", "options", "written"),
    [
        (fields.EMAIL, {}, "--@qq.com"),
        (fields.PASSPORT, {"keep_first": 9}, "E12345678"),
        (fields.ORDER_NUMBER, {"keep_last": 50}, "20260102-000042"),
        (fields.custom("badge", alphabet="甲乙丙丁"), {"keep_first": 4}, "甲乙丙丁"),
        (fields.DATE, {"first": "0001-01-02"}, "0001-01-01"),
    ],
    ids=str,
)
def test_what_would_come_back_as_it_is_is_refused(field, options, written, keys):
    transform = FormatPreserving(field, keys["alone"], small_domain=True, **options)
    for door in (transform.protect, transform.reveal):
        with pytest.raises(InvalidValue, match="nothing of it moves") as caught:
            door(written)
        assert written not in str(caught.value)
    with pytest.raises(InvalidValue, match=r"at rows 1, 2: nothing of it moves"):
        transform.protect_many([None, written, written])
    outcome = transform.protect_column([None, written, written], on_invalid="suppress")
    assert (outcome.column, outcome.invalid) == ([None, None, None], 2)


def test_letters_of_other_scripts_do_not_stay_in_a_mail_name(keys):
    transform = FormatPreserving(fields.EMAIL, keys["scripts"], small_domain=True)
    for written in ("王小明@qq.com", "王小明123456@qq.com", "zhangsanß@例子.测试"):
        with pytest.raises(InvalidValue, match="beyond ASCII before the last"):
            transform.protect(written)
        with pytest.raises(InvalidValue, match="at row 1: "):
            transform.protect_many(["zhangsan@qq.com", written, "lisi@例子.测试"])
    assert transform.protect("zhangsan@例子.测试").endswith("@例子.测试")
