"""Surrogates: stable, realistic stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from privkit.errors import InvalidParameter
from privkit.keys import Usage
from privkit.transforms.base import FieldTransform
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

    Names of persons keep how many characters surname and given name have; e-mail addresses are of the domains that
    RFC 2606 reserves, so that no mail reaches anybody; divisions are real ones of privkit's own dated table.

    The other words come from Faker's Chinese lists, and stand-ins stay what they are as long as those lists do:
    `lists` is a fingerprint of them, to be kept with the output. Where it has changed, so have stand-ins, and what is
    to stay wants the former version of Faker.

    Args:
        field: What the values are: `person_name`, `email`, `user_name`, `address_detail`, `cn_province`, `cn_city`,
            `cn_county` or `cn_division`; any other type with `like`.
        key: The field's key.
        like: What stand-ins shall look like where the type does not say it: one of the names above, or `company`.
        keep: For `cn_division`, what stays: `province` or `city`.
        recipient: Who gets the stand-ins; another recipient's differ.

    Attributes:
        lists: A fingerprint of the lists that stand-ins come from.

    Raises:
        InvalidParameter: If there are no stand-ins for the field type.
        MissingExtra: If Faker is not installed.

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
        recipient: str | None = None,
    ) -> None:
        super().__init__(field)
        look = field.name if like is None else like
        if look not in KINDS:
            raise InvalidParameter(f"there are no stand-ins like {look}; choose one of {', '.join(KINDS)}, or a token")
        if keep is not None and field.name != look:
            raise InvalidParameter(f"{field.name} has nothing that a stand-in of another type could keep")
        self._kind = kind(look, keep)
        self.lists = self._kind.lists
        self._cmac = key.cmac(Usage(purpose="surrogate", algorithm="AES-CMAC", key_bytes=32, recipient=recipient))

    def _protect(self, reading: Reading, raw: Ragged) -> Ragged:  # noqa: ARG002 - equal canonical forms, equal stand-ins
        numbers = np.ascontiguousarray(self._cmac.digest_many(reading.text)).view(">u8").astype(np.uint64)
        return self._kind.many(reading.text, numbers)
