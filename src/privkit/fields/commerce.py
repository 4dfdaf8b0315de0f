"""Field types of orders and their delivery, and of what people do and write around them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

from privkit.fields.bands import number_band
from privkit.fields.base import Category
from privkit.fields.characters import CodeLayout
from privkit.fields.masks import Keep, profiles
from privkit.fields.payment import Number
from privkit.fields.plain import narrow
from privkit.fields.texts import AnyText, Code, TidyText

_ANNEX_A = "GB/T 35273-2020, annex A"
CODE_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"

ORDER_NUMBER = Code(
    name="order_number",
    title="Order number",
    title_zh="订单号",
    category=Category.TRANSACTION,
    basis=_ANNEX_A,
    masks=profiles(display=Keep(0, 4, 6, 2), waybill=Keep(0, 4, 6, 2), log=Keep(0, 4, 6, 2)),
    layouts=CodeLayout("order_number"),
    alphabet=CODE_ALPHABET,
)
"""An order number, `20260102-000042`."""

TRACKING_NUMBER = Code(
    name="tracking_number",
    title="Tracking number",
    title_zh="快递单号",
    category=Category.TRANSACTION,
    basis=_ANNEX_A,
    masks=profiles(
        display=Keep(2, 4, 6, 2), waybill=Keep(2, 4, 6, 2), log=Keep(0, 4, 6, 2), analytics=Keep(2, 0, 6, 4)
    ),
    layouts=CodeLayout("tracking_number"),
    alphabet=CODE_ALPHABET,
    shortest=4,
    longest=40,
    label="No:",
)
"""A parcel's tracking number, `SF1234567890123`."""

COURIER = TidyText(
    name="courier",
    title="Courier",
    title_zh="快递公司",
    category=Category.TRANSACTION,
    basis=_ANNEX_A,
    masks=profiles(),
    longest=40,
)
"""A courier company, `顺丰速运`."""

_CLOCK = re.compile(r"\s*([0-9]{1,3}):([0-5][0-9]):([0-5][0-9](?:\.[0-9]{1,9})?)\s*")
_SPOKEN = re.compile(
    r"\s*(?=\S)(?:([0-9]{1,5})\s?(?:小时|时)\s?)?(?:([0-9]{1,5})\s?(?:分钟|分)\s?)?"
    r"(?:([0-9]{1,5}(?:\.[0-9]{1,9})?)\s?(?:秒钟|秒))?\s*"
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Duration(Number):
    """A number of seconds, not negative, with its scale, `12.5`.

    Also read are `1:02:05`, of which seconds must be said, and `1小时2分5秒`, each part of which may be left out.
    """

    signed: bool = False

    def normalise(self, text: str) -> str:
        """Count hours and minutes in seconds; else as every number."""
        match = None
        if not text.isdecimal():
            plain = narrow(text)
            match = _CLOCK.fullmatch(plain) or _SPOKEN.fullmatch(plain)
        if match is None:
            return super().normalise(text)
        hours, minutes, seconds = match[1] or "0", match[2] or "0", match[3] or "0"
        whole, point, fraction = seconds.partition(".")
        return f"{int(hours) * 3600 + int(minutes) * 60 + int(whole)}{point}{fraction}"


DURATION = Duration(
    name="duration",
    title="Duration in seconds",
    title_zh="停留时长",
    category=Category.BEHAVIOUR,
    basis=_ANNEX_A,
    masks=profiles(),
    levels=MappingProxyType({"band": number_band}),
)
"""How long somebody stayed, in seconds, `12.5`."""

NUMBER = Number(
    name="number",
    title="Any number",
    title_zh="数值",
    category=Category.BEHAVIOUR,
    basis="not classified",
    masks=profiles(),
    levels=MappingProxyType({"band": number_band}),
)
"""A number that is none of the others: an age, a count, points.

Two of them are alike or apart as numbers are, in a CSV file too: ages are banded, and views that
[ask for anonymity](../policy.md#anonymise-what-a-view-gives) put them into ranges.
"""

FREE_TEXT = AnyText(
    name="free_text",
    title="Free text",
    title_zh="自由文本",
    category=Category.BEHAVIOUR,
    basis="it may hold anything; treat it as what it may hold",
    masks=profiles(),
)
"""A review, a note, a message: may hold anything."""

TEXT = AnyText(
    name="text",
    title="Any text",
    title_zh="任意文本",
    category=Category.BEHAVIOUR,
    basis="not classified",
    masks=profiles(),
)
"""Any text, taken as it stands."""
