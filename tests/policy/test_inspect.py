"""Proposals of types: on the demo export, under misleading names, without values, and for other exports."""

import datetime as dt
import json
from decimal import Decimal

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings

from privkit.demo import SCHEMA, batches
from privkit.errors import InvalidParameter, PolicyError, TableError
from privkit.fields import CATALOGUE
from privkit.policy import Policy
from privkit.policy.inspect import inspect_table
from privkit.policy.inspect.headers import Hint, hint
from privkit.policy.inspect.lexicon import KEPT, PHRASES
from privkit.policy.inspect.shapes import SHAPES

RIGHT = {
    "order_id": "order_number", "order_time": "timestamp", "customer_name": "person_name", "gender": "gender",
    "birth_date": "birth_date", "ethnicity": "ethnicity", "mobile": "cn_mobile", "email": "email",
    "landline": "cn_landline", "province": "cn_province", "city": "cn_city", "county": "cn_county",
    "address_detail": "address_detail", "postcode": "postcode", "user_name": "user_name", "password": "password",
    "resident_id": "cn_resident_id", "bank_card": "bank_card", "amount": "amount", "payment_method": "payment_method",
    "courier": "courier", "tracking_number": "tracking_number", "review": "free_text", "ip_address": "ip_address",
    "imei": "imei", "oaid": "oaid", "device_model": "device_model", "stay_seconds": "duration",
    "search_words": "search_words", "health_note": "health", "religion": "religion",
    "face_template": "biometric_template",
}  # fmt: skip
BY_VALUES = [
    "customer_name", "gender", "birth_date", "ethnicity", "mobile", "email", "landline", "province", "city",
    "county", "address_detail", "password", "resident_id", "bank_card", "amount", "payment_method", "courier",
    "ip_address", "imei", "oaid", "device_model", "religion", "health_note", "order_time",
]  # fmt: skip
"""Columns of the export whose values tell the type without a name."""


@pytest.fixture(scope="module")
def export():
    return pa.Table.from_batches(batches(2000, seed=5))


def types(table, **options):
    return {proposal.column: proposal.type.name for proposal in inspect_table(table, **options).proposals}


def one(name, values):
    return inspect_table({name: values}).proposals[0]


def spoken(table):
    """All that may be shown of an inspection."""
    found = inspect_table(table)
    told = json.dumps(found.as_dict(), ensure_ascii=False)
    return found.to_toml() + told + repr(found)


def test_every_column_of_the_demo_export_gets_its_type(export):
    assert set(RIGHT) == set(SCHEMA.names)
    assert types(export) == RIGHT


def test_dirt_does_not_mislead():
    dirty = pa.Table.from_batches(batches(2000, seed=6, dirty=0.05))
    assert types(dirty) == RIGHT
    mobile = next(p for p in inspect_table(dirty).proposals if p.column == "mobile")
    assert 0.9 < mobile.valid < 1
    assert "not valid: decide on_invalid" in mobile.reason()


def test_values_tell_where_names_say_nothing(export):
    nameless = {f"c{place}": export[name] for place, name in enumerate(BY_VALUES)}
    assert types(nameless) == {f"c{place}": RIGHT[name] for place, name in enumerate(BY_VALUES)}


@pytest.mark.parametrize("of", [pa.table, pl.DataFrame, lambda columns: columns])
def test_typed_columns_in_every_table(of):
    rows = range(60)
    found = types(
        of(
            {
                "手机号": np.array([13_800_000_000 + row * 7 for row in rows]),
                "dob": [dt.date(1950 + row, 1 + row % 12, 3) for row in rows],
                "paid": [Decimal("12.50") + row for row in rows],
                "seen": [dt.datetime(2026, 1, 2, 3, row) for row in rows],
                "active": [row % 2 == 0 for row in rows],
                "ratio": [row / 7 for row in rows],
            }
        )
    )
    assert found == {
        "手机号": "cn_mobile", "dob": "birth_date", "paid": "amount", "seen": "timestamp", "active": "text",
        "ratio": "text",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "source", "right"),
    [
        ("phone", "email", "email"),
        ("mobile", "bank_card", "bank_card"),
        ("mobile", "landline", "cn_landline"),
        ("id_card", "mobile", "cn_mobile"),
        ("备注", "mobile", "cn_mobile"),
        ("product_name", "resident_id", "cn_resident_id"),
        ("user_name", "email", "email"),
        ("账号", "mobile", "cn_mobile"),
        ("status", "religion", "religion"),
        ("city", "province", "cn_province"),
    ],
)
def test_values_outweigh_a_misleading_name(export, name, source, right):
    proposal = one(name, export[source])
    assert proposal.type.name == right
    if right != "cn_mobile" or name != "账号":
        assert proposal.level == "high"


def test_what_is_said_when_a_name_misleads(export):
    assert one("id_card", export["mobile"]).reason() == (
        "100% of the values have its form; though the name says cn_resident_id"
    )
    assert "但列名指居民身份证号码" in one("id_card", export["mobile"]).reason("zh")


@pytest.mark.parametrize("name", ["password", "密保答案", "face_feature", "病史", "alipay_account"])
def test_what_any_value_may_be_stays_as_it_is_named(export, name):
    kept = one(name, export["mobile"])
    assert kept.type.name in KEPT


def test_a_name_that_the_values_deny_gives_text_and_the_reason():
    masked = one("mobile", [f"138****{row:04}" for row in range(50)])
    assert (masked.type.name, masked.level) == ("text", "low")
    assert masked.reason() == "the name says cn_mobile, but the values are none; 100% of the values are masked already"


def test_counts_of_seconds_are_moments_where_the_name_says_so():
    seconds = [1_700_000_000 + row for row in range(50)]
    named = one("created_at", seconds)
    assert (named.type.name, named.level) == ("timestamp", "high")
    unnamed = one("x1", seconds)
    assert (unnamed.type.name, unnamed.level) == ("text", "low")
    assert "since 1970" in unnamed.reason()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Billing Phone", ["+1 512-555-0100", "+1 512-555-0101"]),
        ("Billing City", ["Austin", "Berlin"]),
        ("birthdate", ["02/03/1990", "12/31/1985"]),
        ("postcode", ["SW1A 1AA", "78701"]),
        ("imei", ["490154203237519", "861567593903815"]),
    ],
)
def test_forms_that_a_type_does_not_take_are_not_proposed(name, values):
    proposal = one(name, values)
    assert (proposal.type.name, proposal.level) == ("text", "low")
    assert "but the values are none" in proposal.reason()


@pytest.mark.parametrize(
    ("name", "values", "right"),
    [
        ("发票代码", [f"0440{row:08}" for row in range(50)], "order_number"),
        ("col_7", [f"0440{row:08}" for row in range(50)], "text"),
        ("聊天记录", ["您好，我的快递还没到，地址是人民路12号3栋，电话13812345678"] * 20, "free_text"),
        ("最新轨迹", [f"【深圳】快件已由张三(138{row:08})签收" for row in range(20)], "free_text"),
        ("收件人信息", [f"张三 138{row:08}" for row in range(20)], "free_text"),
        ("对公账号", [f"7559{row:012}" for row in range(20)], "payment_account"),
        ("退款单号", [f"T20260102{row:06}" for row in range(20)], "order_number"),
        ("订单编号", [f'="20260102{row:011}"' for row in range(20)], "order_number"),
        ("直播时长", ["02:13:45", "1:00:09"], "duration"),
        ("观看人数", ["12.5万", "3,120"], "number"),
    ],
)
def test_what_exports_of_shops_write(name, values, right):
    assert one(name, values).type.name == right


def test_two_types_in_one_column_are_told(export):
    mobiles, landlines = (export[name].drop_null().to_pylist()[:100] for name in ("mobile", "landline"))
    mixed = one("contact", mobiles + landlines)
    assert (mixed.type.name, mixed.level) == ("text", "low")
    assert set(mixed.others) == {"cn_mobile", "cn_landline"}


@pytest.mark.parametrize("values", [[None] * 9, [], ["", " ", "-", "N/A", "\\N", "无", "NULL", None]])
def test_without_values_only_the_name_counts(values):
    found = types({"手机号": values, "x": values, "password": values, "qty": values})
    assert found == {"手机号": "cn_mobile", "x": "text", "password": "password", "qty": "number"}
    told = inspect_table({"手机号": values, "x": values})
    assert [(p.level, p.blank) for p in told.proposals] == [("medium", len(values)), ("low", len(values))]
    assert all("the sample has no values" in p.reason() for p in told.proposals)


def test_an_empty_table():
    assert inspect_table({}).proposals == ()
    assert types(pa.table({"邮箱": pa.array([], pa.null())})) == {"邮箱": "email"}
    assert Policy.loads(inspect_table({}).to_toml()).fields == {}


def test_values_that_no_transform_takes():
    table = pa.table({"tags": [["a"], ["b"]], "blob": [b"\xff\xfe", b"\x00\xff"], "fingerprint": [b"\xff", b"\xfe"]})
    assert types(table) == {"tags": "text", "blob": "text", "fingerprint": "biometric_template"}


def test_few_values_prove_little():
    assert one("c", ["490154203237518"]).confidence < one("c", ["490154203237518", "861567593903814"]).confidence


@pytest.mark.parametrize(
    ("name", "values", "right"),
    [
        ("收货地址", ["浙江省杭州市西湖区文三路12号3幢401室", "上海市浦东新区世纪大道8号"], "address_detail"),
        ("home_address", ["12 Main Street, Springfield", "7 Oak Avenue Apt 3"], "address_detail"),
        ("fullName", ["Smith, John", "Zoë Okafor", "Mary Jones"], "person_name"),
        ("联系人", ["欧阳娜娜", "阿不都热合曼·买买提", "李雷"], "person_name"),
        ("item_name", ["保温杯", "李宁跑鞋", "钓鱼竿"], "text"),
        ("receiverMobile", ["+86 138-1234-5678", "139 1234 5678"], "cn_mobile"),
        ("SFZH", ["11010519491231002X", "440524188001010014"], "cn_resident_id"),
        ("user_id", [100001, 100002, 100003], "user_name"),
        ("性别", ["1", "2", "1"], "gender"),
        ("出生年月日", ["1990年1月2日", "1985/12/3"], "birth_date"),
        ("dob", ["19900102", "19851203"], "birth_date"),
        ("车牌号", ["粤B12345", "浙AD12345"], "cn_plate"),
        ("plate", ["粤B12345", "浙AD12345"], "cn_plate"),
        ("经纬度", ["22.5431,114.0579", "30.2741,120.1551"], "coordinates"),
        ("adcode", ["440305", "330106"], "cn_division"),
        ("client_ip", ["192.0.2.1", "2001:db8::1"], "ip_address"),
        ("mac", ["00:1b:44:11:3a:b7", "00-1B-44-11-3A-B8"], "mac_address"),
        ("referer", ["https://example.com/a?b=1", "http://example.org/"], "url"),
        ("税号", ["91350100M000100Y43"], "cn_credit_code"),
        ("护照号", ["E12345678", "EA1234567"], "passport"),
        ("country", ["CN", "US"], "nationality"),
        ("政治面貌", ["群众", "中共党员"], "politics"),
        ("年收入", ["5000-8000", "8000+"], "wealth"),
        ("phone_model", ["HUAWEI P60", "iPhone 15"], "device_model"),
        ("password_hash", ["$2b$12$" + "a" * 53], "password"),
        ("email_verified", [True, False], "text"),
        ("订单编号", ["20260102-000042", "20260102-000043"], "order_number"),
        ("运单号", ["SF1234567890123", "YT3579313662392"], "tracking_number"),
        ("邮编", ["518000", "310012"], "postcode"),
        ("买家会员名", ["sunny_2020", "小确幸"], "user_name"),
        ("买家支付宝账号", ["a@example.com", "b@example.com"], "payment_account"),
        ("买家应付货款", ["12.50", "¥8.00"], "amount"),
        ("宝贝标题", ["加厚保温杯大容量 男女学生便携"], "text"),
        ("Lineitem name", ["Blue Mug", "Red Mug"], "text"),
        ("user_agent", ["Mozilla/5.0 (X11; Linux x86_64)"], "free_text"),
        ("Device ID", ["6f1d4a3b-0c2e-4f5a-9b7d-8e6f5a4b3c2d"], "oaid"),
        ("手机", ["１３８１２３４５６７８", "0086 139 1234 5678"], "cn_mobile"),
        ("姓名", ["𬭎志", "买买提·艾力"], "person_name"),
        ("card", [6228480402564890018, 6222020200112230], "bank_card"),
        ("seen_by", ["F", "M"], "gender"),
        ("keyword", ["kettle", "水壶"], "search_words"),
    ],
)
def test_other_exports(name, values, right):
    proposal = one(name, values)
    assert proposal.type.name == right
    assert proposal.level != "low"


def test_a_draft_loads_and_gives_nothing(export, keys):
    found = inspect_table(export, subject="export.csv")
    policy = Policy.loads(found.to_toml())
    assert {name: field.type.name for name, field in policy.fields.items()} == RIGHT
    assert {treatment.word for treatment in policy.views["draft"].fields.values()} == {"drop"}
    assert list(policy.views["draft"].fields) == SCHEMA.names
    with pytest.raises(PolicyError, match="releases no field"):
        policy.view("draft", keys)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip), unique=True, max_size=6))
@settings(deadline=None, max_examples=60)
def test_a_draft_loads_whatever_columns_are_called(names):
    try:
        found = inspect_table({name: [None] for name in names}, subject="".join(names))
    except TableError:  # a name that is data
        return
    assert list(Policy.loads(found.to_toml()).fields) == names


def test_no_value_is_shown(export):
    shown = spoken(export)
    for name in ("mobile", "email", "resident_id", "bank_card", "customer_name", "address_detail", "imei", "user_name"):
        assert not [value for value in export[name].drop_null().to_pylist() if len(value) > 2 and value in shown]


def test_a_first_row_taken_for_names_is_not_written_down():
    with pytest.raises(TableError, match=r"look like data \(column 2\); give the table a line of names") as error:
        inspect_table({"甲": ["乙"], "13812345678": ["13912345678"]})
    assert "13812345678" not in str(error.value)


def test_a_sample_is_spread_over_the_table():
    halves = ["no"] * 5_000 + [f"1381234{row:04}" for row in range(5_000)]
    found = inspect_table({"c": halves}, rows=100)
    assert found.rows == 100
    assert found.proposals[0].others == ("cn_mobile",)
    assert inspect_table({"c": halves[:50]}, rows=100).rows == 50
    with pytest.raises(InvalidParameter, match="one row at least"):
        inspect_table({"c": []}, rows=0)


def test_every_phrase_that_is_known_is_understood_as_the_name_of_a_column():
    for types, phrases in PHRASES.items():
        for phrase in phrases.split():  # those of letters and Han too, such as `mac地址`
            assert hint(phrase) == Hint(types, exact=True), phrase


def test_words_and_shapes_are_of_types_that_there_are():
    assert {name for types in PHRASES for name in types} <= set(CATALOGUE)
    assert {shape.type for shape in SHAPES} <= set(CATALOGUE)
    assert set(CATALOGUE) == {name for types in PHRASES for name in types}
    said = [phrase for phrases in PHRASES.values() for phrase in phrases.split()]
    assert sorted(said) == sorted(set(said))


def test_languages():
    proposal = one("手机", ["13812345678"])
    assert proposal.reason("zh").startswith("列名如此；100%的值符合其格式")
    with pytest.raises(InvalidParameter, match="'en'"):
        proposal.reason("eng")


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        ("快递员 签收人 投保人 车主 户名 法定代表人 收款方 mbr_nm cust_name 客户名", "person_name"),
        ("收货人手机 注册手机号 来电号码 mob recv_mobile", "cn_mobile"),
        ("邮箱地址 E-mail mail_address", "email"),
        ("province_name prov receiver_state 籍贯 IP归属地", "cn_province"),
        ("city_name 收货城市 地级", "cn_city"),
        ("现住址 户口所在地 ship_addr 收货地址", "address_detail"),
        ("抖音号 buyer_nick cust_id openId 工号 distinct_id", "user_name"),
        ("CVV session_key 验证码 支付密码", "password"),
        ("手续费 配送费 pay_amt 押金 gmv 实收金额 税额", "amount"),
        ("支付单号 保单号 tid out_trade_no 发票号码", "order_number"),
        ("mail_no 运单 express_number 快递单号", "tracking_number"),
        ("月薪 公积金 信用额度", "wealth"),
        ("gmt_create 预计送达 下单时间 regTime", "timestamp"),
        ("birth_day 会员生日", "birth_date"),
        ("经度 lat Longitude", "coordinates"),
        ("次数 num 满意度", "number"),
        ("手机串号", "imei"),
        ("号牌号码 车辆牌照", "cn_plate"),
        ("pay_way 支付工具", "payment_method"),
    ],
)
def test_columns_are_named_as_shops_name_them(names, meant):
    for name in names.split():
        said = hint(name)
        assert said is not None, name
        assert said.types[0] == meant, name


def test_a_single_coordinate_is_a_number():
    assert one("经度", [f"114.{row:06}" for row in range(60)]).type.name == "number"
