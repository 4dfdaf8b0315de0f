"""Why a type is proposed, in words; never with a value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from privkit.errors import InvalidParameter
from privkit.fields.registry import CATALOGUE
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Attributes:
        word: Which one.
        share: The share of rows that it speaks of.
        other: The name of another type that it speaks of.
        exact: Whether the column's name says the type and nothing else.
    """

    word: str
    share: float = 0.0
    other: str = ""
    exact: bool = False


_EN: Final[Mapping[str, str]] = {
    "name": "the name says so",
    "partly_named": "part of the name says so",
    "form": "{share} of the values have its form",
    "check": "{share} of the values pass its check digit",
    "table": "{share} of the values are in its table",
    "words": "{share} of the values are words for it",
    "hash": "{share} of the values are written like stored passwords",
    "names": "{share} of the values have a surname or given name",
    "lifetimes": "{share} of the values are days, over a lifetime apart",
    "sentences": "{share} of the values are written text",
    "within": "{share} of the values hold a mobile number among other words",
    "masked": "{share} of the values are masked already",
    "fits": "{share} of the values could be it",
    "any": "any value may be it",
    "impersonal": "by its name it says nothing of a person by itself",
    "misnamed": "though the name says {other}",
    "invalid": "{share} of the values are not valid: decide on_invalid",
    "contradicted": "the name says {other}, but the values are none",
    "partly": "{share} of the values look like {other}",
    "empty": "the sample has no values",
    "nested": "its values are of a kind that no transform takes",
    "bytes": "its values cannot be read as text",
    "boolean": "yes or no, without a telling name",
    "epoch": "numbers like seconds or milliseconds since 1970",
    "unclear": "neither name nor values say what it is",
}
_ZH: Final[Mapping[str, str]] = {
    "name": "列名如此",
    "partly_named": "列名中有此含义",
    "form": "{share}的值符合其格式",
    "check": "{share}的值通过其校验位",
    "table": "{share}的值在其代码表中",
    "words": "{share}的值是其常用词",
    "hash": "{share}的值形如存储的密码",
    "names": "{share}的值带有姓氏或人名",
    "lifetimes": "{share}的值是日期，跨度如同一代人",
    "sentences": "{share}的值是成句文字",
    "within": "{share}的值在文字中含有手机号码",
    "masked": "{share}的值已经脱敏（带星号）",
    "fits": "{share}的值可以是它",
    "any": "任何值都可能是它",
    "impersonal": "从列名看，它本身不涉及个人",
    "misnamed": "但列名指{other}",
    "invalid": "{share}的值无效：请决定 on_invalid",
    "contradicted": "列名指{other}，但值不是",
    "partly": "{share}的值像{other}",
    "empty": "样本中没有值",
    "nested": "其值的类型无法处理",
    "bytes": "其值不能读作文本",
    "boolean": "是或否，列名没有说明",
    "epoch": "像是 1970 年以来的秒数或毫秒数",
    "unclear": "列名和值都不能说明它是什么",
}
_LANGUAGES: Final = {"en": (_EN, "; "), "zh": (_ZH, "；")}
LANGUAGES: Final = tuple(_LANGUAGES)
"""The languages of reasons."""


def reason_text(reasons: Iterable[Reason], language: str = "en") -> str:
    """Say reasons in a language.

    Raises:
        InvalidParameter: If it is none of `LANGUAGES`.
    """
    if language not in _LANGUAGES:
        raise InvalidParameter(f"no language {language!r}{nearest(language, LANGUAGES)}")
    words, comma = _LANGUAGES[language]
    said = []
    for reason in reasons:
        word = "partly_named" if reason.word == "name" and not reason.exact else reason.word
        other = CATALOGUE[reason.other].title_zh if reason.other and language == "zh" else reason.other
        said.append(words[word].format(share=_percent(reason.share, up=reason.word == "invalid"), other=other))
    return comma.join(said)


def _percent(share: float, *, up: bool) -> str:
    """A share that is never rounded to all or to nothing: 99.97 % is not 100 %."""
    percent = math.ceil(share * 100 - 1e-9) if up else math.floor(share * 100 + 1e-9)
    return f"{percent}%"
