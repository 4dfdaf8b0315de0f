"""Views with anonymity: what they ask, what they give, and that they give nothing else."""

import datetime as dt
import json
import re
from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privkit import Policy
from privkit.anonymity import Hierarchy, Plan, measure
from privkit.anonymity.recoding.apply import Applier
from privkit.errors import InvalidParameter, InvalidValue, PolicyError, TableError, Unmet
from privkit.policy import Anonymity, View
from privkit.policy.files import csv_source, open_sink, open_source, parquet
from privkit.policy.stream import apply_file

CITIES = ["杭州市", "宁波市", "广州市", "深圳市", "成都市"]
ILLS = ["flu", "gout", "asthma", "angina"]

POLICY = """
[fields.order]
type = "order_number"
[fields.birth_date]
type = "birth_date"
[fields.city]
type = "cn_city"
[fields.amount]
type = "amount"
[fields.ill]
type = "text"
[fields.mobile]
type = "cn_mobile"
[fields.note]
type = "free_text"

[views.research.fields]
birth_date = "keep"
city = "keep"
amount = "keep"
ill = "keep"
mobile = "token"

[views.research.anonymity]
k = 5
l = 2
quasi_identifiers = ["birth_date", "city", "amount"]
sensitive = ["ill"]

[views.research.anonymity.hierarchies]
birth_date = ["month", "year", "decade"]
city = ["province", "region"]
amount = { intervals = [10, 100] }
"""


def people(rows=400, seed=7):
    rng = np.random.default_rng(seed)
    days = [dt.date(1960, 1, 1) + dt.timedelta(days=int(day)) for day in rng.integers(0, 9000, rows)]
    return {
        "order": [f"20260102-{row:06}" for row in range(rows)],
        "birth_date": [None if row % 40 == 3 else day for row, day in enumerate(days)],
        "city": [CITIES[place] for place in rng.integers(0, 5, rows)],
        "amount": [Decimal(int(cents)) / 100 for cents in rng.integers(0, 30_000, rows)],
        "ill": [ILLS[ill] for ill in rng.choice(4, rows, p=[0.5, 0.3, 0.1, 0.1])],
        "mobile": [f"138{row:08}" for row in range(rows)],
        "note": ["" for _ in range(rows)],
    }


def as_text(table):
    return {name: [None if cell is None else str(cell) for cell in column] for name, column in table.items()}


def classes(table, names=("birth_date", "city", "amount")):
    return Counter(zip(*(table[name] for name in names), strict=True))


def view(keys, *changes, name="research"):
    text = POLICY
    for was, now in changes:
        assert was in text
        text = text.replace(was, now)
    return Policy.loads(text).view(name, keys)


def with_parameters(keys, more):
    return view(keys, ("k = 5\nl = 2\n", f"k = 5\nl = 2\n{more}\n"))


CONTAINERS = {
    "rows": lambda table: [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)],
    "columns": lambda table: table,
    "arrow": pa.table,
    "batch": pa.RecordBatch.from_pydict,
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
}


def columns_of(table):
    if isinstance(table, list):
        return {name: [row[name] for row in table] for name in table[0]}
    if isinstance(table, pa.Table | pa.RecordBatch):
        return table.to_pydict()
    if isinstance(table, pd.DataFrame):
        return pa.Table.from_pandas(table).to_pydict()
    return table.to_dict(as_series=False) if isinstance(table, pl.DataFrame) else table


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_view_gives_what_meets_its_models_in_every_container(keys, container):
    table = CONTAINERS[container](people())
    applied = view(keys).run(table)
    assert type(applied.table) is type(table)
    out = columns_of(applied.table)
    assert list(out) == ["birth_date", "city", "amount", "ill", "mobile"]
    found = measure({name: out[name] for name in out if name != "mobile"}, ["birth_date", "city", "amount"], ["ill"])
    assert found.k >= 5
    assert found.l >= 2
    assert (applied.plan.report.k, applied.plan.report.sensitive["ill"].l) == (found.k, found.l)
    assert out["ill"] == people()["ill"]
    assert len(set(out["mobile"])) == 400


def test_text_is_read_as_what_its_type_says(keys):
    """A CSV file gives the result that a typed table gives."""
    bound = with_parameters(keys, 'output = "sets"')
    typed, text = bound.apply(people()), bound.apply(as_text(people()))
    assert text == typed
    assert any(re.fullmatch(r"\[\d{4}-\d\d-\d\d, \d{4}-\d\d-\d\d\]", cell) for cell in text["birth_date"])
    assert any(re.fullmatch(r"\[[\d.]+, [\d.]+\]", cell) for cell in text["amount"])


def test_two_spellings_of_a_value_are_one(keys):
    table = {"birth_date": ["1990-05-17"] * 3 + ["1990年5月17日"] * 3, "city": ["杭州"] * 3 + ["杭州市"] * 3}
    table |= {"amount": ["12", "", "12", "12", "", "12"], "ill": ["flu", "gout"] * 3, "mobile": [""] * 6}
    out = with_parameters(keys, "").apply(table)
    assert set(out["birth_date"]) == {"1990-05-17"}
    assert set(out["city"]) == {"杭州市"}
    assert set(out["amount"]) == {"*"}


def test_a_column_that_nothing_happens_to_keeps_its_type(keys):
    table = pa.table(people(8) | {"birth_date": pa.array([dt.date(1990, 1, 2)] * 8), "amount": pa.array([7] * 8)})
    out = view(keys).apply(table)
    assert out.schema.field("birth_date").type == pa.date32()
    assert out.schema.field("amount").type == pa.int64()


def test_results_do_not_change(keys):
    bound = with_parameters(keys, 'output = "sets"')
    assert bound.apply(people()) == bound.apply(people())


def test_other_treatments_come_first(keys):
    bound = view(
        keys,
        ('birth_date = "keep"', 'birth_date = { transform = "generalise", to = "year" }'),
        ('birth_date = ["month", "year", "decade"]\n', ""),
    )
    out = bound.apply(people())
    assert {"1969", "1970"} & set(out["birth_date"]) or any(".." in str(cell) for cell in out["birth_date"])
    assert min(classes(out).values()) >= 5


def test_records_are_dropped_up_to_the_limit(keys):
    bound = with_parameters(keys, 'recoding = "full_domain"\nsuppression = 0.1')
    applied = bound.run(people())
    dropped = applied.plan.report.suppressed
    assert 0 < dropped <= 40
    assert len(applied.table["mobile"]) == 400 - dropped
    assert min(classes(applied.table).values()) >= 5


def test_what_cannot_be_met_is_refused(keys):
    few = {name: column[:4] for name, column in people().items()}
    with pytest.raises(Unmet, match=re.escape("smaller than k (4 < 5)")):
        view(keys).apply(few)
    with pytest.raises(Unmet, match=re.escape("fewer distinct values than l (1 < 2)")):
        view(keys).apply(people() | {"ill": ["flu"] * 400})
    with pytest.raises(TableError, match="is null throughout"):
        view(keys).apply(people() | {"birth_date": [None] * 400})
    with pytest.raises(TableError, match="the table is empty"):
        view(keys).apply({name: [] for name in people()})
    with pytest.raises(TableError):
        view(keys).apply([])
    with pytest.raises(InvalidValue):
        view(keys).apply(people() | {"amount": [float("inf")] * 400})


def test_an_uncovered_value_is_counted_by_level_and_not_shown(keys, tmp_path):
    (tmp_path / "ills.csv").write_text("flu;airways\ngout;joints\n", encoding="utf-8")
    path = tmp_path / "policy.toml"
    changed = POLICY.replace("l = 2\n", "t = 0.5\n").replace("[views.research.anonymity.hierarchies]\n", "\\g")
    path.write_text(
        changed.replace("\\g", '[views.research.anonymity.hierarchies]\nill = "ills.csv"\n'), encoding="utf-8"
    )
    with pytest.raises(InvalidParameter, match=re.escape("2 of 4 on level 'level 1'")) as caught:
        Policy.load(path).view("research", keys).apply(people())
    assert "angina" not in str(caught.value)


def test_levels_of_a_later_table_are_those_of_a_plan(keys, tmp_path):
    bound = with_parameters(keys, 'recoding = "full_domain"\nsuppression = 0.1')
    first = bound.run(people())
    first.plan.save(tmp_path / "plan.json")
    plan = Plan.load(tmp_path / "plan.json")
    later = bound.run(people(seed=8), plan=plan)
    assert later.plan.generalisations == first.plan.generalisations
    with pytest.raises(Unmet, match="at the plan's levels"):
        bound.run(people(30, seed=9), plan=plan)
    with pytest.raises(PolicyError, match="for other models"):
        view(keys).run(people(), plan=plan)
    other = with_parameters(keys, 'recoding = "full_domain"\nsuppression = 0.2')
    with pytest.raises(PolicyError, match="for other models"):
        other.run(people(), plan=plan)
    with pytest.raises(InvalidParameter, match="takes none here"):
        Policy.loads(POLICY + '[views.plain.fields]\ncity = "keep"\n').view("plain").run(people(), plan=plan)


def test_what_was_recoded_is_not_revealed(keys):
    bound = view(keys, ('mobile = "token"', 'mobile = "fpe"'), ('city = "keep"', 'city = "keep"\nnote = "encrypt"'))
    assert bound.reversible == ("note", "mobile")
    out = bound.apply(people() | {"note": ["at the door"] * 400})
    back = bound.reveal(out)
    assert back["mobile"] == people()["mobile"]
    assert back["birth_date"] == out["birth_date"]
    with pytest.raises(TableError, match="recoding cannot"):
        view(keys).reveal(view(keys).apply(people()))


@pytest.mark.parametrize("word", ["fpe", "token", '{ transform = "encrypt", deterministic = true }'])
def test_protected_values_may_be_quasi_identifiers(keys, word):
    changes = [('city = "keep"', f"city = {word}" if word[0] == "{" else f'city = "{word}"')]
    if word == "fpe":
        changes = [('amount = "keep"', 'order = "fpe"'), ('"city", "amount"', '"city", "order"')]
        changes.append(("amount = { intervals = [10, 100] }\n", ""))
    else:
        changes.append(('city = ["province", "region"]\n', ""))
    names = ("birth_date", "city", "order" if word == "fpe" else "amount")
    out = view(keys, *changes).apply(people())
    assert min(classes(out, names).values()) >= 5


WRONG = [
    ("k = 5", "kk = 5", 25, "anonymity has no 'kk'; did you mean 'k'?"),
    ("k = 5\n", "", 24, "anonymity needs k"),
    ("k = 5", "k = 0", 25, "k is 0; it must be a whole number from 1"),
    ("k = 5", 'k = "5"', 25, "k of anonymity is a whole number, not text"),
    ("l = 2", "l = 1.5", 26, "l of anonymity is a whole number"),
    ("l = 2", "t = 1.5", 26, "t is 1.5; it must be above 0 and at most 1"),
    ("l = 2", 'l = 2\nrecoding = "global"', 27, "no recoding 'global'; did you mean 'local'?"),
    ("l = 2", "l = 2\ndelta = 0.5", 27, "delta needs a population"),
    ("l = 2", 'l = 2\npopulation = "people.csv"', 27, "a population is named, and no delta is asked"),
    ("l = 2", "l = 2\ndelta = 0.5\npopulation = 7", 28, "population is a file or a table, not a whole number"),
    ("l = 2", 'l = 2\ndelta = 2\npopulation = "p.csv"', 27, "delta is 2; it must be a chance"),
    ("l = 2", 'l = 2\ndelta = [0.1, 0.5]\noutput = "sets"\npopulation = "p.csv"', 27, "needs output='labels'"),
    ("l = 2", 'l = 2\noutput = "label"', 27, "no output 'label'; did you mean 'labels'?"),
    ("l = 2", 'l = 2\neffort = "much"', 27, "no effort 'much'"),
    ("l = 2", "l = 2\nsuppression = 1", 27, "suppression is 1"),
    ("l = 2", "l = 2\nweights = { citi = 2 }", 27, "a weight for 'citi'"),
    ("l = 2", "l = 2\nweights = [1]", 27, "weights should be a table"),
    (
        'quasi_identifiers = ["birth_date", "city", "amount"]',
        "quasi_identifiers = 3",
        27,
        "should be an array of names",
    ),
    ('"birth_date", "city", "amount"]', '"city", "city", "amount"]', 27, "quasi_identifiers names 'city' twice"),
    ('"birth_date", "city", "amount"]', '"birth_date", "city", "amount", "order"]', 27, "which the view does not give"),
    ('sensitive = ["ill"]', 'sensitive = ["ill", "city"]', 28, "both a quasi-identifier and sensitive"),
    ('sensitive = ["ill"]\n', "", 26, "l and t are asked of sensitive columns, and none is named"),
    ('sensitive = ["ill"]', 'sensitive = ["pay"]', 28, "sensitive names 'pay', which the view does not give"),
    ("l = 2\n", "", 27, "sensitive columns are named, and neither l nor t is asked"),
    ('"region"]', '"regoin"]', 32, "hierarchy of 'city': cn_city has no level 'regoin'; did you mean 'region'?"),
    ("amount = { intervals", "amount = { interval", 33, "no kind 'interval'; did you mean 'intervals'?"),
    ("[10, 100] }", "[10, 15] }", 33, "do not nest"),
    ("[10, 100] }", "[10, 100], begin = 5 }", 33, "intervals has no parameter 'begin'"),
    ("[10, 100] }", '[10, 100], start = "5" }', 33, "start is a number, not text"),
    ("{ intervals = [10, 100] }", "{ prefix = [2] }", 33, "prefix needs the parameter 'length'"),
    ("{ intervals = [10, 100] }", "{ prefix = [2], intervals = [5] }", 33, "two kinds"),
    ("{ intervals = [10, 100] }", '{ dates = ["yaer"] }', 33, "a date has no part 'yaer'"),
    ("{ intervals = [10, 100] }", "7", 33, "a hierarchy is a file, an array of levels or a table"),
    ("{ intervals = [10, 100] }", '"nowhere.csv"', 33, "hierarchy file 'nowhere.csv' cannot be read: no such file"),
    ("amount = { intervals", "amuont = { intervals", 33, "a hierarchy of 'amuont'"),
    ('city = "keep"', 'city = { transform = "encrypt" }', 27, "encrypt gives other results each time"),
    ('city = "keep"', 'city = "mask"', 32, "levels are of the type's own values, and the view changes them"),
]


@pytest.mark.parametrize(("was", "now", "line", "message"), WRONG)
def test_what_is_wrong_is_said_with_its_line(was, now, line, message, tmp_path):
    assert was in POLICY
    path = tmp_path / "policy.toml"
    path.write_text(POLICY.replace(was, now), encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        Policy.load(path)
    assert message in str(caught.value)
    assert caught.value.line == line


def test_every_kind_of_hierarchy_is_made():
    made = {
        '{ dates = ["month", "year"] }': ("value", "month", "year", "*"),
        "{ intervals = [5, 10], start = 1 }": ("value", "by 5", "by 10", "*"),
        "{ prefix = [4, 2], length = 6 }": ("value", "first 4", "first 2", "*"),
        '{ ordering = ["low", "mid", "high", "top"], sizes = [2] }': ("value", "groups of 2", "*"),
        '{ divisions = ["city", "province"] }': ("value", "city", "province", "*"),
        '{ levels = ["year"] }': ("value", "year", "*"),
        '["year", "decade"]': ("value", "year", "decade", "*"),
        '[{ to = "age_band", on = "2026-01-01" }]': ("value", "age_band on=2026-01-01", "*"),
        '[{ to = "age_band", on = 2026-01-01 }]': ("value", "age_band on=2026-01-01", "*"),
    }
    for said, levels in made.items():
        policy = Policy.loads(POLICY.replace('["month", "year", "decade"]', said))
        asked = policy.views["research"].anonymity
        anonymiser = asked.anonymiser({name: policy.fields[name].type for name in asked.columns})
        assert anonymiser.quasi["birth_date"].levels == levels
    assert Policy.loads(POLICY.replace('["month", "year", "decade"]', "{ from_data = 3, fanout = 4 }"))


def test_python_says_the_same(keys):
    asked = Anonymity(
        quasi_identifiers=["birth_date", "city", "amount"],
        sensitive=["ill"],
        k=5,
        l=2,
        hierarchies={
            "birth_date": Hierarchy.dates(["month", "year", "decade"]),
            "city": ["province", "region"],
            "amount": {"intervals": [10, 100]},
        },
    )
    known = Policy.loads(POLICY)
    fields = {name: field.type for name, field in known.fields.items()}
    said = {**known.views["research"].fields}
    policy = Policy(fields, {"research": View(said, anonymity=asked)})
    assert policy.view("research", keys).apply(people()) == view(keys).apply(people())
    again = Policy(fields, {"research": View(said, anonymity={"k": 5, "quasi_identifiers": ["city"]})})
    assert min(Counter(again.view("research", keys).apply(people())["city"]).values()) >= 5


def register():
    """Five times the people, of which those of the table are the first; without the rest of its columns."""
    crowd = as_text(people(2000))
    return {name: crowd[name] for name in ("birth_date", "city", "amount")}


@pytest.mark.parametrize("recoding", ["local", "full_domain"])
def test_chances_are_held_against_a_population(keys, tmp_path, recoding):
    table = {name: column[:400] for name, column in people(2000).items()}
    write_csv(tmp_path / "people.csv", register())
    changed = POLICY.replace("l = 2\n", f'l = 2\nrecoding = "{recoding}"\ndelta = 0.4\npopulation = "people.csv"\n')
    (tmp_path / "policy.toml").write_text(changed, encoding="utf-8")
    applied = Policy.load(tmp_path / "policy.toml").view("research", keys).run(table)
    assert 0 < applied.plan.report.delta[1] <= 0.4
    names = ["birth_date", "city", "amount"]
    typed = {"birth_date": people(2000)["birth_date"], "city": register()["city"], "amount": people(2000)["amount"]}
    found = measure(applied.table, names, population=typed, hierarchies=applied.plan.hierarchies)
    assert found.population.delta_max == applied.plan.report.delta[1]
    write_csv(tmp_path / "in.csv", table)
    bound = Policy.load(tmp_path / "policy.toml").view("research", keys)
    summary = run_file(bound, tmp_path / "in.csv", tmp_path / "out.csv")
    assert summary.as_dict()["anonymity"]["reached"]["delta"] == applied.plan.report.delta


def test_a_population_in_memory_and_one_that_does_not_fit(keys):
    table = {name: column[:400] for name, column in people(2000).items()}
    said = {"k": 5, "delta": 0.4, "quasi_identifiers": ["birth_date", "city", "amount"]}
    fields = {name: field.type for name, field in Policy.loads(POLICY).fields.items()}
    given = {"birth_date": "keep", "city": "keep", "amount": "keep"}

    def applied(population):
        policy = Policy(fields, {"research": View(given, anonymity=Anonymity(**said, population=population))})
        return policy.view("research", keys).run(table)

    assert applied(pa.table(register())).plan.report.delta[1] <= 0.4
    with pytest.raises(TableError, match="the population has no column 'amount'"):
        applied({name: register()[name] for name in ("birth_date", "city")})
    with pytest.raises(TableError, match="must hold all of its people"):
        applied({name: column[:40] for name, column in register().items()})


# --- files ----------------------------------------------------------------------------------------------------------


def run_file(bound, source, target, **options):
    with open_source(source) as opened:
        return apply_file(bound, opened, open_sink(target, like=opened), **options)


def write_csv(path, table):
    pd.DataFrame(as_text(table)).to_csv(path, index=False)


def read_csv(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("list")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_gives_what_its_table_gives(keys, tmp_path, ending, monkeypatch):
    """In many batches, of which the first has no records of the later ones' classes."""
    for module in (csv_source, parquet):
        monkeypatch.setattr(module, "BATCH_ROWS", 64, raising=False)
    source, target = tmp_path / f"in.{ending}", tmp_path / f"out.{ending}"
    if ending == "csv":
        write_csv(source, people())
    else:
        pq.write_table(pa.table(people()), source)
    shares = []
    summary = run_file(view(keys), source, target, progress=lambda _rows, share: shares.append(share))
    assert summary.rows == 400
    assert summary.plan.report.k >= 5
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    out = read_csv(target) if ending == "csv" else pq.read_table(target).to_pydict()
    alone = columns_of(view(keys).apply(people()))
    assert {name: [cell or None for cell in column] for name, column in out.items()} == alone
    described = json.loads(json.dumps(summary.as_dict()))["anonymity"]
    assert described["asked"]["k"] == 5
    assert described["reached"]["k"] >= 5
    assert not any(value in json.dumps(described) for value in [*CITIES, *ILLS, "13800000001", "196"])


def test_nothing_is_written_where_the_models_are_not_met(keys, tmp_path):
    write_csv(tmp_path / "in.csv", people() | {"ill": ["flu"] * 400})
    with pytest.raises(Unmet):
        run_file(view(keys), tmp_path / "in.csv", tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_nothing_is_written_where_the_file_changes_between_the_passes(keys, tmp_path):
    pq.write_table(pa.table(people()), tmp_path / "in.parquet")
    bound = view(keys)
    with open_source(tmp_path / "in.parquet") as opened:
        batches, passes = opened.batches, []

        def changed(names):
            passes.append(names)
            for batch in batches(names):
                yield batch.slice(len(passes) - 1)

        opened.batches = changed
        with pytest.raises(TableError, match="1 of 400 records"):
            apply_file(bound, opened, open_sink(tmp_path / "out.parquet", like=opened))
    assert passes[0] == ["birth_date", "city", "amount", "ill"]
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_nothing_is_written_where_the_output_is_not_as_planned(keys, tmp_path, monkeypatch):
    """The output is measured for itself: an applier that errs is found."""
    whole = Applier.apply

    def astray(self, batch, read=None):
        out = whole(self, batch, read)
        return out.set_column(1, "city", pa.array(["杭州市", *out.column("city").to_pylist()[1:]])) if len(out) else out

    monkeypatch.setattr(Applier, "apply", astray)
    pq.write_table(pa.table(people()), tmp_path / "in.parquet")
    with pytest.raises(Unmet, match=r"1 of [0-9]+ classes of the output do not meet the models"):
        run_file(view(keys), tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


def test_invalid_cells_are_named_by_their_row_in_the_file(keys, tmp_path):
    table = people()
    table["birth_date"][77] = "1990-02-30"
    write_csv(tmp_path / "in.csv", table)
    with pytest.raises(InvalidValue) as caught:
        run_file(view(keys), tmp_path / "in.csv", tmp_path / "out.csv")
    assert (caught.value.column, caught.value.rows) == ("birth_date", (77,))


def test_later_files_keep_the_levels_of_a_plan(keys, tmp_path):
    bound = with_parameters(keys, 'recoding = "full_domain"\nsuppression = 0.1')
    for month in (1, 2):
        write_csv(tmp_path / f"{month}.csv", people(seed=month))
    first = run_file(bound, tmp_path / "1.csv", tmp_path / "1.out.csv")
    later = run_file(bound, tmp_path / "2.csv", tmp_path / "2.out.csv", plan=first.plan)
    assert later.plan.generalisations == first.plan.generalisations
    with pytest.raises(InvalidParameter, match="a plan is for applying a view with anonymity"):
        run_file(bound, tmp_path / "1.out.csv", tmp_path / "3.csv", plan=first.plan, direction="reveal")
