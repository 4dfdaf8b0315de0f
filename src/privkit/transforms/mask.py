"""Masks: show a little of a value to people, and fail closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from privkit.errors import InvalidParameter
from privkit.fields.masks import Keep
from privkit.fields.parameters import check_types
from privkit.suggest import nearest
from privkit.transforms.base import FieldTransform, OnInvalid

if TYPE_CHECKING:
    from privkit._kernels.ragged import Ragged
    from privkit.fields.base import FieldType, MaskShape, Reading


class Mask(FieldTransform):
    """Hide most of a value, in the form that people are used to.

    A mask is de-identification (去标识化) for the eye. It needs no key and cannot be undone; what it shows, it shows
    to everybody, and together with other columns that may be enough to find the person.

    The value is brought into canonical form first. Whatever is not a value of the field type becomes six stars, never
    itself; the number of stars is fixed, so that no length leaks.

    Args:
        field: What the values are.
        profile: The field type's mask profile: `display` is the customary form, `waybill` what a parcel may show,
            `log` and `analytics` show less.
        first: In place of a profile: how many characters to show at the start.
        last: In place of a profile: how many characters to show at the end.

    Raises:
        InvalidParameter: If the field type has no such profile.

    Example:
        >>> from privkit import Mask, fields
        >>> Mask(fields.CN_MOBILE).protect("+86 138 1234 5678")
        '138****5678'
        >>> Mask(fields.CN_MOBILE).protect("1381234567")
        '******'
        >>> Mask(fields.USER_NAME, first=1, last=0).protect("hanmeimei")
        'h****'
    """

    word: ClassVar[str] = "mask"
    on_invalid: ClassVar[OnInvalid] = OnInvalid.STAR

    def __init__(
        self, field: FieldType, *, profile: str | None = None, first: int | None = None, last: int | None = None
    ) -> None:
        super().__init__(field)
        self.shape = _shape(field, profile, first, last)

    def _protect(self, reading: Reading, raw: Ragged) -> Ragged:  # noqa: ARG002 - only the canonical form is shown
        return self.shape.many(reading.text)

    def _protect_one(self, text: str, raw: str) -> str:  # noqa: ARG002 - as above
        return self.shape.one(text)


def _shape(field: FieldType, profile: str | None, first: int | None, last: int | None) -> MaskShape:
    check_types("mask", Mask, {"profile": profile, "first": first, "last": last})
    if first is not None or last is not None:
        if profile is not None:
            raise InvalidParameter("a mask takes a profile, or how many first and last characters to show, not both")
        return Keep(first=first or 0, last=last or 0)
    name = profile or "display"
    if name not in field.masks:
        raise InvalidParameter(f"{field.name} has no mask profile {name!r}{nearest(name, field.masks)}")
    return field.masks[name]
