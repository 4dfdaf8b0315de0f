"""Field types of devices: IMEI, advertising ids, model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit.fields.base import Category, FieldType
from privkit.fields.bytesets import LOWER, byteset, of_width, only, squeezed, tight
from privkit.fields.characters import DIGITS, CodeLayout
from privkit.fields.digits import are_digits, luhn_ok, luhn_sum, numbers
from privkit.fields.layouts import MODEL_DIGITS, imei_layout
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import compact
from privkit.fields.texts import TidyText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit._kernels.ragged import Ragged

_BASIS = "GB/T 35273-2020, annex A (device)"
IMEI_WIDTH = 15
_NO_MODEL = "0" * MODEL_DIGITS
_IMEI = re.compile(r"[0-9]{15}")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Imei(FieldType):
    """A device's IMEI: 15 digits, the last of which is Luhn's check digit (3GPP TS 23.003, section 6.2.1)."""

    def normalise(self, text: str) -> str:
        """Take out spaces, dashes and slashes, make full-width digits plain."""
        number = compact(text, "-/")
        if not _IMEI.fullmatch(number):
            raise self.invalid(f"15 digits are needed (got {len(number)} characters)")
        if luhn_sum(number) % 10:
            raise self.invalid("its check digit is wrong (Luhn)")
        if number.startswith(_NO_MODEL):
            raise self.invalid("its model (the first eight digits) is all zeros, which stands for no device")
        return number

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Digits that pass Luhn's check are canonical."""
        good = np.zeros(len(text), np.bool_)
        rows = np.flatnonzero(text.lengths == IMEI_WIDTH)
        if len(rows):
            matrix = text.matrix(IMEI_WIDTH, None if len(rows) == len(text) else rows)
            good[rows] = are_digits(matrix) & luhn_ok(matrix) & (numbers(matrix[:, :MODEL_DIGITS]) > 0)
        return good

    def respell(self, text: Ragged) -> Ragged:
        """Take out spaces, dashes and slashes."""
        return squeezed(text, b" \t-/")


_ADVERTISING = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64}")
_HEX = byteset("0123456789abcdef")
_HEX_DASH = byteset("0123456789abcdef-")
_NONZERO = byteset("123456789abcdef")
_HEX_WIDTHS = (16, 32, 64)
_UUID_WIDTH = 36
_UUID_DASHES = (8, 13, 18, 23)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AdvertisingId(FieldType):
    """An advertising id: an OAID (UUID, or 16, 32 or 64 hexadecimal digits, by maker), an IDFA or a GAID (UUID).

    Canonical is lower case, with the dashes of a UUID where they were. The id of all zeros means that its owner opted
    out: it is shared by everyone who did, so it is refused rather than taken for one person.
    """

    def normalise(self, text: str) -> str:
        """Take out spaces and braces, make it lower case."""
        number = compact(text, "{}").lower()
        if not _ADVERTISING.fullmatch(number):
            raise self.invalid(f"a UUID, or 16, 32 or 64 hexadecimal digits, are needed (got {len(number)} characters)")
        if not number.strip("0-"):
            raise self.invalid('all zeros mean that the owner opted out; on_invalid="suppress" makes them null')
        return number

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Lower-case ids are canonical."""
        good = np.zeros(len(text), np.bool_)
        for length, rows in text.by_length():
            if length in _HEX_WIDTHS or length == _UUID_WIDTH:
                known = _is_advertising(text if rows is None else text.take(rows), length)
                if rows is None:
                    return known
                good[rows] = known
        return good

    def respell(self, text: Ragged) -> Ragged:
        """Take out spaces and braces, and make it lower case."""
        return squeezed(text, b" \t{}", LOWER)


def _is_advertising(text: Ragged, length: int) -> NDArray[np.bool_]:
    matrix = text.matrix(length)
    dashed = length == _UUID_WIDTH
    good = only(text, _HEX_DASH if dashed else _HEX)
    if dashed:
        dash = ord("-")
        for place in _UUID_DASHES:
            good &= matrix[:, place] == dash
        # Where every row has its four, and all have no more together, no row has another.
        if not good.all() or np.count_nonzero(tight(text)[0] == dash) != len(_UUID_DASHES) * len(text):
            good &= (matrix == dash).sum(axis=1) == len(_UUID_DASHES)
    zero = np.flatnonzero((matrix[:, 0] == ord("0")) & (matrix[:, -1] == ord("0")))
    good[zero] &= (_NONZERO[matrix[zero]]).any(axis=1)
    return good


IMEI = Imei(
    name="imei",
    title="IMEI",
    title_zh="国际移动设备识别码",
    category=Category.BEHAVIOUR,
    basis=_BASIS,
    # The first eight digits are the model (TAC).
    masks=profiles(display=Keep(0, 4, 8), log=Keep(0, 4, 8), analytics=Keep(8, 0, 7, 7)),
    layouts=imei_layout,
)
"""A device's IMEI, `490154203237518`."""

OAID = AdvertisingId(
    name="oaid",
    title="Advertising id (OAID, IDFA)",
    title_zh="广告标识符",
    category=Category.BEHAVIOUR,
    basis=_BASIS,
    masks=profiles(display=Keep(0, 4, 8, 8), log=Keep(0, 4, 8, 8)),
)
"""An advertising id, `6f1d4a3b-0c2e-4f5a-9b7d-8e6f5a4b3c2d`.

It has no layout: any id would do as well, so a token of the form `uuid` or `hex` is the same and one-way.
"""

DEVICE_MODEL = TidyText(
    name="device_model",
    title="Device model",
    title_zh="设备型号",
    category=Category.BEHAVIOUR,
    basis=_BASIS,
    masks=profiles(),
)
"""A device's model, `HUAWEI Mate 60 Pro`."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Imsi(FieldType):
    """A subscriber's IMSI: 14 or 15 digits: country (three), network (two or three), subscriber (ITU-T E.212)."""

    def normalise(self, text: str) -> str:
        """Take out spaces and dashes, make full-width digits plain."""
        number = compact(text)
        if not _IMSI.fullmatch(number):
            raise self.invalid(f"14 or 15 digits from 2 to 9 on are needed (got {len(number)} characters)")
        return number

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """Fifteen digits are canonical."""
        return of_width(text, IMEI_WIDTH, _is_imsi)


_IMSI = re.compile(r"[2-9][0-9]{13,14}")


def _is_imsi(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = are_digits(matrix) & (matrix[:, 0] >= ord("2"))
    return good


IMSI = Imsi(
    name="imsi",
    title="IMSI",
    title_zh="国际移动用户识别码",
    category=Category.BEHAVIOUR,
    basis=_BASIS,
    masks=profiles(display=Keep(0, 4, 8, 9), log=Keep(0, 4, 8, 9), analytics=Keep(5, 0, 10, 9)),
    # Country and network stay: they must exist.
    layouts=CodeLayout("imsi", (DIGITS,), fixed=5),
)
"""A subscriber's IMSI, `460001234567890`."""
