"""Field types of payment: card, amount, method."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit.fields.bands import number_band
from privkit.fields.base import Category, FieldType, Sensitivity
from privkit.fields.bytesets import beheaded, byteset, cut, from_places, places, rows_at, squeezed, tight
from privkit.fields.currencies import AROUND, bare
from privkit.fields.decimals import LONGEST, are_decimals
from privkit.fields.digits import are_digits, luhn_ok, luhn_sum
from privkit.fields.layouts import ISSUER_DIGITS, card_layout
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import compact, narrow, unguarded
from privkit.fields.texts import TidyText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged
    from privkit.errors import InvalidValue

ANNEX_B = "GB/T 35273-2020, annex B"
CARD_WIDTHS = range(13, 20)
"""How many digits a card number has (ISO/IEC 7812-1; cards of under 13 digits are no longer issued)."""
_NO_ISSUER = "0" * ISSUER_DIGITS
_CARD = re.compile(r"[0-9]{13,19}")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BankCard(FieldType):
    """A bank card number: 13 to 19 digits, the last of which is Luhn's check digit; canonical has no separators.

    The first six are the issuer, and not all zeros (ISO/IEC 7812-1). Which issuers there are is not looked up.
    """

    def normalise(self, text: str) -> str:
        """Take out spaces and dashes, make full-width digits plain."""
        number = compact(text)
        if not _CARD.fullmatch(number):
            raise self.invalid(f"13 to 19 digits are needed (got {len(number)} characters)")
        if luhn_sum(number) % 10:
            raise self.invalid("its check digit is wrong (Luhn)")
        if number.startswith(_NO_ISSUER):
            raise self.invalid("its issuer (the first six digits) is all zeros, which stands for no card")
        return number

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Digits that pass Luhn's check are canonical."""
        good = np.zeros(len(text), np.bool_)
        for length, rows in text.by_length():
            if length in CARD_WIDTHS:
                matrix = text.matrix(length, rows)
                known = are_digits(matrix) & luhn_ok(matrix)
                zeros = np.flatnonzero(matrix[:, 0] == ord("0"))
                known[zeros] &= (matrix[zeros, :ISSUER_DIGITS] != ord("0")).any(axis=1)
                if rows is None:
                    return known
                good[rows] = known
        return good

    def respell(self, text: Ragged) -> Ragged:
        """Take out spaces and dashes."""
        return squeezed(text, b" \t-")


_UNITS = {"千": 3, "万": 4, "百万": 6, "千万": 7, "亿": 8, "万亿": 12}
"""By which power of ten a number in such units is multiplied."""
_WRITTEN = re.compile(
    rf"{AROUND}(?P<sign>[+-]?){AROUND}(?P<number>[0-9.](?:[0-9., e+-]*[0-9.])?)"
    rf"\s*+(?P<unit>{'|'.join(sorted(_UNITS, key=len, reverse=True))})?{AROUND}(?:秒|s)?\s*+",
    re.IGNORECASE,
)
"""Spaces and currencies stand before a number, behind it and behind its sign; what is between digits belongs to it."""
_ACCOUNTED = re.compile(rf"({AROUND})\(([^()+-]+)\)({AROUND})", re.IGNORECASE)
"""In accounts what is in parentheses is negative, `(12.50)`."""
_NUMBER = re.compile(r"([0-9]*|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+)(?:\.([0-9]*))?")
_PLAIN = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?")
_ZERO = byteset("0")
_SCIENTIFIC = re.compile(r"[0-9]+(?:\.[0-9]+)?e[+-]?[0-9]{1,3}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Number(FieldType):
    """A number of money, seconds or the like; canonical is plain decimal text that keeps its scale, `-12.50`.

    A currency beside it is read and not kept: where a column has several, keep them in a column of their own. A number
    in parentheses is negative, as in accounts.

    Attributes:
        signed: Whether it may be negative.
    """

    signed: bool = True

    def normalise(self, text: str) -> str:
        """Take out currencies, separators of thousands and leading zeros, write out powers of ten, 万 and 亿."""
        if _PLAIN.fullmatch(text):
            return text
        text = unguarded(narrow(text))
        if accounted := _ACCOUNTED.fullmatch(text):
            text = accounted.expand(r"\1-\2\3")
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise self._not_plain()
        plain = written["number"]
        if _SCIENTIFIC.fullmatch(plain):
            plain = self._written_out(plain)
        match = _NUMBER.fullmatch(plain)
        if match is None or not (match[1] or match[2]):
            raise self._not_plain()
        digits, fraction = match[1].replace(",", "").replace(" ", ""), match[2] or ""
        power = _UNITS.get(written["unit"], 0)
        digits = (digits + fraction[:power].ljust(power, "0")).lstrip("0") or "0"
        fraction = fraction[power:]
        if len(digits) + len(fraction) > LONGEST:
            raise self.invalid(f"too long ({len(digits) + len(fraction)} > {LONGEST} digits)")
        number = f"{digits}.{fraction}" if fraction else digits
        negative = written["sign"] == "-" and number.strip("0.") != ""
        if negative and not self.signed:
            raise self.invalid("it is negative")
        return f"-{number}" if negative else number

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Digits with at most one dot inside, and without leading zeros, are canonical."""
        return are_decimals(text, signed=self.signed)

    def respell(self, text: Ragged) -> Ragged:
        """Take out spaces and currencies at the ends and behind a minus, commas of thousands, a plus, leading zeros."""
        plain = bare(text)
        plain = cut(plain, _thousands(plain))
        return beheaded(plain, _needless(plain))

    def _not_plain(self) -> InvalidValue:
        return self.invalid(
            "not a plain number; beside it may stand a currency that is written with a decimal point, 万 or 亿"
        )

    def _written_out(self, plain: str) -> str:
        try:
            number = Decimal(plain)
        except InvalidOperation:
            raise self._not_plain() from None
        if abs(number.adjusted()) > LONGEST:
            raise self.invalid("too large or too small to write out")
        return format(number, "f")


def _needless(text: Ragged) -> NDArray[np.int64]:
    """How many bytes at the beginning are a plus before a digit, and zeros before another."""
    data, offsets = tight(text)
    padded = np.append(data, np.zeros(2, np.uint8))
    starts, ends = offsets[:-1], offsets[1:]
    plus = (padded[starts] == ord("+")) & are_digits(padded[starts + 1, None]) & (starts + 1 < ends)
    zeros = (padded[starts + plus] == ord("0")) & (starts + plus < ends)
    if not (plus | zeros).any():
        return np.zeros(len(text), np.int64)
    digits = from_places(starts + plus, ends, places(data, ~_ZERO))
    last = (digits == ends) | ~are_digits(padded[digits, None])
    needless: NDArray[np.int64] = np.where(zeros, digits - last - starts, plus)
    return needless


def _thousands(text: Ragged) -> NDArray[np.intp]:
    """Where separators stand as they should: one to three digits before the first, and three behind each."""
    data, offsets = tight(text)
    commas: NDArray[np.intp] = np.flatnonzero(data == ord(","))
    if not len(commas):
        return commas
    rows = rows_at(offsets, commas)
    starts, ends = offsets[rows] + (data[offsets[rows]] == ord("-")), offsets[rows + 1]
    first = np.append(True, rows[1:] != rows[:-1])
    before = np.where(first, commas - starts, np.diff(commas, prepend=0) - 1)
    good: NDArray[np.bool_] = (before >= 1) & (before <= 3) & (first | (before == 3))  # noqa: PLR2004 - said above
    digits = np.append((data - np.uint8(ord("0"))) <= 9, [False] * 4)  # noqa: PLR2004 - the digit nine
    for place in (1, 2, 3):
        good &= digits[commas + place] & (commas + place < ends)
        good &= digits[commas - place] | (place > before)
    good &= ~digits[commas + 4] | (commas + 4 >= ends)
    return commas[good]


BANK_CARD = BankCard(
    name="bank_card",
    title="Bank card number",
    title_zh="银行卡号",
    category=Category.TRANSACTION,
    sensitivity=Sensitivity.HIGH,
    basis=f"PIPL, article 28 (financial accounts); {ANNEX_B}",
    masks=profiles(display=Keep(0, 4, 8), log=Keep(0, 4, 8), analytics=Keep(6, 0, 10)),
    layouts=card_layout,
)
"""A bank card number, `6222020200112233446`.

Of a 16-digit card that keeps its first six and last four digits 100,000 numbers would be left, so there is no such
layout: what shall show the last four digits is a mask beside a token.
"""

AMOUNT = Number(
    name="amount",
    title="Amount",
    title_zh="金额",
    category=Category.TRANSACTION,
    sensitivity=Sensitivity.SENSITIVE,
    basis=f"{ANNEX_B} (transactions and consumption)",
    masks=profiles(),
    levels=MappingProxyType({"band": number_band}),
)
"""An amount of money, `12.50`.

The scale stays: `12.50` and `12.5` are two texts, and two tokens. Amounts have no layout; see
[noise](../subjects-and-stand-ins.md#amounts-that-are-off-by-a-little).
"""

PAYMENT_METHOD = TidyText(
    name="payment_method",
    title="Payment method",
    title_zh="支付方式",
    category=Category.TRANSACTION,
    basis="GB/T 35273-2020, annex A",
    masks=profiles(),
    longest=40,
)
"""How was paid, `微信支付`."""


PAYMENT_ACCOUNT = TidyText(
    name="payment_account",
    title="Payment account",
    title_zh="支付账号",
    category=Category.TRANSACTION,
    sensitivity=Sensitivity.HIGH,
    basis=f"PIPL, article 28 (financial accounts); {ANNEX_B}",
    masks=profiles(display=Keep(2, 2, 6, 4)),
)
"""An account of a payment service, often a mobile number or an e-mail address, `zhangsan@qq.com`."""
