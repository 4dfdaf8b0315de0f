"""Surrogates: stable, realistic stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from privkit.errors import InvalidParameter
from privkit.fields.parameters import check_types
from privkit.fields.registry import CATALOGUE
from privkit.keys import Usage
from privkit.transforms.base import FieldTransform, of_field
from privkit.transforms.stand_ins import KINDS, kind

if TYPE_CHECKING:
    from privkit._kernels.ragged import Ragged
    from privkit.fields.base import FieldType, Reading
    from privkit.keys import FieldKey


class Surrogate(FieldTransform):
    """Put a realistic stand-in in the place of a value: the same one for the same value under the same key.

    Which one is chosen by AES-CMAC of the canonical value, so it cannot be told without the key, and it cannot be
    undone. Different values may get the same stand-in, and a value may get itself: it is for data that must look real,
    not for joining. It is de-identification (去标识化).

    Names of persons keep how many characters surname and given name have, or that there is a dot in them
    (`阿依努尔·买买提`), and their sex if asked, so far as the given name says it; e-mail addresses are of the domains
    that RFC 2606 reserves, so that no mail reaches anybody; divisions are real ones of privkit's own dated table, and
    so are those of whole addresses.

    The words come from lists that are frozen with a version: a stand-in stays what it is, whatever is updated. `lists`
    names them.

    Args:
        field: What the values are: `person_name`, `email`, `user_name`, `address_detail`, `cn_province`, `cn_city`,
            `cn_county`, `cn_division`, `device_model`, `imei`, `mac_address` or `oaid`; any other type with `like`.
        key: The field's key.
        like: What stand-ins shall look like where the type does not say it: one of the names above, `company`, or
            `address` for whole addresses.
        keep: What stays: `sex` of a name (as far as its given name says it), `province` or `city` of a `cn_division`,
            and of an address also `county`.
        locale: Whose words they are made of: `zh_CN` where nothing is said, `zh_TW`, `en_US`, `de_DE`, `fr_FR`,
            `es_ES` or `ja_JP`.
        recipient: Who gets the stand-ins; another recipient's differ.

    Attributes:
        lists: The lists that stand-ins come from, with their version, such as `zh_CN-1`.

    Raises:
        InvalidParameter: If there are no such stand-ins for the field type.

    Example:
        >>> from privkit import Keyring, Surrogate, fields
        >>> keys = Keyring.create("keyring.json")
        >>> name = Surrogate(fields.PERSON_NAME, keys["customer.name"])
        >>> name.protect("欧阳娜娜") == name.protect("欧阳娜娜") != "欧阳娜娜"
        True
        >>> len(name.protect("欧阳娜娜"))
        4
        >>> Surrogate(fields.CN_DIVISION, keys["customer.division"], keep="city").protect("440305")[:4]
        '4403'
    """

    word: ClassVar[str] = "surrogate"

    def __init__(
        self,
        field: FieldType,
        key: FieldKey,
        *,
        like: str | None = None,
        keep: str | None = None,
        locale: str | None = None,
        recipient: str | None = None,
    ) -> None:
        super().__init__(field)
        check_types("surrogate", Surrogate, {"like": like, "keep": keep, "locale": locale, "recipient": recipient})
        look = field.name if like is None else like
        if look not in KINDS:
            raise InvalidParameter(f"there are no stand-ins like {look}; choose one of {', '.join(KINDS)}, or a token")
        if keep is not None and field.name != look and look in CATALOGUE:
            raise InvalidParameter(f"{field.name} has nothing that a stand-in of another type could keep")
        self._kind = kind(look, keep, locale)
        self.lists = self._kind.lists
        self._cmac = of_field(key).cmac(
            Usage(purpose="surrogate", algorithm="AES-CMAC", key_bytes=32, recipient=recipient)
        )

    def _protect(self, reading: Reading, raw: Ragged) -> Ragged:  # noqa: ARG002 - equal canonical forms, equal stand-ins
        numbers = np.ascontiguousarray(self._cmac.digest_many(reading.text)).view(">u8").astype(np.uint64)
        return self._kind.many(reading.text, numbers)
