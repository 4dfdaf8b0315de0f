"""Dirt: malformed values as they turn up in exports, for columns whose values can be checked.

Dates, times, amounts and seconds have columns of their own types, which cannot hold anything malformed.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privkit.demo.draw import Draws

_Spoiler = Callable[[str], str]


def _cut(value: str) -> str:
    """Lose the last character."""
    return value[:-1]


def _mistyped(value: str) -> str:
    """Change the check character into another one."""
    return value[:-1] + ("1" if value[-1] == "0" else "0")


def _with_letter(value: str) -> str:
    """Type the letter O for the fourth digit."""
    return f"{value[:3]}O{value[4:]}"


def _impossible_day(value: str) -> str:
    """Be born on the 30th of February."""
    return f"{value[:10]}0230{value[14:]}"


def _without_at(value: str) -> str:
    return value.replace("@", "")


def _out_of_range(value: str) -> str:
    """Put a number into an IPv4 address that is too large, or a letter that is no hex digit into an IPv6 one."""
    return value[:-1] + "g" if ":" in value else "256" + value[value.index(".") :]


SPOILERS: dict[str, tuple[_Spoiler, ...]] = {
    "gender": (lambda _: "?", lambda _: "男女"),
    "ethnicity": (lambda _: "不明族", lambda _: "123"),
    "mobile": (_cut, _with_letter, lambda value: "12" + value[2:], lambda value: value + "0"),
    "email": (_without_at, lambda value: value[: value.index("@") + 1], lambda value: value.replace("@", "@@")),
    "landline": (lambda value: value[:6], _with_letter),
    "postcode": (_cut, _with_letter),
    "resident_id": (_mistyped, _impossible_day, _cut, _with_letter),
    "bank_card": (_mistyped, _with_letter, lambda value: value[:8]),
    "ip_address": (_out_of_range, lambda value: value + ".1"),
    "imei": (_mistyped, lambda value: value[:9], _with_letter),
    "oaid": (_cut, lambda value: "g" + value[1:]),
}
"""The ways in which a column's values can be malformed; none of them gives a valid value."""


def spoilt(arrays: dict[str, pa.Array], draws: Draws, share: float) -> dict[str, pa.Array]:
    """Return the columns of `SPOILERS` with about `share` of their values malformed; nulls stay null."""
    return {name: _spoil(arrays[name], draws, name, share) for name in SPOILERS}


def _spoil(values: pa.Array, draws: Draws, name: str, share: float) -> pa.Array:
    spoilers = SPOILERS[name]
    mask = draws.chance(f"dirt {name}", share) & values.is_valid().to_numpy(zero_copy_only=False)
    kinds = draws.below(f"kind of dirt {name}", len(spoilers))[mask]
    chosen = values.filter(pa.array(mask)).to_pylist()
    malformed = [spoilers[kind](value) for kind, value in zip(kinds.tolist(), chosen, strict=True)]
    return pc.replace_with_mask(values, pa.array(np.asarray(mask)), pa.array(malformed, pa.string()))
