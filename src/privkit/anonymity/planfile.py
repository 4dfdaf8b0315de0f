"""The file of a plan: JSON, with arrays as base64 of compressed little-endian numbers.

```
{"format": "privkit/anonymity-plan/1", "recoding": ..., "output": ..., "levels": [...], "requirements": {...},
 "domains": [[name, kind, [text, ...], null], ...], "quasi": how many of them are quasi-identifiers,
 "hierarchies": {name: {...}}, "sensitive": {name: {...} or null}, "arrays": {name: {"dtype", "shape", "data"}},
 "texts": [[label, ...], ...], "report": {...}}
```

The report is there to be read by people; it is computed anew when the plan is loaded.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from privkit.anonymity.counting.encoding import Domain
from privkit.anonymity.counting.frequency import FrequencySet
from privkit.anonymity.hierarchies.hierarchy import Hierarchy, read_hierarchy
from privkit.anonymity.models.requirements import Requirements
from privkit.anonymity.recoding.recoding import SUPPRESSED, Recoding
from privkit.columns import Kind
from privkit.errors import InvalidParameter, TableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from privkit.anonymity.plan import Plan

_FORMAT: Final = "privkit/anonymity-plan/1"
_SHAPES: Final = frozenset({("local", "labels"), ("local", "sets"), ("full_domain", "labels")})
_DTYPES: Final = frozenset({"<i8", "<i4", "<f8"})


@dataclass(frozen=True, eq=False)
class Parts:
    """What a plan is made of."""

    frequency: FrequencySet
    labels: Recoding
    requirements: Requirements
    recoding: str
    output: str
    levels: tuple[str, ...]
    hierarchies: dict[str, Hierarchy]
    sensitive: dict[str, Hierarchy | None]


def dump(plan: Plan) -> str:
    """Write a plan."""
    frequency, recoding = plan.frequency, plan.recoding
    arrays: dict[str, NDArray[Any]] = {
        "codes": frequency.codes.astype("<i4"),
        "counts": frequency.counts.astype("<i8"),
        "shares": recoding.counts.astype("<i8"),
        "cells": recoding.cells.astype("<i8"),
        "labels": recoding.labels.astype("<i4"),
    }
    arrays |= {f"loss {number}": loss.astype("<f8") for number, loss in enumerate(recoding.losses)}
    arrays |= {f"height {number}": height.astype("<f8") for number, height in enumerate(recoding.heights)}
    if recoding.refused is not None:
        arrays["refused"] = recoding.refused.astype("<i8")
    return json.dumps(
        {
            "format": _FORMAT,
            "recoding": plan.shape.recoding,
            "output": plan.shape.output,
            "levels": list(plan.shape.levels),
            "requirements": plan.requirements.describe(),
            "report": asdict(plan.report),
            "quasi": len(frequency.quasi),
            "domains": [[d.name, d.kind.value, list(d.texts), d.null] for d in frequency.domains],
            "hierarchies": {name: _described(own) for name, own in plan.hierarchies.items()},
            "sensitive": {name: own and _described(own) for name, own in plan.sensitive.items()},
            "texts": [list(texts) for texts in recoding.texts],
            "plain": list(recoding.plain),
            "arrays": {name: _packed(array) for name, array in arrays.items()},
        },
        ensure_ascii=False,
    )


def parse(text: str) -> Parts:
    """Read what `dump` wrote.

    Raises:
        TableError: If it is something else, or damaged.
    """
    try:
        found = json.loads(text)
        if found["format"] != _FORMAT:
            raise TableError("no plan of a format that this privkit reads; fit the table again")
        return _parts(found)
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
        if isinstance(error, TableError | InvalidParameter):
            raise
        raise TableError(f"no plan that privkit wrote, or a damaged one: {type(error).__name__}") from None


def _parts(found: Mapping[str, Any]) -> Parts:
    domains = [Domain(name, Kind(kind), tuple(texts), bool(null)) for name, kind, texts, null in found["domains"]]
    quasi = int(found["quasi"])
    arrays = {name: _unpacked(packed) for name, packed in found["arrays"].items()}
    frequency = FrequencySet(
        tuple(domains[:quasi]), tuple(domains[quasi:]), arrays["codes"].astype(np.int32), arrays["counts"]
    )
    texts = tuple(tuple(labels) for labels in found["texts"])
    heights = tuple(arrays[f"height {number}"] for number in range(quasi)) if "height 0" in arrays else ()
    recoding = Recoding(
        arrays["cells"],
        arrays["shares"],
        arrays["labels"].astype(np.int32),
        texts,
        tuple(arrays[f"loss {number}"] for number in range(quasi)),
        heights,
        tuple(bool(plain) for plain in found["plain"]),
        arrays.get("refused"),
    )
    _check(frequency, recoding)
    parts = Parts(
        frequency,
        recoding,
        Requirements(**found["requirements"]),
        str(found["recoding"]),
        str(found["output"]),
        tuple(found["levels"]),
        {name: read_hierarchy(own) for name, own in found["hierarchies"].items()},
        {name: own and read_hierarchy(own) for name, own in found["sensitive"].items()},
    )
    _check_shape(parts)
    return parts


def _check_shape(parts: Parts) -> None:
    """Refuse a shape that no plan has, or that its hierarchies cannot give a later table."""
    names = parts.frequency.names
    right = (parts.recoding, parts.output) in _SHAPES and (
        list(parts.sensitive) == [domain.name for domain in parts.frequency.sensitive]
    )
    if right and parts.output == "labels":
        right = set(parts.hierarchies) == set(names)
    if right and parts.recoding == "full_domain":
        levels = dict(zip(names, parts.levels, strict=True))
        right = all(level in parts.hierarchies[name].levels for name, level in levels.items())
    if not right:
        raise TableError("a damaged plan: its shape, levels and hierarchies do not fit together; fit the table again")


def _check(frequency: FrequencySet, recoding: Recoding) -> None:
    """Refuse arrays that do not fit together: they would be read as somebody else's labels."""
    sizes = np.array([[domain.size] for domain in frequency.domains])
    widths = np.array([[len(texts)] for texts in recoding.texts])
    cells, labels = recoding.cells, recoding.labels
    right = (
        frequency.codes.shape == (len(sizes), len(frequency.counts))
        and labels.shape == (len(frequency.quasi), len(cells))
        and len(widths) == len(recoding.plain) == len(frequency.quasi)
        and len(recoding.counts) == len(cells)
        and bool(((frequency.codes >= 0) & (frequency.codes < sizes)).all())
        and bool(((labels >= SUPPRESSED) & (labels < widths)).all())
        and bool((np.diff(cells) >= 0).all() and (np.diff(frequency.keys) > 0).all())
        and bool((recoding.counts > 0).all())
        and bool(((cells >= 0) & (cells < len(frequency.counts))).all())
        and np.array_equal(np.bincount(cells, recoding.counts, len(frequency.counts)), frequency.counts)
    )
    if not right:
        raise TableError("a damaged plan: its arrays do not fit together; fit the table again")
    for number, plain in enumerate(recoding.plain):
        if plain and not _as_it_was(frequency.quasi[number], frequency.codes[number][cells], recoding, number):
            raise TableError("a damaged plan: it would write values that it generalises; fit the table again")


def _as_it_was(domain: Domain, codes: NDArray[np.int32], recoding: Recoding, number: int) -> bool:
    """Whether every label of an attribute is the value of its share."""
    values: dict[str | None, int] = {text: code for code, text in enumerate(domain.texts)} | {None: len(domain.texts)}
    meant = np.array([values.get(text, -1) for text in recoding.texts[number]], np.int64)
    kept = ~recoding.suppressed
    return bool((meant[recoding.labels[number][kept]] == codes[kept]).all())


def _described(hierarchy: Hierarchy) -> dict[str, Any]:
    return {"hierarchy": hierarchy.word, **hierarchy.describe()}


def _packed(array: NDArray[Any]) -> dict[str, Any]:
    data = base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 6)).decode()
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": data}


def _unpacked(packed: Mapping[str, Any]) -> NDArray[Any]:
    if packed["dtype"] not in _DTYPES:
        raise TableError("a damaged plan: an array of another type")
    data = zlib.decompress(base64.b64decode(packed["data"], validate=True))
    array = np.frombuffer(data, packed["dtype"]).reshape(packed["shape"])
    return array.astype(array.dtype.newbyteorder("="))
