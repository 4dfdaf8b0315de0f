"""The HTML report: whole in itself, in two languages, with counts and names and no values."""

import builtins
import re
from html.parser import HTMLParser
from string import Formatter

import pytest

from privkit.anonymity import measure
from privkit.anonymity.measuring.plots import risk_plot, sizes_plot
from privkit.anonymity.measuring.report import html_report
from privkit.anonymity.measuring.words import LANGUAGES
from privkit.errors import InvalidParameter, MissingExtra

VOID = {"meta", "br"}


class Checked(HTMLParser):
    """A parser that minds whether elements are closed in their order, and collects what stands in them."""

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.references, self.text, self.tags = [], [], [], [], set()
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        for name in ("href", "src", "clip-path"):
            self.references += [given[name]] if name in given else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def found():
    table = {
        "age": [31, 31, 31, 47, 47, 58, 58, 58, 58, 69],
        "<b>city</b>": ["hangzhou"] * 10,
        "ill": ["flu", "flu", "flu", "gout", "asthma", "flu", "gout", "asthma", "flu", "ulcer"],
    }
    return measure(table, ["age", "<b>city</b>"], ["ill"], release="enclave", population_size=400)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_in_itself(found, language):
    page = html_report(found, language=language, subject="a & b.csv")
    checked = Checked(page)
    assert checked.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert "://" not in page
    assert "url(http" not in page
    assert len(set(checked.ids)) == len(checked.ids)
    assert {reference.strip("url()#") for reference in checked.references} <= set(checked.ids)
    assert page.count("<svg") == page.count("</svg>") == 2
    assert "a & b.csv" in "".join(checked.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_holds_names_of_columns_and_no_values(found, language):
    page = html_report(found, language=language)
    text = "".join(Checked(page).text)
    assert "<b>city</b>" in text
    assert "ill" in text
    assert "<b>city" not in page.replace("&lt;b&gt;city", "")
    shown = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert not any(value in shown for value in ("hangzhou", "flu", "gout", "asthma", "ulcer", ">58<", ">69<"))


def test_it_says_what_was_measured(found):
    text = "".join(Checked(html_report(found)).text)
    assert "level 2" in text
    assert "a risk of 1, above the acceptable 1/3" in text
    assert "1 of 10 records (10.0%) are alone in their class" in text
    assert "3 records (30.0%) have a risk above 1/3" in text
    assert "ill: 4 records (40.0%) are in classes in which everybody has the same value" in text
    assert "controlled" not in re.sub("1/5 controlled", "", text)
    assert "Declared by a person" in text


def test_it_says_which_column_the_risk_comes_from(found):
    page = html_report(found)
    rows = re.findall(r"<tr>(.*?)</tr>", page[page.index("Which column the risk comes from") :])[1:3]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    assert cells[0] == ["age", "4", "10", "0 (0.0%)", "0 (0.0%)"]
    assert cells[1][1:] == ["1", "1", "1 (10.0%)", "3 (30.0%)"]
    assert "Which column" not in html_report(measure({"age": [1, 2]}, ["age"]))


def test_a_table_that_meets_the_threshold_is_told_so():
    text = "".join(Checked(html_report(measure({"age": [1] * 20, "ill": [1, 2] * 10}, ["age"], ["ill"]))).text)
    assert "level 3" in text
    assert "No record is alone in its class" in text
    assert "the class that differs most is 0.000 away" in text
    assert "have a risk above" not in text


def test_direct_identifiers_are_level_1_in_chinese():
    found = measure({"age": [1] * 20, "phone": ["x"] * 20}, ["age"], identifiers=["phone"])
    text = "".join(Checked(html_report(found, language="zh")).text)
    assert "1 级" in text
    assert "请删除直接标识符" in text
    assert "phone" in text


def test_a_population_that_was_counted():
    found = measure({"age": [1, 2]}, ["age"], population={"age": [1, 1, 2, 3]})
    text = "".join(Checked(html_report(found)).text)
    assert "delta-presence" in text
    assert "0.0%, 100.0%" in text
    assert "counted in the population that was given" in text


@pytest.mark.parametrize(("language", "said"), [("en", "as the table shows them"), ("zh", "由数据集直接得出")])
def test_where_nobody_is_unique_nothing_is_said_to_be_estimated(language, said):
    found = measure({"age": [1, 1, 2, 2]}, ["age"], population_size=100)
    text = "".join(Checked(html_report(found, language=language)).text)
    assert said in text
    assert "unique in the population, estimated" not in text
    assert "总体中唯一者（估计）" not in text


def test_the_same_measurement_gives_the_same_page(found):
    assert html_report(found) == html_report(found)


def test_both_languages_say_the_same_things():
    english, chinese = LANGUAGES["en"], LANGUAGES["zh"]
    assert english.keys() == chinese.keys()
    for name, words in english.items():
        places = [{field for _, field, _, _ in Formatter().parse(one) if field} for one in (words, chinese[name])]
        assert places[0] == places[1], name
    assert not any(re.search(r"[\u4e00-\u9fff][,:;()]|[,:;()][\u4e00-\u9fff]", words) for words in chinese.values())


def test_bars_are_shares_of_records_by_size():
    text = sizes_plot([(1, 30), (3, 10), (4, 5), (1200, 1)], needed=5)
    labels = re.findall(r">([\d.]+%)</text>", text)
    assert [label for label in labels if "." in label] == ["2.3%", "3.9%", "93.8%"]
    assert re.findall(r">(\d[\d,]*(?:–\d+|\+)?)</text>", text) == [
        "1", "2", "3–4", "5–9", "10–19", "20–49", "50–99", "100–999", "1,000+",
    ]  # fmt: skip


def test_risks_are_marked_where_they_are():
    text = risk_plot([(1, 3), (40, 2)], threshold=0.2)
    assert re.findall(r">(1(?:/[\d,]+)?)</text>", text) == [
        "1",
        "1/2",
        "1/3",
        "1/5",
        "1/10",
        "1/20",
        "1/50",
    ]


def test_a_language_that_it_does_not_speak(found):
    with pytest.raises(InvalidParameter, match="does not speak 'fr'"):
        html_report(found, language="fr")


def test_without_matplotlib_the_extra_is_named(found, monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtra, match=r"privkit\[report\]"):
        html_report(found)
