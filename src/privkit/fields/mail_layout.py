"""How e-mail addresses move under format-preserving encryption.

Letters and digits move in their places, each within its class. Where the domain stays, only those before the `@` do.
Where it moves too, name and domain move as one: two people of one company then do not show it. Of such a domain the
last label stays, since few exist, and so do the dots and hyphens, so that every label remains one (RFC 1123, section
2.1). Labels with hyphens in the third and fourth place are reserved for other encodings, such as `xn--` for names in
other scripts (RFC 5890, section 2.3.1): another text in their place would encode nothing, so they are refused, and as
hyphens stay, none comes about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from privkit.errors import InvalidValue
from privkit.fields.characters import Characters
from privkit.fields.layouts import ENOUGH, choose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privkit.fields.layout import Slots

_DOT, _HYPHEN, _AT = ord("."), ord("-"), ord("@")


@dataclass(frozen=True)
class WholeAddress(Characters):
    """The layout of addresses whose domain moves."""

    def split_matrix(self, matrix: NDArray[np.uint8]) -> list[Slots]:
        """Refuse domains that encode another script, and split the rest."""
        rows = np.flatnonzero(_encoded(matrix))
        if len(rows):
            raise InvalidValue(
                'a label of its domain is an encoding, which no other letters would be; keep="domain", or take a token',
                rows=rows.tolist(),
            )
        return super().split_matrix(matrix)


def _encoded(matrix: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which rows have a label with hyphens in its third and fourth place behind the `@`."""
    before = matrix[:, :-4]
    begins = (before == _AT) | ((before == _DOT) & (np.cumsum(before == _AT, axis=1) > 0))
    found: NDArray[np.bool_] = (begins & (matrix[:, 3:-1] == _HYPHEN) & (matrix[:, 4:] == _HYPHEN)).any(axis=1)
    return found


def email_layout(keep: str | None = "domain", *, small_domain: bool = False) -> Characters:
    """How an e-mail address moves: the letters and digits before the `@`, and those of its domain where it is not kept.

    An address with letters beyond ASCII among what moves is refused: they would stay as they are.

    Args:
        keep: `domain`, where nothing is said. With `""` or None the domain moves too, but for its last label; it may
            then be anybody's.
        small_domain: Take addresses that move among fewer than 1,000,000, such as names of under five letters.
    """
    smallest = 1 if small_domain else ENOUGH
    if choose(keep, ("domain",)):
        return Characters("email/keep=domain", until="@", smallest=smallest)
    return WholeAddress("email", until=".", smallest=smallest)
