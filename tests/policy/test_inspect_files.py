"""Samples of files: spread over them, typed columns as they are, and what is refused."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privkit.demo import batches
from privkit.demo.export import write
from privkit.errors import InvalidParameter, TableError
from privkit.policy.files import open_source
from privkit.policy.inspect import inspect_file, inspect_table
from privkit.policy.inspect.headers import hint
from privkit.policy.inspect.sample import sample_of


def types(found):
    return {proposal.column: proposal.type.name for proposal in found.proposals}


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_file_is_told_as_its_table_is(tmp_path, ending):
    write(tmp_path / f"export{ending}", 1500, seed=4, batch_rows=400)
    found = inspect_file(tmp_path / f"export{ending}", rows=1000)
    assert types(found) == types(inspect_table(pa.Table.from_batches(batches(1500, seed=4))))
    assert (found.subject, found.rows) == (f"export{ending}", 1000)


def test_of_parquet_each_part_is_seen(tmp_path):
    groups = [[f"{group}-{row}" for row in range(100)] for group in range(20)]
    with pq.ParquetWriter(tmp_path / "t.parquet", pa.schema([("c", pa.string())])) as writer:
        for group in groups:
            writer.write_table(pa.table({"c": group}))
    with open_source(tmp_path / "t.parquet") as source:
        taken = sample_of(source, 80)["c"].to_pylist()
    assert len(taken) == 80
    seen = [int(value.split("-")[0]) for value in taken]
    assert (seen[0], seen[-1], len(set(seen))) == (0, 19, 8)
    with open_source(tmp_path / "t.parquet") as source:
        assert sample_of(source, 10_000)["c"].to_pylist() == [value for group in groups for value in group]


def test_of_csv_the_first_rows_and_some_that_follow(tmp_path):
    (tmp_path / "t.csv").write_text("c\n" + "".join(f"{row}\n" for row in range(1000)))
    with open_source(tmp_path / "t.csv") as source:
        taken = [int(value) for value in sample_of(source, 100)["c"].to_pylist()]
    assert len(taken) == 100
    assert taken[:50] == list(range(50))
    assert taken[-1] == 999
    assert taken == sorted(set(taken))


def test_nested_columns_keep_their_place(tmp_path):
    pq.write_table(
        pa.table({"手机": ["13812345678"], "tags": [["x"]], "邮箱": ["a@example.com"]}), tmp_path / "t.parquet"
    )
    found = inspect_file(tmp_path / "t.parquet")
    assert types(found) == {"手机": "cn_mobile", "tags": "text", "邮箱": "email"}
    assert "no transform takes" in found.proposals[1].reason()
    pq.write_table(pa.table({"tags": [["x"]]}), tmp_path / "n.parquet")
    assert types(inspect_file(tmp_path / "n.parquet")) == {"tags": "text"}


def test_files_without_rows(tmp_path):
    (tmp_path / "t.csv").write_text("手机,x\n")
    pq.write_table(pa.table({"手机": pa.array([], pa.int64())}), tmp_path / "t.parquet")
    assert types(inspect_file(tmp_path / "t.csv")) == {"手机": "cn_mobile", "x": "text"}
    assert types(inspect_file(tmp_path / "t.parquet")) == {"手机": "cn_mobile"}


def test_other_encodings_and_packed_files(tmp_path):
    text = "姓名,手机\n张三,13812345678\n李小龙,13912345678\n"
    (tmp_path / "t.csv").write_text(text, encoding="gb18030")
    (tmp_path / "t.tsv.gz").write_bytes(gzip.compress(text.replace(",", "\t").encode()))
    wanted = {"姓名": "person_name", "手机": "cn_mobile"}
    assert types(inspect_file(tmp_path / "t.csv", encoding="gb18030")) == wanted
    assert types(inspect_file(tmp_path / "t.tsv.gz")) == wanted


def test_what_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("张三,13812345678\n李小龙,13912345678\n")
    with pytest.raises(TableError, match="look like data") as error:
        inspect_file(tmp_path / "t.csv")
    assert "13812345678" not in str(error.value)
    with pytest.raises(InvalidParameter, match="one row at least"):
        inspect_file(tmp_path / "t.csv", rows=0)
    (tmp_path / "t.parquet").write_bytes(b"PAR1 is not all")
    with pytest.raises(TableError, match="not a Parquet file"):
        inspect_file(tmp_path / "t.parquet")
    with pytest.raises(FileNotFoundError):
        inspect_file(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("收货人手机号", "cn_mobile"),
        ("receiverMobile", "cn_mobile"),
        ("RECEIVER_MOBILE", "cn_mobile"),
        ("ContactPhoneNo", "cn_mobile"),
        ("customerphone", "cn_mobile"),
        ("user id", "user_name"),
        ("userID", "user_name"),
        ("身份证号码（加密前）", "cn_resident_id"),
        ("id_card_no", "cn_resident_id"),
        ("身份证地址", "address_detail"),
        ("登录IP", "ip_address"),
        ("ip", "ip_address"),
        ("shop_name", "text"),
        ("mobile_status", "text"),
        ("health_note", "health"),
        ("delivery_note", "free_text"),
        ("password_changed_at", "timestamp"),
        ("sfz", "cn_resident_id"),
        ("ＥＭＡＩＬ", "email"),
    ],
)
def test_what_a_name_says(name, first):
    said = hint(name)
    assert said is not None
    assert said.types[0] == first


@pytest.mark.parametrize("name", ["", "x", "foo", "字段", "xmas", "descent", "3", "__", "grande"])
def test_what_says_nothing(name):
    assert hint(name) is None
