"""A view, bound to keys and applied to tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar

from privkit.columns.tables import open_table
from privkit.errors import (
    DecryptionFailed,
    InvalidParameter,
    InvalidValue,
    PolicyError,
    SubjectForgotten,
    TableError,
)
from privkit.policy import treatments
from privkit.policy.anonymised import Anonymising, people_of
from privkit.policy.column import ViewedColumn, forgotten_in, untouched
from privkit.transforms.base import OnInvalid
from privkit.transforms.keep import Keep

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from privkit.anonymity.plan import Plan
    from privkit.columns.tables import Table
    from privkit.keys import Keyring
    from privkit.policy.model import PolicyField, Treatment, View
    from privkit.policy.treatments import AnyTransform
    from privkit.transforms.base import Outcome

T = TypeVar("T")

Direction: TypeAlias = Literal["protect", "reveal"]
_SHOWN: Final = 5
"""How many columns a message names, at most."""


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """What happened to one column.

    Attributes:
        transform: The transform's word.
        rows: How many rows there were.
        nulls: How many of them were null in the input.
        invalid: How many were not of the field's type, and became null.
        seconds: How long it took.
    """

    transform: str
    rows: int
    nulls: int
    invalid: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Applied(Generic[T]):
    """A table after a view.

    Attributes:
        table: The result, of the kind of the input.
        columns: What happened to each of its columns, in their order, before its records were anonymised.
        plan: How the records were generalised, where the view has anonymity. It holds values in the clear.
    """

    table: T
    columns: Mapping[str, ColumnReport]
    plan: Plan | None = None


class BoundView:
    """A view with its keys: protects tables, and reveals what can be revealed.

    It is got from `Policy.view`. Safe to share among threads.

    Attributes:
        name: The view's name.
        transforms: What it does to each column that it releases.
        anonymising: What it does to all records together; `None` where it asks nothing of them.

    Example:
        >>> from privkit import Keyring, Policy, fields
        >>> policy = Policy({"mobile": fields.CN_MOBILE}, {"support": {"mobile": "fpe"}})
        >>> support = policy.view("support", Keyring.create(directory / "keyring.json"))
        >>> support.reveal(support.apply({"mobile": ["13812345678", None, ""]}))
        {'mobile': ['13812345678', None, '']}
    """

    def __init__(
        self,
        name: str,
        view: View,
        fields: Mapping[str, PolicyField],
        keys: Keyring | None,
        *,
        drop_unknown: bool = False,
    ) -> None:
        released = {column: said for column, said in view.fields.items() if said.word != treatments.DROP}
        if not released:
            raise PolicyError(f"view {name!r} releases no field; name what it gives", path=("views", name))
        columns: dict[str, ViewedColumn] = {}
        for column, said in released.items():
            try:
                columns[column] = _viewed(said, fields[column], view.recipient, keys)
            except PolicyError as error:
                raise PolicyError(f"view {name!r}: field {column!r}: {error.reason}") from None
        self.name = name
        self._columns = columns
        self.transforms: Mapping[str, AnyTransform] = MappingProxyType(
            {column: viewed.transform for column, viewed in columns.items()}
        )
        self.anonymising = None if view.anonymity is None else Anonymising.of(view.anonymity, view.fields, fields)
        self._fields = fields
        self._drop_unknown = drop_unknown

    @property
    def reversible(self) -> tuple[str, ...]:
        """The columns that `reveal` gives back; what was generalised among other records, it does not."""
        recoded = () if self.anonymising is None else self.anonymising.quasi_identifiers
        return tuple(
            name
            for name, viewed in self._columns.items()
            if viewed.reversible and self._told(viewed.subject) and name not in recoded
        )

    def _told(self, subject: str) -> bool:
        """Whether whoever reveals knows subjects: the view gives them as they are, or reversibly, or not at all."""
        viewed = self._columns.get(subject)
        return viewed is None or isinstance(viewed.transform, Keep) or (viewed.reversible and not viewed.subject)

    def needed(
        self, names: Iterable[str], direction: Direction = "protect", *, only: Collection[str] | None = None
    ) -> list[str]:
        """Which columns of a table have to be there for a direction: those that come out, and those of their subjects.

        Args:
            names: The names of the table's columns.
            direction: What is to be done with it.
            only: The columns that are to come out, where it is not all that the view gives.

        Raises:
            TableError: As for `apply` and `reveal`.
        """
        header = list(names)
        given = [name for name in self.check(header, direction) if only is None or name in only]
        beside = self._subjects(given, direction)
        return [name for name in header if name in beside or name in given]

    def sources(self, names: Sequence[str]) -> list[str]:
        """The columns that some of those that come out are made of: themselves, and those of their subjects."""
        return [*names, *sorted(self._subjects(names, "protect") - set(names))]

    def _subjects(self, names: Iterable[str], direction: Direction) -> set[str]:
        """The columns of subjects that the treatment of some columns needs."""
        treated = names if direction == "protect" else [name for name in self.reversible if name in set(names)]
        return {self._columns[name].subject for name in treated if name in self._columns} - {""}

    def apply(self, table: T) -> T:
        """Give of a table what the view gives.

        Args:
            table: A list of dicts, a dict of columns, an Arrow table or record batch, a pandas or Polars frame.

        Returns:
            The same kind of table: the columns that the view releases, in the order of the input, and as many rows, but
            for those that its anonymity suppresses.

        Raises:
            TableError: If a column is missing, is not known to the policy, or stands there twice.
            InvalidValue: If a cell is not of its field's type, and the field does not suppress those; with column and
                rows.
            Unmet: If the records cannot meet the view's anonymity.
        """
        return self.run(table).table

    def reveal(self, table: T) -> T:
        """Undo `apply` where it can be undone; other columns stay as they are.

        Args:
            table: What `apply` returned, or some of its rows and columns.

        Raises:
            TableError: If there is a column that the view does not release, or none that can be revealed.
            DecryptionFailed: If values do not open; with column and rows.
            InvalidValue: If values cannot be protected ones; with column and rows.
        """
        return self.run(table, "reveal").table

    def check(self, names: Iterable[str], direction: Direction = "protect") -> list[str]:
        """Check the header of a table.

        Args:
            names: The names of the columns.
            direction: What is to be done with it.

        Returns:
            The names of the columns that come out, in the order of the input.

        Raises:
            TableError: As for `apply` and `reveal`.
            InvalidParameter: If it is no direction.
        """
        if direction not in (
            "protect",
            "reveal",
        ):  # anything else must not pass for revealing, which leaves columns alone
            raise InvalidParameter(f"a direction is 'protect' or 'reveal', not {direction!r}")
        header = list(names)
        known = self._fields if direction == "protect" else {*self.transforms, *self._subjects(header, direction)}
        knower = "known to the policy" if direction == "protect" else f"released by view {self.name!r}"
        unknown = [name for name in header if name not in known]
        if len(unknown) == len(header) and header:  # a first row of data may have been taken for the header: no names
            raise TableError(f"none of the {len(header)} columns is {knower}; is there a header?")
        twice = [name for name, count in Counter(header).items() if count > 1]
        if twice:
            raise TableError(f"{_columns(twice)} more than once in the table; give each column a name of its own")
        if unknown and not self._drop_unknown:
            raise TableError(f"{_columns(unknown)} not {knower}{_meant(unknown, set(known) - set(header))}")
        self._check_complete(header, unknown, direction)
        return [name for name in header if name in self.transforms]

    def run(self, table: T, direction: Direction = "protect", *, plan: Plan | None = None) -> Applied[T]:
        """Apply or reveal, and say what happened.

        Args:
            table: As for `apply`.
            direction: `protect` or `reveal`.
            plan: For a view with full-domain anonymity the plan of an earlier table, whose levels are kept.

        Raises:
            TableError: As for `apply` and `reveal`, and so the others.
        """
        if plan is not None and (self.anonymising is None or direction != "protect"):
            raise InvalidParameter(f"a plan is for applying a view with anonymity; view {self.name!r} takes none here")
        applied = self.treat(table, direction)
        if self.anonymising is None or direction != "protect":
            return applied
        frequency = self.anonymising.count([applied.table])
        plan = self.anonymising.plan(frequency, people_of(self), plan)
        writer = self.anonymising.writer(plan)
        written = writer.write(applied.table)
        writer.finish()
        self.anonymising.verified(plan, [written])
        return Applied(written, applied.columns, plan)

    def treat(
        self,
        table: T,
        direction: Direction = "protect",
        first_row: int = 0,
        *,
        as_text: Collection[str] = (),
        only: Collection[str] | None = None,
    ) -> Applied[T]:
        """Apply or reveal the transforms alone, as for a piece of a longer table.

        Args:
            table: As for `apply`.
            direction: `protect` or `reveal`.
            first_row: The number of the table's first row, for errors.
            as_text: Columns that are revealed as the canonical text of their values, whatever those were.
            only: The columns to treat, where it is not all that the view gives.

        Raises:
            TableError: As for `apply` and `reveal`, and so the others.
        """
        if isinstance(table, list) and not table and self.anonymising is None:  # without a header that could be checked
            return Applied(table, MappingProxyType({}))
        opened = open_table(table)
        given = self.check(opened.names, direction) if only is None else opened.names
        names = [name for name in given if only is None or name in only]
        columns: dict[str, Any] = {}
        reports: dict[str, ColumnReport] = {}
        for name in sorted(names, key=lambda name: bool(self._columns[name].subject)):  # subjects are revealed first
            started = perf_counter()
            subject = self._subject_of(name, opened, direction, columns)
            outcome = self._treat(name, opened.column(name), subject, direction, first_row, as_text=name in as_text)
            columns[name] = outcome.column
            reports[name] = ColumnReport(
                self.transforms[name].word, outcome.rows, outcome.nulls, outcome.invalid, perf_counter() - started
            )
        treated = opened.rebuild({name: columns[name] for name in names})
        return Applied(treated, MappingProxyType({name: reports[name] for name in names}))

    def __repr__(self) -> str:
        said = ", ".join(f"{name}: {transform.word}" for name, transform in self.transforms.items())
        return f"<view {self.name!r}: {said}>"

    def _subject_of(self, name: str, opened: Table[Any], direction: Direction, revealed: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any container
        """The column of subjects beside a column, as it was before any view."""
        subject = self._columns[name].subject
        if not subject or (direction == "reveal" and name not in self.reversible):
            return None
        return revealed[subject] if direction == "reveal" and subject in revealed else opened.column(subject)

    def _treat(
        self,
        name: str,
        column: Any,  # noqa: ANN401 - any container
        subject: Any,  # noqa: ANN401 - any container
        direction: Direction,
        first_row: int,
        *,
        as_text: bool,
    ) -> Outcome[Any]:
        viewed = self._columns[name]
        try:
            if direction == "protect":
                return viewed.protect(column, subject)
            if name in self.reversible:
                return viewed.reveal(column, subject, as_text=as_text)
        except (InvalidValue, DecryptionFailed) as error:
            raise error.located(name, first_row) from None
        except SubjectForgotten as error:
            raise forgotten_in(name, error, first_row) from None
        except InvalidParameter as error:
            raise InvalidParameter(f"column {name!r}: {error}") from None
        return untouched(column)

    def _check_complete(self, header: Sequence[str], unknown: Sequence[str], direction: Direction) -> None:
        if direction == "protect":
            missing = [name for name in self.transforms if name not in header]
            if missing:
                said = f"{_columns(missing)} not in the table, and released by view {self.name!r}"
                raise TableError(said + _meant(missing, unknown))
            self._check_subjects(header, self.transforms, direction)
        elif not self.reversible:
            why = "none of its transforms can be undone" + (", and recoding cannot" if self.anonymising else "")
            raise TableError(f"view {self.name!r} has nothing to reveal: {why}")
        elif not set(self.reversible) & set(header):
            raise TableError(f"nothing to reveal: {_columns(self.reversible)} not in the table")
        else:
            self._check_subjects(header, header, direction)

    def _check_subjects(self, header: Sequence[str], treated: Iterable[str], direction: Direction) -> None:
        missing = sorted(self._subjects(treated, direction) - set(header))
        if missing:
            raise TableError(f"{_columns(missing)} not in the table, and view {self.name!r} treats others by its ids")


def _viewed(said: Treatment, field: PolicyField, recipient: str | None, keys: Keyring | None) -> ViewedColumn:
    if keys is None and treatments.needs_key(said):
        raise PolicyError(f"{said.word} needs a keyring; pass one (--keyring)")
    transform = treatments.build(said, field.type, recipient, keys, field.key)
    return ViewedColumn(transform, OnInvalid(field.on_invalid), said.parameters.get(treatments.SUBJECT, ""))


def _columns(names: Sequence[str]) -> str:
    """Name columns as the subject of a sentence."""
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"columns {shown}{more} are" if len(names) > 1 else f"column {shown} is"


def _meant(names: Sequence[str], others: Collection[str]) -> str:
    """Say which of the others a single name may have been meant to be."""
    close = get_close_matches(str(names[0]), sorted(map(str, others)), n=1) if len(names) == 1 else []
    return f"; did you mean {close[0]!r}?" if close else ""
