"""Field types of contact: e-mail and the free part of a postal address. Telephones and divisions are in `china`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.base import Category, FieldType, Reading, chunks
from privkit.fields.bytesets import CONTINUATION, one_each, rows_at, tight, without
from privkit.fields.characters import email_layout
from privkit.fields.contact_masks import AddressMask, EmailMask
from privkit.fields.levels import After
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import has_controls, tidy
from privkit.fields.texts import TidyText

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PLAIN, _NAME_ONLY, _FOREIGN, _HYPHEN, _DOT, _AT = range(6)
"""What a byte can be: in name and domain alike, in a name only, in neither; and the three marks."""


def _kinds() -> NDArray[np.uint8]:
    table = np.full(256, _FOREIGN, np.uint8)
    table[list(b"abcdefghijklmnopqrstuvwxyz0123456789")] = _PLAIN
    table[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ!#$%&'*+/=?^_`{|}~")] = _NAME_ONLY
    table[list(b"-.@")] = _HYPHEN, _DOT, _AT
    return table


_KINDS = _kinds()
_ASCII_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_LONGEST, _LONGEST_NAME, _LONGEST_LABEL = 254, 64, 63
"""RFC 5321, section 4.5.3.1 (with erratum 1690), and RFC 1035, section 2.3.4."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Email(FieldType):
    """An e-mail address: a name, one `@`, and a domain with a dot; canonical has its domain in lower case.

    Practice, not the whole of RFC 5322: no quoted names, no comments, no addresses of literal IPs. Names and domains
    may be of any script (RFC 6531). The name's case is kept, since the standard leaves its meaning to the receiver.
    """

    def normalise(self, text: str) -> str:
        """Make full-width characters plain and the domain lower case."""
        address = tidy(text).removeprefix("mailto:")
        name, at, domain = address.rpartition("@")
        if not at or "@" in name:
            raise self.invalid("one @ is needed")
        # ß and the like change length under lower(); what counts is the canonical form.
        domain = domain.lower().rstrip(".")
        if not name or len(name) > _LONGEST_NAME or len(name) + 1 + len(domain) > _LONGEST:
            raise self.invalid(
                f"1 to {_LONGEST_NAME} characters are needed before the @, and {_LONGEST} in all at most"
            )
        if not self._is_name(name):
            raise self.invalid("there are characters before the @ that a mail name does not have")
        if not _is_domain(domain):
            raise self.invalid(
                "the domain is not one: labels of letters, digits and hyphens with a dot between are needed"
            )
        return f"{name}@{domain}"

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """ASCII addresses with their domain in lower case are canonical."""
        data, offsets = tight(text)
        kinds = _KINDS[data]
        marks = np.flatnonzero(kinds >= _DOT)
        ats = marks[kinds[marks] == _AT]
        if not one_each(offsets, ats):
            return self._recognise_some(text, ats)
        good = without(text, np.flatnonzero(kinds == _FOREIGN)) & _sizes_fit(offsets, ats)
        return good & _domains_fit(text, kinds, marks, ats)

    def read(self, text: Ragged) -> Reading:
        """Bring a column into canonical form; domains with capitals need no slow way."""
        parts = chunks(text)
        if all(self.recognise(part).all() for part in parts):
            return Reading(text)
        lowered = [_lowered(part) for part in parts]
        reading = super().read(Ragged.concat([rows for rows, _ in lowered]))
        changed = np.concatenate([changed for _, changed in lowered])
        changed[reading.changed] = True
        if reading.bad is not None:
            changed &= ~reading.bad
        return replace(reading, changed=np.flatnonzero(changed))

    def _recognise_some(self, text: Ragged, ats: NDArray[np.intp]) -> NDArray[np.bool_]:
        """The same for a column in which some rows have no `@`, or several."""
        good = np.zeros(len(text), np.bool_)
        rows = np.flatnonzero(np.bincount(rows_at(tight(text)[1], ats), minlength=len(text)) == 1)
        if len(rows):
            good[rows] = self.recognise(text.take(rows))
        return good

    @staticmethod
    def _is_name(name: str) -> bool:
        if name.isascii():
            return _ASCII_NAME.fullmatch(name) is not None
        return not has_controls(name) and " " not in name


def _lowered(text: Ragged) -> tuple[Ragged, NDArray[np.bool_]]:
    """Make capitals after the last `@` small in rows of ASCII, which is all that `normalise` would do about them.

    Returns:
        All rows, and which of them differ from what was passed.
    """
    data, offsets = tight(text)
    ats = np.flatnonzero(data == ord("@"))
    last = np.full(len(text), -1, np.intp)
    np.maximum.at(last, rows_at(offsets, ats), ats)
    treated = np.flatnonzero((last >= 0) & without(text, np.flatnonzero(data >= CONTINUATION)))
    edges = np.zeros(len(data) + 1, np.int8)
    edges[last[treated]] += 1
    edges[offsets[1:][treated]] -= 1
    inside = np.cumsum(edges[:-1], dtype=np.int8).view(np.bool_)  # 1 from the last @ of a row to its end, else 0
    capital = inside & (data - np.uint8(ord("A")) < 26)  # noqa: PLR2004 - letters; bytes below A wrap around
    changed: NDArray[np.bool_] = np.maximum.reduceat(capital, offsets[:-1])  # no row is empty
    small = data + (capital.view(np.uint8) << np.uint8(5))
    return Ragged(small, offsets), changed


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    return (
        len(labels) > 1
        and not labels[-1].isdigit()
        and all(
            0 < len(label) <= _LONGEST_LABEL
            and label[0] != "-"
            and label[-1] != "-"
            and all(letter.isalnum() or letter == "-" for letter in label)
            for label in labels
        )
    )


def _sizes_fit(offsets: NDArray[np.int64], ats: NDArray[np.intp]) -> NDArray[np.bool_]:
    name, domain = ats - offsets[:-1], offsets[1:] - ats - 1
    # No longer than one label may be: then no label is too long either.
    return (name > 0) & (name <= _LONGEST_NAME) & (domain > 3) & (domain <= _LONGEST_LABEL)  # noqa: PLR2004 - x.yz


def _domains_fit(
    text: Ragged, kinds: NDArray[np.uint8], marks: NDArray[np.intp], ats: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Whether what follows the `@` of each row (one in each) is a lower-case domain with a dot and a letter at its end.

    Args:
        text: The rows.
        kinds: What each byte is.
        marks: Where dots and `@` are.
        ats: Where `@` is.
    """
    data, offsets = tight(text)
    last = data[offsets[1:] - 1]
    following = np.append(marks, len(data))[np.flatnonzero(kinds[marks] == _AT) + 1]
    good = (last >= ord("a")) & (last <= ord("z")) & (following < offsets[1:])
    strange = np.flatnonzero(kinds == _NAME_ONLY)
    good &= without(text, strange[strange > ats[rows_at(offsets, strange)]])
    # A dot or the @ beside a dot or hyphen: an empty label, or one with a hyphen at an end.
    edge, joint = kinds >= _DOT, kinds >= _HYPHEN
    pairs = np.flatnonzero((edge[:-1] & joint[1:]) | (joint[:-1] & edge[1:]))
    pairs = pairs[pairs >= ats[rows_at(offsets, pairs)]]
    good &= without(text, pairs)
    return good


EMAIL = Email(
    name="email",
    title="E-mail address",
    title_zh="电子邮箱",
    category=Category.CONTACT,
    basis="GB/T 35273-2020, annex A",
    masks=profiles(display=EmailMask(1), log=EmailMask(1, domain=False), analytics=EmailMask(0)),
    levels=MappingProxyType({"domain": lambda: After("@")}),
    layouts=email_layout,
)
"""An e-mail address, `zhangsan@qq.com`."""

ADDRESS_DETAIL = TidyText(
    name="address_detail",
    title="Address below the county",
    title_zh="详细地址",
    category=Category.CONTACT,
    basis="GB/T 35273-2020, annex A",
    masks=profiles(display=Keep(4, 0, 6, 4), waybill=AddressMask()),
    longest=300,
)
"""Road, number, building, unit and room, `科技园路12号3栋1502室`."""
