"""Field types of contact: e-mail and the free part of a postal address. Telephones and divisions are in `china`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.fields.address_mask import AddressMask
from privkit.fields.base import Category, FieldType, Reading, chunks
from privkit.fields.bytesets import classes, one_each, rows_at, tight, without
from privkit.fields.contact_masks import EmailMask
from privkit.fields.levels import After
from privkit.fields.mail_layout import email_layout
from privkit.fields.masks import Keep, profiles
from privkit.fields.plain import has_controls, tidy
from privkit.fields.texts import TidyText

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PLAIN, _CAPITAL, _NAME_ONLY, _FOREIGN, _HYPHEN, _DOT, _AT = range(7)
"""What a byte can be: in name and domain alike, the same if made small, in a name only, in neither; and three marks."""


def _kinds() -> NDArray[np.uint8]:
    table = np.full(256, _FOREIGN, np.uint8)
    table[list(b"abcdefghijklmnopqrstuvwxyz0123456789")] = _PLAIN
    table[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")] = _CAPITAL
    table[list(b"!#$%&'*+/=?^_`{|}~")] = _NAME_ONLY
    table[list(b"-.@")] = _HYPHEN, _DOT, _AT
    return table


_KINDS = _kinds()
_ASCII_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_LONGEST, _LONGEST_NAME, _LONGEST_LABEL = 254, 64, 63
"""RFC 5321, section 4.5.3.1 (with erratum 1690), and RFC 1035, section 2.3.4."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Email(FieldType):
    """An e-mail address: a name, one `@`, and a domain with a dot; canonical has its domain in lower case.

    Practice, not the whole of RFC 5322: no quoted names, no comments, no addresses of literal IPs. A name has no dot at
    an end and no two together (RFC 5321, section 4.1.2). Names and domains may be of any script (RFC 6531). The name's
    case is kept, since the standard leaves its meaning to the receiver.
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
        if name[0] == "." or name[-1] == "." or ".." in name:
            raise self.invalid("a dot before the @ needs a character on both sides")
        if not self._is_name(name):
            raise self.invalid("there are characters before the @ that a mail name does not have")
        if not _is_domain(domain):
            raise self.invalid(
                "the domain is not one: labels of letters, digits and hyphens with a dot between are needed"
            )
        return f"{name}@{domain}"

    def recognise(self, text: Ragged) -> NDArray[np.bool_]:
        """ASCII addresses with their domain in lower case are canonical."""
        good, capitals = _look(text)
        return good & without(text, capitals)

    def read(self, text: Ragged) -> Reading:
        """Bring a column into canonical form; domains with capitals need no slow way."""
        small, good, changed = _lowered(text)
        reading = Reading(small) if good.all() else self._read_slowly(small, np.flatnonzero(~good))
        changed[reading.changed] = True
        return replace(reading, changed=np.flatnonzero(changed))

    @staticmethod
    def _is_name(name: str) -> bool:
        if name.isascii():
            return _ASCII_NAME.fullmatch(name) is not None
        return not has_controls(name) and " " not in name


def _lowered(text: Ragged) -> tuple[Ragged, NDArray[np.bool_], NDArray[np.bool_]]:
    """Make the capitals of domains small, in rows that are addresses but for them.

    Returns:
        All rows, which of them are canonical now, and which of them differ from what was passed.
    """
    data, offsets = tight(text)
    small = data
    good, changed = np.empty(len(text), np.bool_), np.zeros(len(text), np.bool_)
    start = 0
    for part in chunks(text):
        rows, start = slice(start, start + len(part)), start + len(part)
        good[rows], capitals = _look(part)
        if len(capitals):
            small = data.copy() if small is data else small
            of = rows_at(tight(part)[1], capitals)
            changed[rows][of] = True
            changed[rows] &= good[rows]
            small[offsets[rows.start] :][capitals[good[rows][of]]] += np.uint8(ord("a") - ord("A"))
    return Ragged(small, offsets), good, changed


def _look(text: Ragged) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Say which rows are canonical, or would be with their domain in lower case; and where domains have capitals."""
    data, offsets = tight(text)
    kinds = classes(data, _KINDS)
    good, ats, following = _ats(offsets, kinds)
    good &= without(text, np.flatnonzero(kinds == _FOREIGN)) & _sizes_fit(offsets, ats)
    last = data[offsets[1:] - 1] | np.uint8(ord("a") - ord("A"))
    good &= (last >= ord("a")) & (last <= ord("z")) & (following < offsets[1:])
    # A dot or the @ beside a dot or hyphen: an empty label, or one with a hyphen at an end.
    edge, joint = kinds >= _DOT, kinds >= _HYPHEN
    pairs = np.flatnonzero((edge[:-1] & joint[1:]) | (joint[:-1] & edge[1:]))
    empty = edge[pairs] & edge[pairs + 1]  # in a name too
    good &= without(text, pairs[empty | (pairs >= ats[rows_at(offsets, pairs)])]) & (kinds[offsets[:-1]] != _DOT)
    of_names = (kinds == _CAPITAL) | (kinds == _NAME_ONLY)
    if not of_names.any():
        return good, np.empty(0, np.intp)
    of_names &= _behind(offsets, ats)
    strange = np.flatnonzero(of_names)
    capital = kinds[strange] == _CAPITAL
    return good & without(text, strange[~capital]), strange[capital]


def _ats(
    offsets: NDArray[np.int64], kinds: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Say which rows have one `@`; where it is (their end in others); and where the dot or `@` after it is."""
    marks = np.append(np.flatnonzero(kinds >= _DOT), len(kinds))
    places = np.flatnonzero(kinds[marks[:-1]] == _AT)
    ats, following = marks[places], marks[places + 1]
    if one_each(offsets, ats):
        return np.ones(len(ats), np.bool_), ats, following
    places = np.searchsorted(ats, offsets)
    single = np.diff(places) == 1
    at, after = (np.append(found, len(kinds))[places[:-1]] for found in (ats, following))
    return single, np.where(single, at, offsets[1:]), after


def _behind(offsets: NDArray[np.int64], ats: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which bytes are in a domain."""
    runs = np.empty((len(ats), 2), np.int64)
    np.subtract(ats, offsets[:-1], out=runs[:, 0])
    np.subtract(offsets[1:], ats, out=runs[:, 1])
    return np.repeat(np.tile([False, True], len(ats)), runs.reshape(-1))


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
"""An e-mail address, `zhangsan@qq.com`.

`Zhang@QQ.com` and `zhang@qq.com` are two addresses to the standard, which leaves the case of a name to its receiver.

Under format-preserving encryption its domain stays unless `keep=""` is said. A domain that moves keeps its last label
and its form (`qq.com` becomes `zf.com`), and may be anybody's: send no mail to what comes out.
"""

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
