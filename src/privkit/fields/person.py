"""Field types of a person: name, gender, ethnicity."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.base import Category, FieldType, Sensitivity
from privkit.fields.bytesets import (
    CONTINUATION,
    LETTERS,
    byteset,
    cut,
    is_ascii,
    places,
    printable,
    rows_at,
    tight,
    where,
    without,
)
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import IDEOGRAPHS, tidy
from privkit.fields.texts import Choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DOTS = dict.fromkeys(map(ord, "•‧∙⋅・･●"), "·")
"""What people type for the dot of a name, and the dot that GB 18030 and ID cards have (U+00B7)."""
_MARKS = frozenset("·-'’. ")
_HAN = re.compile(rf"[{IDEOGRAPHS}·\s]+")
_PLAIN_HAN = re.compile(r"[\u4e00-\u9fff]{1,64}")
"""Most names of a Chinese column; nothing in this range is changed by NFKC."""
_HAN_DOT = re.compile(rf"(?<=[{IDEOGRAPHS}])\s*\.\s*(?=[{IDEOGRAPHS}])")
"""A full stop between Han, which stands for the dot."""
_SHORT = 64


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PersonName(FieldType):
    """A person's name: letters of any script, Han beyond the basic plane too, with `·`, hyphens, apostrophes, spaces.

    Canonical is NFKC with single spaces; dots are `·`, and a name in Han has no spaces.
    """

    def normalise(self, text: str) -> str:
        """Bring one value into canonical form."""
        if _PLAIN_HAN.fullmatch(text):
            return text
        name = tidy(text.translate(_DOTS)).translate(_DOTS)
        name = _HAN_DOT.sub("·", name)
        if _HAN.fullmatch(name):
            name = name.replace(" ", "")
        if not name or len(name) > _SHORT:
            raise self.invalid(f"it has {len(name)} characters (needed: 1 to {_SHORT})")
        if not _is_letter(name[0]):
            raise self.invalid("it does not begin with a letter")
        if not all(letter in _MARKS or _is_letter(letter) for letter in name):
            raise self.invalid("there are digits, signs or control characters in it")
        return name

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Short rows of Han, ASCII letters and marks are canonical; with spaces and full stops in ASCII alone."""
        data, offsets = tight(text)
        dots = where(text, [_DOT])
        plain = data
        if len(dots):
            plain = data.copy()
            plain[dots] = _A_LETTER
        good = printable(Ragged(plain, offsets), extra=_LETTERS_AND_MARKS) & (text.lengths <= _SHORT)
        good &= _BEGINS[data[offsets[:-1]]]
        parted = places(data, _OF_ASCII_ONLY)
        if len(parted) and not is_ascii(text):
            rows = np.unique(rows_at(offsets, parted))
            good[rows] &= without(text, places(data, ~_ASCII))[rows]
        return good

    def respell(self, text: Ragged) -> Ragged:
        """Write the dots of names in Han as they should be, and take the spaces from rows that are Han but for them."""
        if is_ascii(text):
            return text
        data, offsets = tight(text)
        marks = where(text, _DOT_MARKS).reshape(-1, 3)
        if len(marks):
            data = data.copy()
            data[marks[:, :2]] = np.frombuffer(_DOT, np.uint8)
        spaces = np.concatenate([places(data, _SPACES), where(text, [_WIDE_SPACE])])
        spaces = spaces[without(text, places(data, _NO_HAN))[rows_at(offsets, spaces)]]
        return cut(Ragged(data, offsets), np.sort(np.concatenate([marks[:, 2], spaces])))


_DOT = "·".encode()
_DOT_MARKS = tuple(mark.encode() for mark in "•‧∙⋅・･●")
_WIDE_SPACE = "\u3000".encode()
_A_LETTER = ord("a")
_SPACES, _OF_ASCII_ONLY = byteset(" \t"), byteset(" .")
_LETTERS_AND_MARKS = LETTERS | byteset(" -'.")
_HAN_LEAD = 0xE0
_BEGINS = LETTERS | (np.arange(256) >= _HAN_LEAD)
"""With which bytes a name may begin: letters of ASCII, and of Han, not the dot."""
_ASCII = np.arange(256) < CONTINUATION
_NO_HAN = _ASCII & ~_SPACES


def _is_letter(letter: str) -> bool:
    # Rare Han of names are newer than Python's tables (planes 2 and 3), or in the private area that banks use for them.
    return (
        unicodedata.category(letter)[0] in {"L", "M"}
        or letter == "〇"
        or "\U00020000" <= letter <= "\U0003ffff"
        or "\ue000" <= letter <= "\uf8ff"
    )


PERSON_NAME = PersonName(
    name="person_name",
    title="Name",
    title_zh="姓名",
    category=Category.IDENTITY,
    basis="GB/T 35273-2020, annex A",
    masks=profiles(display=Keep(1, 0, 2), waybill=Keep(1, 0, 2)),
)
"""A person's name, `张三`.

Names of minorities have their dot as U+00B7, however it was typed; characters beyond the basic plane (`𠮷`, `𬴂`) and
those of the private area that banks use for rare names are letters.
"""

GENDER = Choice(
    name="gender",
    title="Gender",
    title_zh="性别",
    category=Category.IDENTITY,
    basis="GB/T 35273-2020, annex A; a quasi-identifier",
    masks=profiles(),
    # The word stays in its language, and a code of GB/T 2261.1-2003 (0 unknown, 1 male, 2 female, 9 not said) a code.
    words=("男", "女", "未知", "其他", "male", "female", "unknown", "other", "0", "1", "2", "9"),
    aliases={
        "男性": "男", "男士": "男", "先生": "男", "女性": "女", "女士": "女", "小姐": "女",
        "未说明": "未知", "未说明的性别": "未知", "未知的性别": "未知", "保密": "未知", "不详": "未知", "其它": "其他",
        "m": "male", "man": "male", "f": "female", "woman": "female", "u": "unknown", "undisclosed": "unknown",
        "not known": "unknown", "x": "other", "non-binary": "other", "diverse": "other",
    },
)  # fmt: skip
"""A gender: `男`, `female`, or a code of GB/T 2261.1.

A word stays in its language and a code a code: `男`, `male` and `1` are three values, since a table has one of them.
"""

_NAMES = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 "
    "佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 "
    "锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 "
    "赫哲 门巴 珞巴 基诺"
)
GROUPS = tuple(f"{name}族" for name in _NAMES.split())
"""The 56 ethnic groups in the order of GB/T 3304-1991, whose codes are 01 to 56."""
_ROMAN = (
    "Han Mongol Hui Zang Uygur Miao Yi Zhuang Buyei Chosen Man Dong Yao Bai Tujia Hani Kazak Dai Li Lisu "
    "Va She Gaoshan Lahu Sui Dongxiang Naxi Jingpo Kirgiz Tu Daur Mulao Qiang Blang Salar Maonan Gelao "
    "Xibe Achang Pumi Tajik Nu Uzbek Russ Ewenki Deang Bonan Yugur Gin Tatar Derung Oroqen "
    "Hezhen Monba Lhoba Jino"
)
_LETTERS = (
    "HA MG HU ZA UG MH YI ZH BY CS MA DO YA BA TJ HN KZ DA LI LS VA SH GS LH SU DX NX JP KG TU DU ML QI BL SL MN GL "
    "XB AC PM TA NU UZ RS EW DE BN YG GI TT DR OR HZ MB LB JN"
)
"""Their romanised names and their codes of letters, from the same table."""
_ENGLISH = {
    "korean": "朝鲜族", "tibetan": "藏族", "mongolian": "蒙古族", "uyghur": "维吾尔族", "uighur": "维吾尔族",
    "kazakh": "哈萨克族", "kyrgyz": "柯尔克孜族", "manchu": "满族", "russian": "俄罗斯族",
    "other": "其他", "others": "其他",
}  # fmt: skip
"""Tibetan and Korean are the standard's own names for use abroad; the others are customary in English."""

ETHNICITY = Choice(
    name="ethnicity",
    title="Ethnicity",
    title_zh="民族",
    category=Category.IDENTITY,
    sensitivity=Sensitivity.SENSITIVE,
    basis="ethnic origin: GDPR, article 9; may lead to discrimination in the sense of PIPL, article 28",
    masks=profiles(),
    words=(*GROUPS, "其他", "未识别", "外国血统中国籍人士"),
    aliases={
        **{group.removesuffix("族"): group for group in GROUPS},
        **{f"{code:02}": group for code, group in enumerate(GROUPS, 1)},
        **{str(code): group for code, group in enumerate(GROUPS[:9], 1)},
        **{name.lower(): group for name, group in zip(_ROMAN.split(), GROUPS, strict=True)},
        **{code.lower(): group for code, group in zip(_LETTERS.split(), GROUPS, strict=True)},
        **_ENGLISH,
        "其它": "其他", "未识别民族": "未识别", "未定族称人口": "未识别",
        "穿青人": "未识别", "入籍": "外国血统中国籍人士",
        "97": "其他", "98": "外国血统中国籍人士", "99": "未识别", "维族": "维吾尔族", "哈族": "哈萨克族",
    },
)  # fmt: skip
"""An ethnic group of China, `汉族`.

Read are its Chinese name, its romanised one (`Han`), and its codes of digits (`01`) and letters (`HA`), all of GB/T
3304-1991; whichever is written, canonical is the Chinese name.
"""
