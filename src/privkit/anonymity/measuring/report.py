"""The report on a measurement for people: one HTML page without scripts, fonts or addresses, in English or Chinese.

It holds counts and names of columns, no values.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from privkit.anonymity.measuring.plots import ABOVE, BELOW, risk_plot, sizes_plot
from privkit.anonymity.measuring.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from privkit.anonymity.measuring.measurement import Measurement
    from privkit.anonymity.measuring.risk import Attack

    Words = Mapping[str, str]

_TINY: Final = 0.001
_MANY: Final = 100

_STYLE: Final = """
:root { color-scheme: light; --ink: #1f2733; --soft: #5c6673; --line: #e3e6ea; --above: %(above)s; --below: %(below)s }
body { margin: 0; background: #f4f5f7; color: var(--ink); line-height: 1.55;
  font-family: system-ui, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC",
  "WenQuanYi Micro Hei", sans-serif }
main { max-width: 54rem; margin: 2rem auto; padding: 2.2rem 2.6rem; background: #fff; border-radius: 10px;
  box-shadow: 0 1px 4px rgba(20, 30, 50, .12) }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem }
p { margin: .4rem 0 } .soft { color: var(--soft); font-size: .88rem }
.grade { display: flex; gap: 1.4rem; align-items: center; margin: 1.4rem 0; padding: 1rem 1.3rem; border-radius: 8px;
  background: #f7f8fa; border-left: 6px solid var(--tone) }
.grade > div:first-child { white-space: nowrap } .grade strong { font-size: 1.7rem; color: var(--tone) }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .8rem }
.cards div { border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem }
.cards b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums }
figure { margin: 1.8rem 0 } figcaption { font-weight: 700 } figure svg { width: 100%%; height: auto; display: block }
.axis { display: flex; justify-content: space-between; color: var(--soft); font-size: .8rem }
.axis.under { justify-content: center }
.key::before { content: ""; display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin: 0 .4em 0 1em;
  background: var(--tone) }
table { border-collapse: collapse; width: 100%%; font-size: .92rem }
th, td { padding: .4rem 0 .4rem .6rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top }
th:first-child, td:first-child { padding-left: 0 } th { color: var(--soft); font-weight: 600; vertical-align: bottom }
.number { text-align: right; font-variant-numeric: tabular-nums } td.number { white-space: nowrap }
ul { margin: .4rem 0; padding-left: 1.2rem }
.declared { border: 1px dashed #b9c0c9; border-radius: 8px; padding: .4rem 1.2rem .8rem }
@media (max-width: 40rem) { main { padding: 1.2rem } .grade, .axis { flex-wrap: wrap } }
@media (max-width: 40rem) { td.number { white-space: normal } }
@media print { body { background: #fff } main { box-shadow: none; margin: 0 } }
@media print { figure, table, .grade { break-inside: avoid } }
""" % {"above": ABOVE, "below": BELOW}  # noqa: UP031 - style sheets are made of braces


def html_report(measurement: Measurement, *, language: str = "en", subject: str = "") -> str:
    """Write the report on a measurement.

    Args:
        measurement: What `measure` found.
        language: `en` or `zh`.
        subject: What was measured and when, such as the name of a file and a date; stands under the title.

    Returns:
        A page of HTML, whole in itself.

    Raises:
        InvalidParameter: If the report does not speak the language.
        MissingExtra: If matplotlib is not installed, the extra `report`.

    Example:
        >>> from privkit.anonymity import html_report, measure
        >>> page = html_report(measure({"age": [30, 30, 41]}, ["age"]), language="zh", subject="orders.csv")
        >>> page.startswith("<!doctype html>"), "重标识风险评估报告" in page
        (True, True)
    """
    words = words_of(language)
    body = "\n".join(
        [
            _head(measurement, words, subject),
            _cards(measurement, words),
            _findings(measurement, words),
            _plots(measurement, words),
            _quasi(measurement, words),
            _attackers(measurement, words),
            _sensitive(measurement, words),
            _population(measurement, words),
            _declared(measurement, words),
            _methods(words),
        ]
    )
    return (
        f'<!doctype html>\n<html lang="{words["html_lang"]}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{words['title']}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _head(found: Measurement, words: Words, subject: str) -> str:
    grade = found.grade
    said = words[f"level_{grade.level}"].format(risk=grade.risk, threshold=grade.threshold)
    advice = words[f"advice_{grade.level}"].format(needed=grade.needed_k)
    counts = words["measured"].format(records=f"{found.records:,}", columns=len(grade.quasi_identifiers))
    tone = "--above" if grade.level < 3 else "--below"  # noqa: PLR2004 - from level 3 on the threshold is met
    return (
        f"<h1>{words['title']}</h1>\n"
        f'<p class="soft">{escape(subject + " · ") if subject else ""}{counts} · {words[grade.release]}</p>\n'
        f'<div class="grade" style="--tone: var({tone})"><div><span class="soft">{words["grade"]}</span><br>'
        f"<strong>{words['level'].format(level=grade.level)}</strong></div><div><p>{said}</p><p>{advice}</p></div></div>"
    )


def _cards(found: Measurement, words: Words) -> str:
    cards = {
        "k": f"{found.k:,}",
        "classes": f"{found.classes:,}",
        "average": f"{found.average:,.1f}",
        "unique": f"{found.unique:,}",
        "at_risk": _share(found.risk.prosecutor.at_risk or 0, found.records),
    }
    inside = "".join(f"<div><b>{value}</b>{words[name]}</div>" for name, value in cards.items())
    return f'<div class="cards">{inside}</div>'


def _findings(found: Measurement, words: Words) -> str:
    at_risk = found.risk.prosecutor.at_risk or 0
    lines = [
        words["finding_unique" if found.unique else "finding_not_unique"].format(
            count=f"{found.unique:,}",
            records=f"{found.records:,}",
            share=_share(found.unique, found.records),
            k=found.k,
        )
    ]
    if at_risk:
        lines.append(
            words["finding_at_risk"].format(
                count=f"{at_risk:,}",
                share=_share(at_risk, found.records),
                threshold=found.grade.threshold,
                needed=found.grade.needed_k,
            )
        )
    for column in found.sensitive:
        told = {"column": column.column, "count": f"{column.one_valued:,}", "t": f"{column.t:.3f}"}
        name = "finding_one_valued" if column.one_valued else "finding_t"
        lines.append(words[name].format(share=_share(column.one_valued, found.records), **told))
    return f"<h2>{words['findings']}</h2>\n" + _list(lines)


def _plots(found: Measurement, words: Words) -> str:
    keys = (
        f'<span><span class="key" style="--tone: var(--above)">'
        f"{words['legend_above'].format(threshold=found.grade.threshold)}</span>"
        f'<span class="key" style="--tone: var(--below)">{words["legend_below"]}</span></span>'
    )
    plots = {
        "sizes": sizes_plot(found.class_sizes, found.grade.needed_k),
        "curve": risk_plot(found.class_sizes, float(found.grade.threshold)),
    }
    return "\n".join(
        f"<figure><figcaption>{words[name]}</figcaption>"
        f'<div class="axis"><span>{words[name + "_y"]}</span>{keys}</div>\n'
        f'{plot}<div class="axis under">{words[name + "_x"]}</div></figure>'
        for name, plot in plots.items()
    )


def _quasi(found: Measurement, words: Words) -> str:
    if len(found.quasi) == 1:
        return ""
    names = ("column", "values", "k_without", "unique_without", "at_risk_without")
    rows = [
        [
            column.column,
            f"{column.values:,}",
            f"{column.k_without:,}",
            _count_and_share(column.unique_without, found.records),
            _count_and_share(column.at_risk_without, found.records),
        ]
        for column in sorted(found.quasi, key=lambda column: (column.at_risk_without, column.unique_without))
    ]
    heads = [words[name] for name in names]
    return f'<h2>{words["without"]}</h2>\n{_table(heads, rows)}\n<p class="soft">{words["without_note"]}</p>'


def _attackers(found: Measurement, words: Words) -> str:
    risk = found.risk
    attackers: dict[str, Attack] = {
        "prosecutor": risk.prosecutor,
        "journalist": risk.journalist,
        "marketer": risk.marketer,
    }
    rows = [
        [
            words[name],
            _percent(attack.highest),
            _percent(attack.average),
            _count_and_share(attack.at_risk, found.records),
        ]
        for name, attack in attackers.items()
    ]
    heads = [words[name] for name in ("attacker", "highest", "mean", "records_at_risk")]
    return f'<h2>{words["attackers"]}</h2>\n{_table(heads, rows)}\n<p class="soft">{words["basis_" + risk.basis]}</p>'


def _sensitive(found: Measurement, words: Words) -> str:
    if not found.sensitive:
        return ""
    names = ("column", "values", "l", "entropy_l", "recursive", "t", "distance", "one_valued")
    rows = [
        [
            column.column,
            f"{column.values:,}",
            str(column.l),
            f"{column.entropy_l:.2f}",
            _number(column.recursive[2]),
            f"{column.t:.3f}",
            words[column.distance],
            _share(column.one_valued, found.records),
        ]
        for column in found.sensitive
    ]
    return f"<h2>{words['sensitive']}</h2>\n" + _table([words[name] for name in names], rows)


def _population(found: Measurement, words: Words) -> str:
    people = found.population
    if people is None:
        return ""
    rows = [
        [words["population_size"], f"{people.size:,}"],
        [words["k_map" if people.counted else "k_map_expected"], _number(people.k_map)],
    ]
    if people.delta_min is not None and people.delta_max is not None:
        rows.append([words["delta"], f"{_percent(people.delta_min)}, {_percent(people.delta_max)}"])
        rows.append([words["unknown"], f"{people.unknown:,}"])
    if found.uniqueness is not None:
        for name, uniques in found.uniqueness.uniques.items():
            share = _percent(uniques / people.size)
            if name == "counted":
                rows.append([words["uniques_counted"], share])
                continue
            shown = {"pitman": "Pitman", "zayatz": "Zayatz", "snb": "SNB"}[name]
            note = f"{shown}; {words['chosen']}" if name == found.uniqueness.chosen else shown
            rows.append([words["uniques"], words["by"].format(share=share, name=note)])
    return f"<h2>{words['population']}</h2>\n" + _table([], rows)


def _declared(found: Measurement, words: Words) -> str:
    grade = found.grade
    rows = [
        [words["quasi_identifiers"], ", ".join(grade.quasi_identifiers)],
        [words["sensitive"].lower(), ", ".join(column.column for column in found.sensitive) or words["none"]],
        [words["identifiers"], ", ".join(grade.identifiers) or words["none"]],
        [words["release"], f"{words[grade.release]} ({grade.threshold})"],
    ]
    if found.population and not found.population.counted:
        rows.append([words["population_size"], f"{found.population.size:,}"])
    return (
        f'<h2>{words["declared"]}</h2>\n<div class="declared"><p class="soft">{words["declared_note"]}</p>\n'
        f"{_table([], rows, numbers=False)}</div>"
    )


def _methods(words: Words) -> str:
    lines = [words[f"method_{name}"] for name in ("k", "l", "risk", "population", "level")]
    return f'<h2>{words["methods"]}</h2>\n<div class="soft">{_list(lines)}</div>\n<p class="soft">{words["footer"]}</p>'


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True) -> str:
    """A table; all columns but the first hold numbers, unless it is said that they do not."""

    def row(cells: Sequence[str], tag: str) -> str:
        marks = ["", *[' class="number"' if numbers else ""] * (len(cells) - 1)]
        inside = "".join(f"<{tag}{mark}>{escape(cell)}</{tag}>" for mark, cell in zip(marks, cells, strict=True))
        return f"<tr>{inside}</tr>"

    top = f"<thead>{row(heads, 'th')}</thead>" if heads else ""
    return f"<table>{top}<tbody>{''.join(row(cells, 'td') for cells in rows)}</tbody></table>"


def _count_and_share(count: int | None, whole: int) -> str:
    return "–" if count is None else f"{count:,} ({_share(count, whole)})"


def _share(count: int, whole: int) -> str:
    return _percent(count / whole)


def _percent(share: float) -> str:
    """A share, so that what is not nothing does not look like nothing, and what is not all not like all."""
    if 0 < share < _TINY:
        return f"{share:.2%}" if share >= _TINY / 10 else "< 0.01%"
    return "99.9%" if 1 - _TINY / 2 < share < 1 else f"{share:.1%}"


def _number(value: float) -> str:
    if value == float("inf"):
        return "∞"
    return f"{value:,.0f}" if value >= _MANY or value.is_integer() else f"{value:,.2f}"
