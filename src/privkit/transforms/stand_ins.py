"""The kinds of stand-ins, and how numbers choose from lists.

A kind of stand-in is a function of a column of canonical values and of two 64-bit numbers to each. Words are those of
the frozen lists of `word_lists`, divisions those of privkit's own dated table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from privkit._kernels.beside import beside
from privkit._kernels.decimal_text import format_integers
from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter
from privkit.fields import divisions
from privkit.fields.digits import luhn_sums, write
from privkit.suggest import nearest
from privkit.transforms.stand_in_names import SEXES, HanNames, WordNames
from privkit.transforms.stand_in_places import KEPT_DIGITS, Addresses, Counties
from privkit.transforms.word_lists import DEVICES, DOTTED, LOCALES, word_lists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.uint64]

_U = np.uint64
_HAN: Final = ("zh_CN", "zh_TW")
"""Locales whose names are of Chinese characters without a space."""


class Kind(Protocol):
    """A kind of stand-in."""

    @property
    def lists(self) -> str:
        """Which lists the words come from, with their version."""
        ...

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:
        """Choose stand-ins.

        Args:
            text: Canonical values.
            numbers: `uint64` of shape `(rows, 2)`, all values equally likely.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces put one after the other: words from a list, or a whole number from a range.

    Lists are chosen from by the first number and ranges by the second, each taking the remainder and leaving the
    quotient to the next, so that within one number no choice tells of another.
    """

    pieces: tuple[Ragged | range, ...]
    lists: str

    @classmethod
    def of(cls, pieces: Iterable[Sequence[str] | range], lists: str) -> Pieces:
        """Take pieces as lists of words and ranges of numbers."""
        return cls(tuple(piece if isinstance(piece, range) else Ragged.of_text(piece) for piece in pieces), lists)

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:  # noqa: ARG002 - the protocol's; no shape is kept
        """See `Kind`."""
        words, counts = numbers[:, 0], numbers[:, 1]
        parts = []
        for piece in self.pieces:
            if isinstance(piece, range):
                counts, rest = np.divmod(counts, _U(len(piece)))
                parts.append(format_integers(rest.astype(np.int64) + piece.start))
            else:
                words, rest = np.divmod(words, _U(len(piece)))
                parts.append(piece.take(rest.astype(np.intp)))
        return beside(parts)


@dataclass(frozen=True, slots=True)
class Imeis:
    """IMEIs of test devices: a model that begins with 001, which no phone on sale has, and Luhn's check digit."""

    lists: str = "none"

    def many(self, text: Ragged, numbers: Numbers) -> Ragged:  # noqa: ARG002 - the protocol's; no shape is kept
        """See `Kind`: the first number chooses."""
        out = np.full((len(numbers), 15), ord("0"), np.uint8)
        out[:, 2] = ord("1")
        write(numbers[:, 0] % _U(10**11), out[:, 3:14])
        out[:, 14] += ((_U(10) - luhn_sums(out) % _U(10)) % _U(10)).astype(np.uint8)
        return Ragged.of_matrix(out)


@dataclass(frozen=True, slots=True)
class Maker:
    """How stand-ins of one kind are made.

    Attributes:
        make: Makes them, given the locale and what is kept.
        made_of: What they are made of, for people.
        keeps: What a stand-in may keep of its value.
        locales: The locales that there are; none where they are the same everywhere.
    """

    make: Callable[[str, str | None], Kind]
    made_of: str
    keeps: tuple[str, ...] = ()
    locales: tuple[str, ...] = LOCALES


def kind(name: str, keep: str | None = None, locale: str | None = None) -> Kind:
    """Make a kind of stand-in.

    Args:
        name: One of `KINDS`.
        keep: What of its value a stand-in keeps; `None` is nothing.
        locale: Whose words they are made of; `None` is the first that the kind has.

    Raises:
        InvalidParameter: If that kind keeps nothing of the sort, or has no words of that locale.
    """
    maker = KINDS[name]
    if keep is not None and keep not in maker.keeps:
        can = nearest(keep, maker.keeps) if maker.keeps else "; it keeps nothing that could be chosen"
        raise InvalidParameter(f"a stand-in like {name} cannot keep {keep!r}{can}")
    if locale is not None and locale not in maker.locales:
        there = nearest(locale, maker.locales) if maker.locales else "; they are the same everywhere"
        raise InvalidParameter(f"there are no stand-ins like {name} of the locale {locale!r}{there}")
    return maker.make(locale or next(iter(maker.locales), ""), keep)


@cache
def _by_template(template: str, locale: str) -> Pieces:
    words = word_lists(locale)
    return Pieces.of(words.pieces(words.templates[template]), words.name)


@cache
def _names(locale: str, keep: str | None) -> Kind:
    words = word_lists(locale)
    if locale in _HAN:
        return HanNames(words, keep == "sex", word_lists(DOTTED) if locale == LOCALES[0] else None)
    either = words.templates["male"].replace("{male}", "{given}")
    made = [Pieces.of(words.pieces(one), words.name) for one in (either, *(words.templates[sex] for sex in SEXES[1:]))]
    return WordNames(words, (made[0], made[1], made[2]), keep == "sex")


@cache
def _divisions(level: str) -> Pieces:
    table = divisions.table()
    digits = divisions.LEVELS[level]
    names = sorted({table.name(code) for code in table.names if len(str(code)) == digits})
    return Pieces.of([names], f"divisions-{table.version}")


@cache
def _addresses(locale: str, keep: str | None) -> Addresses:
    return Addresses(Counties(KEPT_DIGITS[keep] if keep else 0), _by_template("address_detail", locale))


@cache
def _counties(locale: str, keep: str | None) -> Counties:  # noqa: ARG001 - codes are the same everywhere
    return Counties(KEPT_DIGITS[keep] if keep else 0)


def _of_locale(template: str) -> Callable[[str, str | None], Kind]:
    return lambda locale, _keep: _by_template(template, locale)


def _of_devices(template: str) -> Callable[[str, str | None], Kind]:
    return lambda _locale, _keep: _by_template(template, DEVICES)


def _of_level(level: str) -> Callable[[str, str | None], Kind]:
    return lambda _locale, _keep: _divisions(level)


KINDS: Final[dict[str, Maker]] = {
    "person_name": Maker(
        _names,
        "surnames and given names; Chinese ones keep how many characters each of the two has, or their dot",
        ("sex",),
    ),
    "email": Maker(
        _of_locale("email"), "names and numbers, at the domains that RFC 2606 reserves: mail reaches nobody"
    ),
    "user_name": Maker(_of_locale("user_name"), "names and numbers in small letters"),
    "address_detail": Maker(_of_locale("address_detail"), "streets, numbers, buildings and rooms"),
    "address": Maker(
        _addresses,
        "a county that there is, with its city and province, and a street",
        tuple(KEPT_DIGITS),
        ("zh_CN",),
    ),
    "company": Maker(_of_locale("company"), "names and kinds of companies"),
    "cn_province": Maker(_of_level("province"), "official names", locales=()),
    "cn_city": Maker(_of_level("city"), "official names", locales=()),
    "cn_county": Maker(_of_level("county"), "official names", locales=()),
    "cn_division": Maker(_counties, "codes of counties", ("province", "city"), ()),
    "device_model": Maker(_of_devices("device_model"), "models on sale", locales=()),
    "imei": Maker(lambda _locale, _keep: Imeis(), "numbers of test devices, which no phone on sale has", locales=()),
    "mac_address": Maker(_of_devices("mac_address"), "addresses beginning with 02, which no maker has", locales=()),
    "oaid": Maker(_of_devices("oaid"), "16 hexadecimal digits", locales=()),
}
"""Every kind of stand-in, by the field type that it stands in for; `address` and `company` are for texts."""
