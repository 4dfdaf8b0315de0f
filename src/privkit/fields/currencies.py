"""Currencies that stand beside a number: their words and signs, in one value and in a column.

Those are known that are written with a point before the cents; where a comma is usual there (`Rp 12.900`, `R$ 1.234`,
`12.900 ₫`) a point may part thousands, so those are refused. The codes are of ISO 4217, but for RMB and NTD.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.bytesets import CONTINUATION, LETTERS, at_ends, byteset, cut, places, rows_at, tight, where

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


def _known(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_CODES: Final = _known("RMB CNY CNH USD EUR GBP JPY HKD TWD NTD MOP SGD MYR THB PHP KRW INR AUD CAD NZD CHF")
_DOLLARS: Final = _known("US HK NT AU CA SG NZ A C S")
"""What stands before a dollar sign, `HK$`."""
_WORDS: Final = _known(
    "人民币 美元 美金 港元 港币 欧元 英镑 日元 日圆 日币 韩元 韩币 新台币 台币 澳门元 澳门币 澳元 加元 加币 新加坡元 "
    "新币 新西兰元 泰铢 马币 林吉特 瑞士法郎 整 正"
)
"""`整` and `正` close an amount, `12元整`. No word ends as another begins."""
_SIGNS: Final = "¥￥€£₩฿₱₹元圆円"
_LONGEST_FIRST: Final = sorted(_WORDS, key=len, reverse=True)

AROUND: Final = (
    r"(?:(?=[^0-9.,()+-])"  # what a number is made of begins no currency, which is seen at once
    rf"(?:\s|{'|'.join((*_LONGEST_FIRST, *_CODES))}|(?:{'|'.join(_DOLLARS)})?\$|[{_SIGNS}]))*+"
)
"""Spaces and currencies, for a regular expression that does not heed case."""

_BESIDE: Final = byteset(" \t$")
_SIGN_BYTES: Final = tuple(sign.encode() for sign in _SIGNS)
_WORD_BYTES: Final = tuple(word.encode() for word in _WORDS)
_CODE_WIDTH: Final = 3
_LETTER_BITS: Final = 5


def _numbered(words: Sequence[str]) -> NDArray[np.bool_]:
    """A table of flags by the number that words of as many letters make, five bits a letter."""
    table = np.zeros(1 << _LETTER_BITS * max(map(len, words)), np.bool_)
    for word in words:
        table[_number(np.frombuffer(word.encode(), np.uint8)[None])] = True
    return table


def _number(letters: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The number that each row of letters makes, whatever their case."""
    number = np.zeros(len(letters), np.intp)
    for column in letters.T:
        number = number << _LETTER_BITS | column & ((1 << _LETTER_BITS) - 1)
    return number


_IS_CODE: Final = _numbered(_CODES)
_IS_DOLLAR: Final = {width: _numbered([word for word in _DOLLARS if len(word) == width]) for width in (2, 1)}
_FIRST_LETTERS: Final = byteset("".join({word[0] for word in _CODES}) + "".join({word[0] for word in _CODES}).lower())


def bare(text: Ragged) -> Ragged:
    """Take out spaces and currencies that stand before a number, behind it or behind its minus, and no others."""
    signs = where(text, _SIGN_BYTES)
    spaced = _without_words(text, only_signs=len(signs) == np.count_nonzero(tight(text)[0] >= CONTINUATION))
    if spaced is not text:
        text, signs = spaced, where(spaced, _SIGN_BYTES)
    beside = places(tight(text)[0], _BESIDE)
    if len(signs):
        beside = np.sort(np.concatenate((beside, signs))) if len(beside) else signs
    plain = cut(text, beside)
    outside = at_ends(plain, beside, "-")
    return plain if outside.all() else cut(text, beside[outside])


def _without_words(text: Ragged, *, only_signs: bool) -> Ragged:
    """Write spaces over currencies that are said in letters, so that they are as long as before.

    Args:
        text: The rows.
        only_signs: Whether signs are all that is not ASCII.
    """
    data, offsets = tight(text)
    words = [] if only_signs else _words(data, offsets)
    found = np.concatenate([_codes(data, offsets), _before_dollars(data, offsets), *words])
    if not len(found):
        return text
    out = data.copy()
    out[found] = ord(" ")
    return Ragged(out, offsets)


def _codes(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where the letters of codes are."""
    starts = places(data, _FIRST_LETTERS)
    starts = starts[starts + _CODE_WIDTH <= len(data)]
    letters = data[starts[:, None] + np.arange(_CODE_WIDTH)]
    starts = starts[LETTERS[letters].all(axis=1) & _IS_CODE[_number(letters)]]
    starts = starts[rows_at(offsets, starts) == rows_at(offsets, starts + _CODE_WIDTH - 1)]
    # Of two that share a letter one is none (`EURMB`): such rows are left to `normalise`.
    near = np.flatnonzero(np.diff(starts) < _CODE_WIDTH)
    starts = np.delete(starts, np.union1d(near, near + 1))
    return (starts[:, None] + np.arange(_CODE_WIDTH)).reshape(-1)


def _before_dollars(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.intp]:
    """Where the letters before dollar signs are, `HK$`."""
    signs = np.flatnonzero(data == ord("$"))
    found = []
    for width, known in _IS_DOLLAR.items():
        room = signs[signs - offsets[rows_at(offsets, signs)] >= width]
        letters = data[room[:, None] - np.arange(width, 0, -1)]
        here = LETTERS[letters].all(axis=1) & known[_number(letters)]
        found.append((room[here, None] - np.arange(width, 0, -1)).reshape(-1))
        signs = np.setdiff1d(signs, room[here])
    return np.concatenate(found)


def _words(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Where the bytes of words of Han are, word by word."""
    high = np.flatnonzero(data >= CONTINUATION)
    leads = data[high]
    for word in _WORD_BYTES:
        starts = high[leads == word[0]]
        starts = starts[: np.searchsorted(starts, len(data) - len(word), side="right")]
        for place, byte in enumerate(word[1:], 1):
            starts = starts[data[starts + place] == byte]
        starts = starts[rows_at(offsets, starts) == rows_at(offsets, starts + len(word) - 1)]
        yield (starts[:, None] + np.arange(len(word))).reshape(-1)
