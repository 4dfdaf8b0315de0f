"""A level of generalisation that a file lists: for each value its coarser labels, from fine to coarse.

The file is the one that `privkit.anonymity.Hierarchy.from_file` reads: no header, one value a line with a label for
each level after it, `深圳市;广东省;华南`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from privkit._kernels.ragged import Ragged
from privkit.errors import InvalidParameter, InvalidValue, TableError
from privkit.fields.wordlist import WordList

if TYPE_CHECKING:
    from os import PathLike

    from privkit.fields.base import FieldType

HIERARCHY: Final = "hierarchy"
"""The level that every type has."""

_UNLISTED: Final = "the hierarchy's file does not list it; add it there"


def read_labels(path: str | PathLike[str], *, delimiter: str = ";", encoding: str = "utf-8-sig") -> list[list[str]]:
    """Read a file of labels: a row for each value, the value first.

    Args:
        path: The file.
        delimiter: What stands between the columns.
        encoding: How it is written.

    Raises:
        TableError: If the file is not in this encoding, or empty.
        OSError: If it cannot be read.
    """
    name = Path(path).name
    try:
        with Path(path).open(newline="", encoding=encoding) as file:
            rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
    except UnicodeDecodeError:
        raise TableError(f"hierarchy file {name!r} is not {encoding}; name its encoding") from None
    if not rows:
        raise TableError(f"hierarchy file {name!r} is empty; write one value a line, its labels after it")
    return rows


@dataclass(frozen=True, slots=True)
class Listed:
    """The labels of one level of a file.

    Attributes:
        words: The values, in canonical form.
        labels: As many labels.
    """

    words: WordList
    labels: Ragged

    @classmethod
    def of(
        cls,
        field: FieldType,
        *,
        file: str | PathLike[str],
        level: int = 1,
        delimiter: str = ";",
        encoding: str = "utf-8-sig",
    ) -> Listed:
        """Make the level; values are matched in canonical form, however the file writes them.

        Args:
            field: What the values are.
            file: The file; in a policy file, relative to the folder of the policy.
            level: Which level: 1 is the first label after the value.
            delimiter: What stands between the columns.
            encoding: How the file is written.

        Raises:
            InvalidParameter: The file cannot be read, lists what is no value or the same value twice, or has no such
                level; with line numbers and without values.
        """
        if type(level) is not int or level < 1:
            raise InvalidParameter("the level of a hierarchy is a whole number from 1 on")
        try:
            rows = read_labels(file, delimiter=delimiter, encoding=encoding)
        except (OSError, TypeError, ValueError, LookupError, csv.Error) as error:
            reason = error if isinstance(error, TableError) else f"no hierarchy file can be read: {_why(error)}"
            raise InvalidParameter(str(reason)) from None
        return cls._of_rows(field, rows, level)

    @classmethod
    def _of_rows(cls, field: FieldType, rows: list[list[str]], level: int) -> Listed:
        labels: dict[str, str] = {}
        for line, row in enumerate(rows, 1):
            if len(row) <= level:
                raise InvalidParameter(f"row {line} of the hierarchy file has no level {level} (columns: {len(row)})")
            try:
                value = field.normalise(row[0]) if row[0] else ""
            except InvalidValue as error:
                raise InvalidParameter(f"row {line} of the hierarchy file is no {field.name}: {error.reason}") from None
            if not value or not row[level]:
                raise InvalidParameter(f"row {line} of the hierarchy file has no {'label' if value else 'value'}")
            if labels.setdefault(value, row[level]) != row[level]:
                raise InvalidParameter(f"row {line} of the hierarchy file gives a value of above another label")
        return cls(WordList(tuple(labels)), Ragged.of_text(list(labels.values())))

    def one(self, text: str) -> str:
        """Generalise one value.

        Raises:
            InvalidValue: The file does not list it.
        """
        place = self.words.index.get(text)
        if place is None:
            raise InvalidValue(_UNLISTED)
        return self.labels[place].decode()

    def many(self, text: Ragged) -> Ragged:
        """Generalise a column; the same as `one` for each row.

        Raises:
            InvalidValue: The file does not list some values; with their rows.
        """
        found = self.words.find(text)
        unlisted = np.flatnonzero(found < 0)
        if len(unlisted):
            raise InvalidValue(_UNLISTED, rows=unlisted.tolist())
        return self.labels.take(found)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
