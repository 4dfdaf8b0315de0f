"""Field encryption under each person's own key: a column of values beside a column of whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from privkit import columns
from privkit._kernels.ragged import Ragged
from privkit.errors import DecryptionFailed, InvalidParameter, SubjectForgotten, WrongType
from privkit.fields.parameters import check_types
from privkit.keys import Keyring
from privkit.transforms import ciphertext as layout
from privkit.transforms.base import OnInvalid, Outcome
from privkit.transforms.by_subject import subjects_of
from privkit.transforms.form import Form, count_nulls
from privkit.transforms.plaintexts import Plaintexts, restore
from privkit.transforms.sealing import Sealer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from privkit.columns import Column
    from privkit.fields.base import FieldType
    from privkit.transforms.form import Row

C = TypeVar("C")
_Place = bytes | list[bytes]
"""The associated data: of all rows, or of each."""

MANY = 64
"""From so many rows of one person on, they are sealed and opened as a column; below, one by one is faster."""


class EncryptBySubject(Form):
    """Encrypt values of many persons, each under the person's own key, which `keys.forget` destroys.

    What is written is what `Encrypt(keys.subject(id)[field])` writes, and either reads the other's. A column is taken
    person by person, so that the bounded cache of unwrapped keys serves whatever the number of persons. Deterministic
    ciphertexts are equal for equal values of one person, and never for two persons.

    Args:
        keys: The keyring.
        name: The field's name.
        field: What the values are, where that shall be checked; what is encrypted is the value as passed.
        deterministic: Whether equal values of a person get equal ciphertexts.
        text: Whether ciphertexts are text (base64url without padding, RFC 4648) or bytes.

    Example:
        >>> from privkit.transforms import EncryptBySubject
        >>> keys = Keyring.create(directory / "persons.json")
        >>> note = EncryptBySubject(keys, "note")
        >>> kept = note.protect_many(["rings twice", "has a dog"], subject=["user:42", "user:43"])
        >>> note.reveal_many(kept, subject=["user:42", "user:43"])
        ['rings twice', 'has a dog']
        >>> forgotten = keys.forget("user:42", reason="account closed")
        >>> note.reveal_column(kept, subject=["user:42", "user:43"], on_forgotten="suppress").column
        [None, 'has a dog']
    """

    word: ClassVar[str] = "encrypt"

    def __init__(
        self,
        keys: Keyring,
        name: str,
        field: FieldType | None = None,
        *,
        deterministic: bool = False,
        text: bool = False,
    ) -> None:
        _check_ring(keys, name)
        given = {"name": name, "deterministic": deterministic, "text": text}
        check_types("encryption by subject", EncryptBySubject, given)
        super().__init__(keys.canonical(name), field, deterministic=deterministic, text=text)
        self._keys = keys

    def protect(self, value: Any, *, subject: str | int, row: Row | None = None) -> Any:  # noqa: ANN401 - bytes or str
        """Encrypt one value; null gives null.

        Args:
            value: The value.
            subject: The id of the person whose it is; a key is made for who has none.
            row: What names the row it belongs to; the same must be given to `reveal`.

        Raises:
            InvalidValue: If it is not a value of the field type, where that is checked.
            SubjectForgotten: If the person was forgotten.
        """
        if value is None:
            return None
        if self._check is not None:
            self._check.protect(value)
        return self._written(self._sealer(subject).seal(layout.encode(value), self._place_of(row)))

    def reveal(self, value: Any, *, subject: str | int, row: Row | None = None) -> Any:  # noqa: ANN401 - what it was
        """Decrypt one value; null gives null.

        Args:
            value: What `protect` returned.
            subject: The id of the person whose it is.
            row: What was given to `protect`.

        Raises:
            DecryptionFailed: If this person's key did not write it for this field and row.
            SubjectForgotten: If the person was forgotten.
        """
        if value is None:
            return None
        return layout.decode(self._sealer(subject).open(self._bytes(value), self._place_of(row)))

    def protect_many(self, column: C, *, subject: Any, row: Any = None) -> C:  # noqa: ANN401 - any container
        """Encrypt a column; see `protect_column`."""
        return self.protect_column(column, subject=subject, row=row).column

    def reveal_many(self, column: C, *, subject: Any, row: Any = None) -> C:  # noqa: ANN401 - any container
        """Undo `protect_many`; see `reveal_column`."""
        return self.reveal_column(column, subject=subject, row=row).column

    def protect_column(
        self,
        column: C,
        *,
        subject: Any,  # noqa: ANN401 - any container
        on_invalid: OnInvalid | str | None = None,
        row: Any = None,  # noqa: ANN401 - any container
    ) -> Outcome[C]:
        """Encrypt a column and say what happened.

        Args:
            column: Values in any container, as for `Encrypt`.
            subject: A column of ids of persons, text or whole numbers (which count as their digits): whose each value
                is. A key is made for who has none.
            on_invalid: What to do with values that are not of the field type, where that is checked.
            row: A column of what names the rows; the same must be given to `reveal_column`.

        Raises:
            InvalidValue: If a value is not of the field type, or has no person; the error names the rows.
            SubjectForgotten: If some of the persons were forgotten; the error names their rows.
        """
        checked = self._checked(columns.lift(column, mixed=True), on_invalid)
        lifted = columns.lift(checked.column)
        ids, place = _ids(subject, lifted), self._place_or_places(row, lifted)
        sealed, gone = self._seal_all(Plaintexts.of_column(lifted).together().to_list(), place, ids)
        if gone:
            raise _forgotten(lifted.rows(sorted(gone)))
        nulls = count_nulls(lifted) - checked.invalid
        return Outcome(self._restored(lifted, Ragged.of(sealed)), len(lifted), nulls, checked.invalid)

    def reveal_column(
        self,
        column: C,
        *,
        subject: Any,  # noqa: ANN401 - any container
        row: Any = None,  # noqa: ANN401 - any container
        on_forgotten: OnInvalid | str = OnInvalid.RAISE,
        as_text: bool = False,
    ) -> Outcome[C]:
        """Decrypt a column and say what happened.

        Args:
            column: Ciphertexts in any container.
            subject: What was given to `protect_column`.
            row: What was given to `protect_column`.
            on_forgotten: What to do with values of persons who were forgotten: `raise`, or `suppress`, which makes
                them null and counts them as invalid.
            as_text: Whether to give the canonical text of values that are not bytes, whatever they were.

        Raises:
            DecryptionFailed: If some values do not open; the error names their rows.
            InvalidValue: If a value has no person; the error names the rows.
            SubjectForgotten: If some of the persons were forgotten; the error names their rows.
        """
        if OnInvalid(on_forgotten) is OnInvalid.STAR:
            raise InvalidParameter("values of forgotten persons are suppressed or raise; stars are for masks")
        lifted = columns.lift(column)
        ids, place = _ids(subject, lifted), self._place_or_places(row, lifted)
        sealed, _ = self._lifted_bytes(lifted)  # what cannot be a ciphertext is empty, and does not open
        opened = self._open_all(sealed.to_list(), place, ids)
        failed = [position for position, plain in enumerate(opened) if plain is None]
        if failed:
            raise DecryptionFailed(lifted.rows(failed))
        gone = [position for position, plain in enumerate(opened) if plain == b""]
        if gone and OnInvalid(on_forgotten) is OnInvalid.RAISE:
            raise _forgotten(lifted.rows(gone))
        nulls = lifted.nulls_and(gone) if gone else lifted.nulls
        rows = Plaintexts.of([plain for plain in opened if plain])
        plain = restore(lifted, rows, nulls, as_text=as_text)
        return Outcome(plain, len(lifted), count_nulls(lifted), len(gone))

    def _seal_all(self, plain: list[bytes], place: _Place, ids: list[str]) -> tuple[list[bytes], list[int]]:
        """Seal rows; also the positions of those whose persons are gone."""
        sealed, gone = [b""] * len(plain), list[int]()
        for sealer, rows in self._by_person(ids, create=True):
            try:
                part = _sealed(sealer, [plain[row] for row in rows], _of_rows(place, rows))
            except SubjectForgotten:
                gone += rows
                continue
            for row, one in zip(rows, part, strict=True):
                sealed[row] = one
        return sealed, gone

    def _open_all(self, sealed: list[bytes], place: _Place, ids: list[str]) -> list[bytes | None]:
        """Open rows: `None` for one that fails, and empty, as no plaintext is, for one whose person is gone."""
        opened: list[bytes | None] = [None] * len(sealed)
        for sealer, rows in self._by_person(ids, create=False):
            taken = [sealed[row] for row in rows]
            try:
                part = _opened(sealer, taken, _of_rows(place, rows))
            except SubjectForgotten:
                part = [b"" if _is_formed(sealer, one) else None for one in taken]
            for row, one in zip(rows, part, strict=True):
                opened[row] = one
        return opened

    def _place_or_places(self, row: Any, lifted: Column[Any]) -> _Place:  # noqa: ANN401 - any container
        (place,) = self._places(row, lifted)
        return place if isinstance(place, bytes) else place.to_list()

    def _sealer(self, subject: str | int) -> Sealer:
        return Sealer(self._keys.subject(columns.text_of(subject))[self._name], deterministic=self.deterministic)

    def _by_person(self, ids: list[str], *, create: bool) -> Iterator[tuple[Sealer, list[int]]]:
        """The persons, each with the positions of their values; keys are unwrapped for as many as are kept at once."""
        known: dict[str, int] = {}
        codes = np.fromiter((known.setdefault(name, len(known)) for name in ids), np.int64, len(ids))
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(known))).tolist()
        persons, begin = list(known), 0
        subjects = self._keys.subjects
        for first in range(0, len(persons), subjects.capacity):
            some = persons[first : first + subjects.capacity]
            for person, end in zip(subjects.load(some, create=create), ends[first:], strict=False):
                yield Sealer(person[self._name], deterministic=self.deterministic), order[begin:end].tolist()
                begin = end


def _check_ring(keys: object, name: object) -> None:
    """Refuse what is no keyring; a policy tries its treatments out with a stand-in for one."""
    if not hasattr(keys, "canonical"):
        swapped = "; keyring and name have changed places" if isinstance(name, Keyring) else ""
        raise WrongType(f"a {type(keys).__name__} where a keyring belongs, such as Keyring.open(...){swapped}")


def _ids(subject: object, lifted: Column[Any]) -> list[str]:
    """The id of the person of each value that is not null."""
    return subjects_of(subject, lifted, lifted.rows(np.arange(len(lifted.values)))).to_text()


def _sealed(sealer: Sealer, plain: list[bytes], place: _Place) -> list[bytes]:
    """Seal rows of one person, by whichever way is faster for so many."""
    if len(plain) < MANY:
        return sealer.seal_each(plain, [place] * len(plain) if isinstance(place, bytes) else place)
    return sealer.seal_many(Plaintexts.of(plain), [place if isinstance(place, bytes) else Ragged.of(place)]).to_list()


def _opened(sealer: Sealer, sealed: list[bytes], place: _Place) -> list[bytes | None]:
    """Open rows of one person, likewise; `None` for one that fails."""
    if len(sealed) < MANY:
        return sealer.open_each(sealed, [place] * len(sealed) if isinstance(place, bytes) else place)
    plain, failed = sealer.open_many(Ragged.of(sealed), [place if isinstance(place, bytes) else Ragged.of(place)])
    return [None if wrong else one for one, wrong in zip(plain.together().to_list(), failed.tolist(), strict=True)]


def _of_rows(place: _Place, rows: list[int]) -> _Place:
    return place if isinstance(place, bytes) else [place[row] for row in rows]


def _is_formed(sealer: Sealer, sealed: bytes) -> bool:
    """Whether bytes could be a ciphertext at all: it is said of those alone that their person is forgotten."""
    try:
        sealer.key_id(sealed)
    except DecryptionFailed:
        return False
    return True


def _forgotten(rows: NDArray[np.intp]) -> SubjectForgotten:
    return SubjectForgotten(
        "their persons were forgotten, and nothing under their keys can be read or written again; "
        'leave the rows out, or reveal with on_forgotten="suppress"',
        rows=rows,
    )
