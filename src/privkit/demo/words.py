"""The words of the export: Faker's zh_CN lists where it has them, ours in `words.toml` where it has none.

Every pool is built once; a row draws an index into it, so no Python runs per row.
"""

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module, resources
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from privkit.demo.draw import Draws, Indices, Weighted
from privkit.fields import divisions

LISTS: dict[str, dict[str, Any]] = tomllib.loads(
    (resources.files("privkit.demo") / "words.toml").read_text(encoding="utf-8")
)
"""The tables of `words.toml`."""

_GroupOfTexts: TypeAlias = Iterable[str] | Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Pool:
    """Texts to draw from, in one group or several, each with its own frequencies.

    Attributes:
        texts: The texts of all groups as an Arrow string array.
        tables: For each group a draw table of indices into `texts`, shape `(groups, 65536)`.
    """

    texts: pa.Array
    tables: NDArray[np.int32]

    @classmethod
    def of(cls, *groups: _GroupOfTexts) -> "Pool":
        """Build a pool of groups: texts with their weights, or texts that are all equally likely."""
        weights = [group if isinstance(group, Mapping) else dict.fromkeys(group, 1.0) for group in groups]
        starts = np.cumsum([0, *map(len, weights)])
        tables = [
            Weighted.of(list(group.values())).table + start for group, start in zip(weights, starts, strict=False)
        ]
        return cls(
            pa.array([text for group in weights for text in group], pa.string()), np.array(tables, dtype=np.int32)
        )

    def indices(self, draws: Draws, label: str, groups: Indices | int = 0) -> NDArray[np.int32]:
        """Draw an index for each row, from the row's group."""
        drawn: NDArray[np.int32] = self.tables[groups, draws.top_bits(label)]
        return drawn

    def at(self, indices: NDArray[np.integer]) -> pa.Array:
        """Return the texts at these indices."""
        return self.texts.take(pa.array(indices))

    def draw(self, draws: Draws, label: str, groups: Indices | int = 0) -> pa.Array:
        """Draw a text for each row, from the row's group."""
        return self.at(self.indices(draws, label, groups))


def shared(*parts: tuple[Iterable[str], float]) -> dict[str, float]:
    """Give each list of texts a share of the whole, and each text an equal part of it."""
    weights: dict[str, float] = {}
    for texts, share in parts:
        listed = [text for text in dict.fromkeys(texts) if text not in weights]
        weights |= dict.fromkeys(listed, share / len(listed))
    return weights


def faker_words(provider: str) -> Any:  # noqa: ANN401 -- Faker's providers are bags of class attributes
    """Return Faker's zh_CN provider class of that name, for its word lists."""
    return import_module(f"faker.providers.{provider}.zh_CN").Provider


@functools.cache
def _pinyin() -> dict[str, str]:
    spelt = {character: pinyin for pinyin, characters in LISTS["pinyin"].items() for character in characters}
    return {"": "", **spelt, **LISTS["compounds"]}


def spell(name: str, *, number: int = 0) -> str:
    """Spell a name in pinyin; where a character is not known, take a romanised surname of Faker's by number."""
    known = _pinyin()
    if name in known:
        return known[name]
    if all(character in known for character in name):
        return "".join(known[character] for character in name)
    romanised = faker_words("person").last_romanized_names
    return str(romanised[number % len(romanised)]).lower()


@functools.cache
def surnames() -> dict[str, float]:
    """Return Han surnames with their shares of the population in percent."""
    return {**faker_words("person").last_names, **LISTS["surnames"]}


_LISTED_SHARE, _RARE_SHARE = 0.45, 0.002


@functools.cache
def given_names(*, male: bool) -> dict[str, float]:
    """Return Han given names with weights: Faker's, two-character ones of our own, and a few with rare characters."""
    sex = "male" if male else "female"
    own = LISTS["names"]
    listed = getattr(faker_words("person"), f"first_names_{sex}")
    composed = [first + second for first in own[f"first_{sex}"] for second in own[f"second_{sex}"] if first != second]
    shares = (_LISTED_SHARE, 1 - _LISTED_SHARE - _RARE_SHARE, _RARE_SHARE)
    return shared(*zip((listed, composed, own[f"rare_{sex}"]), shares, strict=True))


@functools.cache
def name_pools() -> tuple[Pool, Pool]:
    """Return the pools of first and of second parts of names.

    Groups go in pairs, male then female: the Han and all who are named like them, then `LISTS["peoples"]` in order.
    """
    firsts: list[_GroupOfTexts] = [surnames(), surnames()]
    seconds: list[_GroupOfTexts] = [given_names(male=True), given_names(male=False)]
    for people in LISTS["peoples"].values():
        firsts += [people["male"], people["female"]]
        seconds += [people["second_male"], people["second_female"]]
    return Pool.of(*firsts), Pool.of(*seconds)


@functools.cache
def naming_groups() -> Indices:
    """Return for each text of `ethnicities()` the male group of `name_pools()` by which that people is named."""
    own = {people: 2 * number for number, people in enumerate(LISTS["peoples"], start=1)}
    return np.array([own.get(people, 0) for people in ethnicities().texts.to_pylist()])


@functools.cache
def spelt_pools() -> tuple[pa.Array, pa.Array]:
    """Return how the texts of both name pools are spelt in an e-mail address."""
    first, second = (
        pa.array([spell(text, number=number) for number, text in enumerate(pool.texts.to_pylist())], pa.string())
        for pool in name_pools()
    )
    return first, second


@functools.cache
def ethnicities() -> Pool:
    """Return a pool with one group for each province, in the order of the codes of the mainland's provinces."""
    shares: dict[str, dict[str, float]] = LISTS["ethnicity"]
    return Pool.of(*(shares.get(str(code), shares["0"]) for code in sorted(divisions.MAINLAND_PREFIXES)))
