"""Files in and out: what a cell means, what is refused and how, and that nothing half written is left behind."""

import gzip
import io
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privkit.errors import InvalidParameter, TableError
from privkit.policy.files import BATCH_ROWS, csv_source, open_sink, open_source, parquet
from privkit.policy.files.landing import Landing

DATUM = "13812345678"
"""A value of the data, which no message may hold."""


@pytest.fixture
def csv_file(tmp_path):
    def make(data, name="in.csv"):
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return make


def rows(path, columns=None, **options):
    with open_source(path, **options) as source:
        names = columns or source.names
        return [row for batch in source.batches(names) for row in batch.to_pylist()]


def copy(source_path, target_path, *, force=False, encoding="utf-8", output_encoding="utf-8"):
    with (
        open_source(source_path, encoding=encoding) as source,
        open_sink(target_path, like=source, force=force, encoding=output_encoding) as sink,
    ):
        sink.start(source.schema)
        for batch in source.batches(source.names):
            sink.write(batch)


def write(path, *batches, then=lambda: None, **options):
    with open_sink(path, **options) as sink:
        sink.start(batches[0].schema)
        for batch in batches:
            sink.write(batch)
        then()


def listed(folder):
    return sorted(path.name for path in Path(folder).iterdir())


# What a cell means


def test_cells_are_text_and_empty_is_null_and_quoted_empty_is_not(csv_file):
    path = csv_file('a,b\n007,\n1.50,""\n')
    assert rows(path) == [{"a": "007", "b": None}, {"a": "1.50", "b": ""}]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xef\xbb\xbfa,b\n1,2\n", [{"a": "1", "b": "2"}]),
        (b'a,b\r\n1,"2\r\n3"\r\n', [{"a": "1", "b": "2\r\n3"}]),
        (b"a,b\r1,2\r", [{"a": "1", "b": "2"}]),
        (b'a,b\n1,"he said ""no"""', [{"a": "1", "b": 'he said "no"'}]),
        (b'a,b\n5" disk,2', [{"a": '5" disk', "b": "2"}]),
        (b"\n\na,b\n1,2\n\n\n3,4", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        (b'a\n1\n\n""\n', [{"a": "1"}, {"a": None}, {"a": ""}]),
        (b'"a,b\n"\n1\n', [{"a,b\n": "1"}]),
        (b"a,b\n", []),
        (b"a,b", []),
        (b"a", []),
    ],
)
def test_forms_of_csv(csv_file, data, expected):
    assert rows(csv_file(data)) == expected


def test_a_subset_of_columns_comes_in_the_order_asked(csv_file):
    path = csv_file(b"a,b,c\n1,2,\xff\n")
    assert [list(row.items()) for row in rows(path, ["b", "a"])] == [[("b", "2"), ("a", "1")]]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig", "gbk", "big5"])
def test_encodings(csv_file, encoding):
    path = csv_file("名,註\n張三,在門口\n".encode(encoding))
    assert rows(path, encoding=encoding) == [{"名": "張三", "註": "在門口"}]


@pytest.mark.parametrize("name", ["in.csv.gz", "in.tsv", "IN.CSV", "in.tsv.gz"])
def test_endings(csv_file, name):
    data = b"a\tb\n1\t2\n" if "tsv" in name else b"a,b\n1,2\n"
    path = csv_file(gzip.compress(data) if name.endswith("gz") else data, name)
    assert rows(path) == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize(
    ("name", "header", "said"),
    [
        ("in.csv", "姓名\t手机\n", r"parted by tabs, and not by commas; let its name end in \.tsv"),
        ("in.csv", '"姓名"\t"手机"\n', "parted by tabs"),
        ("in.csv.gz", "姓名\t手机\n", "parted by tabs"),
        ("in.csv", "姓名;手机\n", "parted by semicolons, and not by commas; write the file with commas"),
        ("in.csv", '"姓名";"手机"\n', "parted by semicolons"),
        ("in.csv", "sep=;\n姓名;手机\n", "parted by semicolons"),
        ("in.csv", "姓名|手机\n", "parted by vertical bars"),
        ("in.tsv", "姓名,手机\n", r"parted by commas, and not by tabs; let its name end in \.csv"),
        ("in.tsv", '"姓名","手机"\n', "parted by commas"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_file_with_another_delimiter_is_no_single_column(csv_file, name, header, said, encoding):
    data = (header + header.replace("姓名", DATUM)).encode(encoding)
    with pytest.raises(TableError, match=said) as caught:
        rows(csv_file(gzip.compress(data) if name.endswith("gz") else data, name), encoding=encoding)
    assert DATUM not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_single_name_in_quotes_may_hold_any_mark(csv_file, encoding):
    assert rows(csv_file('"a;b|c\td"\n1\n'.encode(encoding)), encoding=encoding) == [{"a;b|c\td": "1"}]
    assert rows(csv_file('"a;b\nc",d;e\n1,2\n'.encode(encoding)), encoding=encoding) == [{"a;b\nc": "1", "d;e": "2"}]


def test_a_cell_longer_than_a_block_and_cells_across_blocks(csv_file, monkeypatch):
    monkeypatch.setattr(csv_source, "_BLOCK", 64)
    long = "x\n" * 1000
    path = csv_file('a,b\n1,2\n\n3,4\n5,"' + long + '"\n7,8\n' + "9,10\n" * 100)
    got = rows(path)
    assert [row["a"] for row in got] == ["1", "3", "5", "7"] + ["9"] * 100
    assert got[2]["b"] == long


def test_a_row_without_end_is_refused(csv_file, monkeypatch):
    monkeypatch.setattr(csv_source, "_BLOCK", 64)
    monkeypatch.setattr(csv_source, "_LARGEST_BLOCK", 256)
    with pytest.raises(TableError, match="longer than"):
        rows(csv_file('a,b\n1,2\n3,"' + DATUM * 1000))


def test_many_rows_come_in_batches(csv_file):
    count = 3 * BATCH_ROWS + 5
    path = csv_file("a,b\n" + "".join(f"{i},\n" for i in range(count)))
    with open_source(path) as source:
        sizes, values = [], []
        for batch in source.batches(["a"]):
            sizes.append(batch.num_rows)
            values += batch.column(0).to_pylist()
        assert source.fraction() == 1
    assert max(sizes) <= BATCH_ROWS
    assert values == [str(i) for i in range(count)]


cells = st.none() | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from('",\r\n张\ufeff '), max_size=8
)


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(1, 3), st.sampled_from(["utf-8", "gb18030", "utf-16"]))
def test_csv_round_trip(tmp_path_factory, data, width, encoding):
    table = data.draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=6))
    columns = [pa.array([row[i] for row in table], pa.string()) for i in range(width)]
    batch = pa.RecordBatch.from_arrays(columns, [f"c{i}" for i in range(width)])
    path = tmp_path_factory.mktemp("csv") / "out.csv"
    write(path, batch.slice(0, 2), batch.slice(2), encoding=encoding)
    with open_source(path, encoding=encoding) as source:
        assert source.names == batch.schema.names
        assert [r for part in source.batches(source.names) for r in part.to_pylist()] == batch.to_pylist()
    if encoding == "utf-8" and width > 1 and batch.num_rows:  # another reader agrees where its model has both empties
        options = pacsv.ConvertOptions(
            default_column_type=pa.string(),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        )
        read = pacsv.read_csv(
            io.BytesIO(path.read_bytes()),
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
            convert_options=options,
        )
        assert read.to_pylist() == batch.to_pylist()


def test_output_is_as_plain_as_it_can_be(tmp_path):
    batch = pa.RecordBatch.from_pydict(
        {"id": ["007", "8", "9"], "note": ["plain", "", None], "say": ['a"b', "a,b", " c "]},
    )
    write(tmp_path / "out.csv", batch)
    assert (tmp_path / "out.csv").read_text() == 'id,note,say\n007,plain,"a""b"\n8,"","a,b"\n9,, c \n'


def test_typed_columns_are_written_in_canonical_text(tmp_path):
    batch = pa.RecordBatch.from_pydict(
        {
            "day": pa.array([0, None], pa.date32()),
            "at": pa.array([np.datetime64("2026-01-02T03:04:05", "us"), None]),
            "paid": pa.array(["12.50", None]).cast(pa.decimal128(12, 2)),
            "n": [1, None],
            "kind": pa.array(["x", "y"]).dictionary_encode(),
        }
    )
    write(tmp_path / "out.tsv", batch)
    assert (tmp_path / "out.tsv").read_text() == (
        "day\tat\tpaid\tn\tkind\n1970-01-01\t2026-01-02T03:04:05\t12.50\t1\tx\n\t\t\t\ty\n"
    )


def test_a_character_that_the_output_encoding_lacks(tmp_path):
    batch = pa.RecordBatch.from_pydict({"a": ["x", "𠮷"]})
    with pytest.raises(TableError, match="rows 0 to 1 has a character that gbk does not") as caught:
        write(tmp_path / "out.csv", batch, encoding="gbk")
    assert "𠮷" not in str(caught.value)
    assert listed(tmp_path) == []


# What is refused, and how


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n", "is empty"),
        (f"a,b\n1,2\n1,2,{DATUM}\n".encode(), r"row 1 \(from 0\) has 3 cells, the header 2"),
        (f"a,b\n1,2\n\n{DATUM}\n".encode(), r"row 1 \(from 0\) has 1 cells, the header 2"),
        (f"a,b\n1,2\n{DATUM},".encode() + b"\xff\n", r"row 1 \(from 0\): bytes that are not utf-8"),
        (b"a,\xff\n1,2\n", "line 1: bytes that are not utf-8"),
        ("名,b\n".encode("gb18030"), "line 1: bytes that are not utf-8"),
        (f'a,b\n1,2\n3,"{DATUM}\n4,5\n'.encode(), r"row 1 \(from 0\) has a quote that is not closed"),
        (f'a,b\n1,"{DATUM}'.encode(), r"row 0 \(from 0\) has a quote that is not closed"),
        (b"a,a\n1,2\n", "column 'a' occurs 2 times"),
        (b"a,,c\n1,2\n", "column 2 has no name"),
        (b'"a"b,c\n', "not a CSV file"),
        (b'"a,b\n1,2\n', "not a CSV file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "not a CSV file in utf-8: it holds binary data"),
        (b"PAR1" + b"\x15\x04" * 9, "not a CSV file in utf-8: it holds binary data"),
    ],
)
def test_not_a_csv(csv_file, data, message):
    with pytest.raises(TableError, match=message) as caught:
        rows(csv_file(data))
    assert "\n" not in str(caught.value)
    assert DATUM not in str(caught.value)
    assert caught.value.__cause__ is None


def test_bytes_of_another_encoding_are_found_by_line(csv_file):
    path = csv_file("a,b\n张,三\n1,2\n".encode("gb18030") + b"\xff\xff,1\n")
    with pytest.raises(TableError, match="line 4: bytes that are not gb18030"):
        rows(path, encoding="gb18030")


def test_a_cut_gzip(csv_file):
    whole = gzip.compress(b"a,b\n" + os.urandom(3000).hex().encode() + b",1\n")
    with pytest.raises(TableError, match="not a whole gzip file"):
        rows(csv_file(whole[:-200], "in.csv.gz"))
    with pytest.raises(TableError, match="not a whole gzip file"):
        rows(csv_file(b"a,b\n", "in.csv.gz"))


def test_unknown_things(csv_file, tmp_path):
    with pytest.raises(TableError, match=r"unknown file ending; files end in \.csv"):
        open_source(csv_file("a", "in.xlsx"))
    with pytest.raises(TableError, match="unknown file ending"):
        open_sink(tmp_path / "out")
    for wrong in ("nope", "rot13", "hex"):
        with pytest.raises(InvalidParameter, match="no text encoding"):
            open_source(csv_file("a"), encoding=wrong)
        with pytest.raises(InvalidParameter, match="no text encoding"):
            open_sink(tmp_path / "out.csv", encoding=wrong)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        open_source(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError):
        open_source(_folder(tmp_path / "folder.csv"))


def _folder(path):
    path.mkdir()
    return path


# Parquet


@pytest.fixture
def parquet_file(tmp_path):
    def make(table, name="in.parquet", **options):
        pq.write_table(table, tmp_path / name, **options)
        return tmp_path / name

    return make


def test_parquet_goes_through_unchanged(parquet_file, tmp_path):
    table = pa.table(
        {
            "id": pa.array(range(10)),
            "day": pa.array(range(10), pa.date32()),
            "text": ["张", None, ""] + ["x"] * 7,
            "kind": pa.array(["a", "b"] * 5).dictionary_encode(),
            "a": ["1"] * 10,
            "a.b": ["2"] * 10,
        }
    )
    source = parquet_file(table, row_group_size=4)
    copy(source, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").equals(table)
    assert rows(source, ["a"])[0] == {"a": "1"}


def test_compression_is_that_of_the_source_and_metadata_is_not(parquet_file, tmp_path):
    table = pa.table({"a": ["x"] * 100, "b": ["y"] * 100, "c": ["z"] * 100}).replace_schema_metadata(
        {"pandas": '{"columns": ["dropped"]}'}
    )
    copy(parquet_file(table, compression={"a": "ZSTD", "b": "NONE", "c": "SNAPPY"}), tmp_path / "out.parquet")
    out = pq.ParquetFile(tmp_path / "out.parquet")
    group = out.metadata.row_group(0)
    assert [group.column(i).compression for i in range(3)] == ["ZSTD", "UNCOMPRESSED", "SNAPPY"]
    assert out.schema_arrow.metadata is None
    assert b"dropped" not in (tmp_path / "out.parquet").read_bytes()


def test_row_groups_are_large_however_small_the_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 100)
    schema = pa.schema([("a", pa.int64())])
    with open_sink(tmp_path / "out.parquet") as sink:
        sink.start(schema)
        for first in range(0, 250, 10):
            sink.write(pa.RecordBatch.from_arrays([pa.array(range(first, first + 10))], schema=schema))
    metadata = pq.ParquetFile(tmp_path / "out.parquet").metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [100, 100, 50]
    assert pq.read_table(tmp_path / "out.parquet")["a"].to_pylist() == list(range(250))


def test_an_empty_parquet_gives_an_empty_one(parquet_file, tmp_path):
    table = pa.table({"a": pa.array([], pa.int64())})
    copy(parquet_file(table), tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").equals(table)


def test_nested_columns_are_refused_where_they_are_used(parquet_file):
    path = parquet_file(pa.table({"a": [1], "tags": [["x"]]}))
    assert rows(path, ["a"]) == [{"a": 1}]
    with pytest.raises(TableError, match="column 'tags' is nested"):
        rows(path)


def test_not_a_parquet(parquet_file):
    path = parquet_file(pa.table({"a": [str(i) for i in range(9999)]}), compression="NONE", use_dictionary=False)
    whole = path.read_bytes()
    for data in (b"", b"a,b\n", whole[:-10], whole[:5000]):
        path.write_bytes(data)
        with pytest.raises(TableError, match="not a Parquet file, or is damaged or cut short"):
            open_source(path)
    path.write_bytes(whole[:4] + b"\xff" * 60 + whole[64:])
    with pytest.raises(TableError, match="damaged or cut short, soon after row 0"):
        rows(path)


def test_parquet_columns_need_names_of_their_own(tmp_path):
    schema = pa.schema([("a", pa.int64()), ("a", pa.int64())])
    with pq.ParquetWriter(tmp_path / "in.parquet", schema) as writer:
        writer.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], schema=schema))
    with pytest.raises(TableError, match="column 'a' occurs 2 times"):
        open_source(tmp_path / "in.parquet")


# Landing


def test_an_existing_file_is_only_replaced_by_force(csv_file, tmp_path):
    path = csv_file("a,b\n1,2\n")
    out = csv_file("old", "out.csv")
    with pytest.raises(TableError, match="exists already; replace it with force=True"):
        copy(path, out)
    assert out.read_text() == "old"
    copy(path, out, force=True)
    assert out.read_text() == "a,b\n1,2\n"
    assert listed(tmp_path) == ["in.csv", "out.csv"]


def test_the_source_is_never_overwritten(csv_file, tmp_path):
    path = csv_file("a,b\n1,2\n")
    (tmp_path / "soft.csv").symlink_to(path)
    (tmp_path / "hard.csv").hardlink_to(path)
    for target in ("in.csv", "soft.csv", "hard.csv", "../" + tmp_path.name + "/in.csv"):
        with pytest.raises(TableError, match="is the same file as"):
            copy(path, tmp_path / target, force=True)
    assert path.read_text() == "a,b\n1,2\n"


def test_other_files_can_be_spared(csv_file, tmp_path):
    with pytest.raises(TableError, match="is the same file as"):
        open_sink(csv_file("x", "keyring.csv"), force=True, apart_from=[tmp_path / "keyring.csv"])


def test_files_to_spare_need_not_exist(csv_file, tmp_path):
    missing = tmp_path / "missing.csv"
    old = csv_file("old", "old.csv")
    assert Landing(old, force=True, apart_from=(missing,)).path == old
    with pytest.raises(TableError, match="exists already"):
        Landing(old, force=False, apart_from=(missing,))
    with pytest.raises(TableError, match="is the same file as"):
        Landing(missing, force=True, apart_from=(tmp_path / "." / "missing.csv",))


def test_a_folder_is_no_file_whatever_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for opened in (open_source, open_sink):
        for folder in (".", "..", tmp_path):
            with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
                opened(folder)


def test_the_remedy_for_bytes_of_another_encoding_fits_the_one_that_was_named(csv_file):
    with pytest.raises(TableError, match=r"not utf-8; name the file's encoding, as in --encoding gb18030"):
        rows(csv_file("a,b\n张,三\n".encode("gb18030")))
    with pytest.raises(TableError, match=r"not gb18030; is it utf-8\? leave --encoding away"):
        rows(csv_file("a,b\n张三丰,\n".encode(), "other.csv"), encoding="gb18030")


def test_the_folder_has_to_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder of"):
        open_sink(tmp_path / "none" / "out.csv")
    with pytest.raises(IsADirectoryError):
        open_sink(_folder(tmp_path / "out.csv"), force=True)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_interrupted_run_leaves_nothing(tmp_path, ending, error):
    batch = pa.RecordBatch.from_pydict({"a": ["x"]})
    target = tmp_path / f"out{ending}"
    target.write_text("old")

    def interrupt():
        assert len(listed(tmp_path)) == 2
        raise error

    with pytest.raises(error):
        write(target, batch, force=True, then=interrupt)
    assert listed(tmp_path) == [target.name]
    assert target.read_text() == "old"


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_an_interruption_while_the_file_is_opened_leaves_nothing(tmp_path, ending, monkeypatch):
    opened = Landing.open

    def interrupted(landing):
        opened(landing)
        raise KeyboardInterrupt

    monkeypatch.setattr(Landing, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / f"out{ending}", pa.RecordBatch.from_pydict({"a": ["x"]}))
    assert listed(tmp_path) == []


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    target = tmp_path / "out.csv"
    batch = pa.RecordBatch.from_pydict({"a": ["x"]})
    with pytest.raises(TableError, match="exists already"):
        write(target, batch, then=lambda: target.write_text("theirs"))
    assert target.read_text() == "theirs"
    assert listed(tmp_path) == ["out.csv"]


def test_a_link_stays_a_link(csv_file, tmp_path):
    path = csv_file("a,b\n1,2\n")
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    copy(path, tmp_path / "link.csv", force=True)
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "a,b\n1,2\n"


def test_a_sink_that_was_never_started_writes_nothing(tmp_path):
    with open_sink(tmp_path / "out.csv"):
        pass
    assert listed(tmp_path) == []
