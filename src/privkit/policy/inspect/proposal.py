"""Deciding for one type, from what a column's name says and what its values show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from privkit.columns.kinds import Kind
from privkit.fields.registry import CATALOGUE
from privkit.fields.texts import AnyText
from privkit.policy.inspect.headers import Hint, hint
from privkit.policy.inspect.lexicon import KEPT, NO_TYPE_SAID
from privkit.policy.inspect.reasons import Reason, reason_text
from privkit.policy.inspect.shapes import SHAPES, fit

if TYPE_CHECKING:
    from privkit.fields.base import FieldType
    from privkit.policy.inspect.look import Look

HIGH: Final = 0.85
MEDIUM: Final = 0.6
"""From which confidence on it is called so; what is below is low, and `text` is proposed."""
_EXACT, _PARTLY = 0.85, 0.7
"""What a name is worth that says the type and nothing else, or among other things."""
_FITS: Final = 0.35
"""What it adds that the values could be of the type, where its form alone proves nothing."""
_ACCEPTED: Final = 0.8
"""The share of rows that must look like a type that the name does not say."""
_ACCEPTED_NAMED: Final = 0.5
_BY_NAME_ALONE: Final = 0.65
_UNCLEAR: Final = 0.2
_STARS: Final = re.compile(r"\*{2}|^[^*]\*|\*[^*]$")
_EPOCH: Final = re.compile(r"1\d{9}(?:\d{3})?")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A type for a column. It holds no value of the column.

    Attributes:
        column: The column's name.
        type: The type.
        confidence: From 0 to 1; how far it is from a guess, not a frequency.
        reasons: Why, as words and numbers; `reason` says it in a language.
        rows: How many rows were seen.
        blank: How many of them held nothing.
        valid: The share of the others that are valid of the type, as far as was looked.
        others: Names of other types that were near, likeliest first.
    """

    column: str
    type: FieldType
    confidence: float
    reasons: tuple[Reason, ...]
    rows: int
    blank: int
    valid: float
    others: tuple[str, ...] = ()

    @property
    def level(self) -> str:
        """The confidence in a word: `high`, `medium` or `low`."""
        return "high" if self.confidence >= HIGH else "medium" if self.confidence >= MEDIUM else "low"

    def reason(self, language: str = "en") -> str:
        """Why, in `en` or `zh`."""
        return reason_text(self.reasons, language)

    def as_dict(self) -> dict[str, Any]:
        """What it says, for JSON."""
        return {
            "column": self.column,
            "type": self.type.name,
            "title": self.type.title,
            "title_zh": self.type.title_zh,
            "category": self.type.category.value,
            "sensitivity": self.type.sensitivity.value,
            "confidence": round(self.confidence, 2),
            "level": self.level,
            "reason": self.reason(),
            "reason_zh": self.reason("zh"),
            "rows": self.rows,
            "blank": self.blank,
            "valid": round(self.valid, 4),
            "others": list(self.others),
        }


class _Candidate(NamedTuple):
    score: float
    type: str
    share: float
    how: str
    worth: float
    named: bool


def propose(look: Look) -> Proposal:
    """Propose a type for a column.

    Values that prove a type outweigh a name that says another: names are copied, and columns are put to other uses.
    Only where the name says what is never released, or what the law calls sensitive and any value may be, does it
    stand: to take such a column for something lesser would be the worse mistake.
    """
    said = hint(look.name)
    if not look.values:
        return _without_values(look, said)
    found = sorted(_candidates(look, said), reverse=True)
    if found and found[0].score >= MEDIUM:
        return _chosen(look, said, found)
    return _unclear(look, said, found)


def _candidates(look: Look, said: Hint | None) -> list[_Candidate]:
    types = said.types if said else ()
    named = (_EXACT if said.exact else _PARTLY) if said else 0.0
    best: dict[str, _Candidate] = {}
    for shape in SHAPES:
        share = shape.share(look)
        worth = shape.worth(look, share)
        name = "birth_date" if shape.type == "date" and "birth_date" in types else shape.type  # a day is a day
        is_named = name in types
        if worth and share >= (_ACCEPTED_NAMED if is_named else _ACCEPTED):
            score = 1 - (1 - worth) * (1 - named * _order(types, name))
            _keep(best, _Candidate(score, name, share, shape.how, worth, is_named))
    for name in types:
        share = fit(look, name)
        if share >= _ACCEPTED_NAMED:
            anything = isinstance(CATALOGUE[name], AnyText)
            how = "impersonal" if name in NO_TYPE_SAID else "any" if anything else "fits"
            worth = 0.0 if anything else _FITS * share
            score = 1 - (1 - worth) * (1 - named * _order(types, name))
            kept = 1.0 if name in KEPT and name == types[0] and score >= MEDIUM else score
            _keep(best, _Candidate(kept, name, share, how, worth, named=True))
    return list(best.values())


def _keep(best: dict[str, _Candidate], one: _Candidate) -> None:
    if one.type not in best or best[one.type] < one:
        best[one.type] = one


def _order(types: tuple[str, ...], name: str) -> float:
    """What a name is worth for one of the types that it may mean: a little less for each that is likelier."""
    return 1 - 0.1 * types.index(name) if name in types else 0.0


def _chosen(look: Look, said: Hint | None, found: list[_Candidate]) -> Proposal:
    best = found[0]
    reasons = [Reason("name", exact=said.exact)] if said and best.named and best.type not in NO_TYPE_SAID else []
    reasons.append(Reason(best.how, share=best.share))
    if said and not best.named and said.types[0] not in NO_TYPE_SAID:
        reasons.append(Reason("misnamed", other=said.types[0]))
    valid = look.valid(CATALOGUE[best.type])
    if valid < 1 - 1e-9:
        reasons.append(Reason("invalid", share=1 - valid))
    others = tuple(one.type for one in found[1:] if one.score >= MEDIUM)[:3]
    score = best.score if best.type not in KEPT else max(_named_score(said), best.worth)
    return _proposal(look, best.type, score, reasons, valid=valid, others=others)


def _named_score(said: Hint | None) -> float:
    return (_EXACT if said.exact else _PARTLY) if said else 0.0


def _without_values(look: Look, said: Hint | None) -> Proposal:
    if look.rows and look.kind is None:
        return _proposal(look, "text", 0.0, [Reason("nested")], valid=0.0)
    if look.rows and look.blank == 0:
        name = said.types[0] if said and said.types[0] in KEPT else "text"
        return _proposal(look, name, _BY_NAME_ALONE if said and name in KEPT else 0.0, [Reason("bytes")], valid=0.0)
    if said and said.types[0] not in NO_TYPE_SAID:
        reasons = [Reason("name", exact=said.exact), Reason("empty")]
        return _proposal(
            look, said.types[0], _BY_NAME_ALONE if said.exact else MEDIUM, reasons, valid=0.0, others=said.types[1:]
        )
    return _proposal(look, "text", 0.0, [Reason("empty")], valid=0.0)


def _unclear(look: Look, said: Hint | None, found: list[_Candidate]) -> Proposal:
    """No type is clear: free text where somebody wrote it, else any text."""
    reasons = []
    if said and said.types[0] not in NO_TYPE_SAID:
        reasons.append(Reason("contradicted", other=said.types[0]))
    masked = look.share(_STARS.search)
    if masked >= _ACCEPTED_NAMED:
        reasons.append(Reason("masked", share=masked))
    if look.share(_EPOCH.fullmatch) >= _ACCEPTED:
        reasons.append(Reason("epoch"))
    near = sorted(((shape.share(look), shape.type) for shape in SHAPES), reverse=True)
    mixed = [(share, name) for share, name in near if 0.2 <= share < _ACCEPTED][:2]  # noqa: PLR2004 - worth telling
    reasons += [Reason("partly", share=share, other=name) for share, name in mixed]
    if found:
        reasons.append(Reason(found[0].how, share=found[0].share))
    if not reasons:
        reasons.append(Reason("boolean" if look.kind is Kind.BOOLEAN else "unclear"))
    near_types = [one.type for one in found] + [name for _, name in mixed]
    name = "free_text" if found and found[0].type == "free_text" else "text"
    others = tuple(dict.fromkeys(other for other in near_types if other != name))[:3]
    return _proposal(look, name, found[0].score / 2 if found else _UNCLEAR, reasons, valid=1.0, others=others)


def _proposal(
    look: Look, name: str, confidence: float, reasons: list[Reason], *, valid: float, others: tuple[str, ...] = ()
) -> Proposal:
    kind = CATALOGUE[name]
    return Proposal(look.name, kind, confidence, tuple(reasons), look.rows, look.blank, valid, others)
