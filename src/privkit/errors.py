"""Every error of privkit: one root, and leaves named by what happened.

A message says what happened (got < needed) and then the remedy. It carries sizes, positions and names of types,
never a value of the data and never a key, so that it may be logged as it is.
"""

from collections.abc import Iterable


class PrivkitError(Exception):
    """The root of all errors that privkit raises on purpose.

    All of them may be pickled and copied, as a pool of processes does on the way back from a worker.
    """

    def __reduce__(self) -> tuple[object, ...]:
        # An exception's own way back is its __init__ with `args`, which here is the finished text: the leaves' take
        # other things, so the text would be written twice, or the way back would fail and take the pool with it.
        return _rebuilt, (type(self), self.args, self.__dict__)


class InvalidValue(PrivkitError, ValueError):
    """A value is not of its declared type.

    Attributes:
        rows: Positions of the values in what was passed, from 0; `()` for a single value. At most `MAX_ROWS` of them.
        positions: The same without a limit, as far as whoever raised it knows them.
        count: How many values were invalid in all.
        field_type: The declared type's name, such as `cn_mobile`.
        reason: Why, without the value.
        column: The name of the column that they stand in, or `""` where that is not known.
    """

    MAX_ROWS = 20

    def __init__(
        self, reason: str, *, field_type: str = "", rows: Iterable[int] = (), count: int | None = None, column: str = ""
    ) -> None:
        self.reason = reason
        self.field_type = field_type
        self.column = column
        self.positions = tuple(int(row) for row in rows)
        self.count = len(self.positions) or 1 if count is None else count
        self.rows = self.positions[: self.MAX_ROWS]
        super().__init__(self._message())

    def located(self, column: str, first_row: int = 0) -> "InvalidValue":
        """Make the same error with its place in a table whose first row has the given number."""
        rows = [row + first_row for row in self.rows]
        return InvalidValue(self.reason, field_type=self.field_type, rows=rows, count=self.count, column=column)

    def _message(self) -> str:
        subject = f"not a valid {self.field_type}" if self.field_type else "invalid value"
        if self.rows:
            shown = ", ".join(str(row) for row in self.rows)
            more = f" and {self.count - len(self.rows)} more" if self.count > len(self.rows) else ""
            subject += f" at row{'s' if self.count > 1 else ''} {shown}{more}"
        return f"{_in_column(self.column)}{subject}: {self.reason}"


class InvalidParameter(PrivkitError, ValueError):
    """A transform, cipher or policy was asked for something that it cannot do."""


class WrongType(InvalidParameter, TypeError):
    """A value, column or table is of a Python type that nothing here takes, or a column holds several."""


class DomainTooSmall(InvalidParameter):
    """A format-preserving cipher was asked to work on fewer than 1,000,000 values (SP 800-38G Rev. 1).

    Attributes:
        rows: Positions of the values that are too short in what was passed, from 0; `()` where it is no column.
        reason: How many values there are, and how many are needed.
    """

    def __init__(self, reason: str, *, rows: Iterable[int] = ()) -> None:
        self.reason = reason
        self.rows = tuple(int(row) for row in rows)
        super().__init__(f"{_at_rows(self.rows).strip()}: {reason}" if self.rows else reason)


class DecryptionFailed(PrivkitError):
    """A ciphertext is not one that this key wrote for this place; nothing more is said, on purpose.

    Attributes:
        rows: Positions of the failed values in what was passed, from 0; `()` for a single value.
        column: The name of the column that they stand in, or `""` where that is not known.
    """

    def __init__(self, rows: Iterable[int] = (), *, column: str = "") -> None:
        self.rows = tuple(int(row) for row in rows)
        self.column = column
        where = ""
        if self.rows:
            shown = ", ".join(str(row) for row in self.rows[: InvalidValue.MAX_ROWS])
            more = len(self.rows) - InvalidValue.MAX_ROWS
            where = f" at row{'s' if len(self.rows) > 1 else ''} {shown}" + (f" and {more} more" if more > 0 else "")
        super().__init__(
            f"{_in_column(column)}decryption failed{where}: altered, or written under another key, field or context"
        )

    def located(self, column: str, first_row: int = 0) -> "DecryptionFailed":
        """Make the same error with its place in a table whose first row has the given number."""
        return DecryptionFailed([row + first_row for row in self.rows], column=column)


class KeyringError(PrivkitError):
    """Something is wrong with a keyring, its store or its key-encryption key."""


class KeyringUnreadable(KeyringError):
    """A keyring cannot be opened: missing, malformed, altered, or wrapped by another key-encryption key."""


class KeyNotFound(KeyringError, LookupError):
    """The keyring has no such key version."""


class KeyUnavailable(KeyringError):
    """The key version that wrote a value is disabled or destroyed."""


class SubjectForgotten(KeyringError, LookupError):
    """The person's own key was destroyed; what was written under it can never be read again.

    Attributes:
        rows: Positions of the values in what was passed, from 0, and never whose they are; `()` for a single value.
        reason: What happened, without the place.
    """

    def __init__(self, reason: str, *, rows: Iterable[int] = ()) -> None:
        self.reason = reason
        self.rows = tuple(int(row) for row in rows)
        super().__init__(f"{_at_rows(self.rows).strip()}: {reason}" if self.rows else reason)


class PolicyError(PrivkitError, ValueError):
    """A policy is malformed, or asks for something that does not exist or is not allowed.

    Attributes:
        source: The file the policy came from, or `""`.
        line: The line in that file from 1, or 0 where it is not known.
        path: The keys that lead to it in the policy, such as `("views", "analytics", "fields", "mobile")`.
        reason: What is wrong, without the place.
    """

    def __init__(self, reason: str, *, source: str = "", line: int = 0, path: Iterable[str] = ()) -> None:
        self.reason = reason
        self.source = source
        self.line = line
        self.path = tuple(path)
        place = (
            f"{source}:{line}: " if source and line else f"{source}: " if source else f"line {line}: " if line else ""
        )
        super().__init__(place + reason)


class TableError(PrivkitError, ValueError):
    """A table or file does not have the shape that the work needs: a missing column, a broken line, an empty file."""


class Unmet(PrivkitError, ValueError):
    """A table cannot meet what is asked of it, such as k-anonymity; nothing was written."""


class MissingExtra(PrivkitError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it.

    Attributes:
        extra: The extra's name, as in `pip install 'privkit[cli]'`.
    """

    def __init__(self, what: str, *, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs the extra {extra!r}: pip install 'privkit[{extra}]'")


def _rebuilt(kind: type[PrivkitError], args: tuple[object, ...], attributes: dict[str, object]) -> PrivkitError:
    """Make an error again out of what it holds, past the `__init__` of its own class."""
    error = kind.__new__(kind, *args)
    super(PrivkitError, error).__init__(*args)
    error.__dict__.update(attributes)
    return error


def _in_column(column: str) -> str:
    return f"column {column!r}: " if column else ""


def _at_rows(rows: tuple[int, ...]) -> str:
    if not rows:
        return ""
    shown = ", ".join(str(row) for row in rows[: InvalidValue.MAX_ROWS])
    more = len(rows) - InvalidValue.MAX_ROWS
    return f" at row{'s' if len(rows) > 1 else ''} {shown}" + (f" and {more} more" if more > 0 else "")
