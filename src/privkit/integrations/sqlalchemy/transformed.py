"""`Tokenised` and `FormatPreserved`: columns of one-way tokens, and of values that look like values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.types import TypeDecorator, TypeEngine, to_instance

from privkit.errors import PrivkitError
from privkit.fields import TEXT
from privkit.integrations.sqlalchemy.caching import KeyedByOptions
from privkit.integrations.sqlalchemy.refusals import NotSearchable, passing
from privkit.integrations.sqlalchemy.searching import literal_value
from privkit.integrations.sqlalchemy.writing import check_defaults
from privkit.transforms import FormatPreserving, Token

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sqlalchemy.engine import Dialect

    from privkit.fields.base import FieldType
    from privkit.keys import FieldKey
    from privkit.transforms import Transform

_ALLOWED = frozenset({"eq", "ne", "in_op", "not_in_op", "is_", "is_not", "distinct_op"})


class TransformedComparator(TypeEngine.Comparator[Any]):
    """The operators of a column of tokens or format-preserved values: equality, and nothing of order or parts."""

    def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own signature
        """Compare, or say why not."""
        name = getattr(op, "__name__", str(op))
        if name not in _ALLOWED:
            raise NotSearchable(
                f"{name.removesuffix('_op')} on a column of protected values, which have neither the order nor the "
                "parts of the values they stand for; compare with ==, in_() or is_(None)"
            )
        return super().operate(op, *map(literal_value, other), **kwargs)

    def reverse_operate(self, op: Any, other: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as above
        """Compare, or say why not."""
        return self.operate(op, other, **kwargs)


class Transformed(KeyedByOptions, TypeDecorator[Any]):
    """A column whose values are transformed on writing; what it is compared with is transformed alike."""

    impl = sa.String
    cache_ok = True
    comparator_factory = TransformedComparator
    deterministic = True
    holds = "values that stand for others"
    field_key: FieldKey

    @property
    def stored_form(self) -> Hashable:
        """What its values are transformed by: those of another column may be copied here if they are the same."""
        return (
            type(self).__name__,
            *((name, each) for name, each in self._static_cache_key[1:] if name != "base_type"),
        )

    def _set_parent(self, parent: Any, outer: bool = False, **kw: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - SQLAlchemy's
        super()._set_parent(parent, outer, **kw)
        event.listen(parent, "after_parent_attach", check_defaults)

    def stored_type(self, dialect: Dialect | None = None) -> TypeEngine[Any]:  # noqa: ARG002 - as its siblings
        """The type that the database knows of."""
        return self.impl_instance

    def transform(self) -> Transform:
        """What values are transformed by."""
        raise TypeError("a type that says what it transforms by is needed")

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - the signature is given
        """Transform a parameter."""
        try:
            return None if value is None else self.transform().protect(value)
        except PrivkitError as error:
            raise passing(error) from None

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:  # noqa: ANN401, ARG002 - as above
        """Whatever it is compared with is transformed like it."""
        return self


class Tokenised(Transformed):
    """A column of keyed one-way tokens: write values, compare with values, read tokens.

    For joining and counting what nobody may read back. Equal values have equal tokens.

    Args:
        field_key: The field's key.
        field: What the values are: spellings of one value then have one token.
        recipient: As for `privkit.Token`.
        form: As for `privkit.Token`.

    Example:
        >>> from privkit.integrations.sqlalchemy import Tokenised
        >>> Tokenised(Keyring.create(directory / "keyring.json")["user.email"], fields.EMAIL).length
        32
    """

    cache_ok = True

    holds = "tokens"

    def __init__(
        self, field_key: FieldKey, field: FieldType = TEXT, *, recipient: str | None = None, form: str = "hex"
    ) -> None:
        self.field_key = field_key
        self.field = field
        self.recipient = recipient
        self.form = form
        self._token = Token(field_key, field, recipient=recipient, form=form)
        super().__init__(self._token.length)

    def transform(self) -> Token:
        """The token."""
        return self._token

    def __repr__(self) -> str:
        return f"Tokenised({self.field_key.name!r})"


class FormatPreserved(Transformed):
    """A column of values that are encrypted into values of the same type: a phone number is stored as another one.

    Write and read values; the database and its other users see valid ones that stand for them. Equal values are stored
    equal, and nothing shows that a stored one was altered: `Encrypted` is the better choice where the database does not
    need the shape.

    Args:
        base_type: What the column would be without it.
        field: What the values are.
        field_key: The field's key.
        small_domain: As for `privkit.FormatPreserving`.

    Example:
        >>> import sqlalchemy as sa
        >>> from privkit.integrations.sqlalchemy import FormatPreserved
        >>> key = Keyring.create(directory / "phones.json")["user.phone"]
        >>> FormatPreserved(sa.String(20), fields.CN_MOBILE, key)
        FormatPreserved('user.phone')
    """

    cache_ok = True

    def __init__(
        self,
        base_type: TypeEngine[Any] | type[TypeEngine[Any]],
        field: FieldType,
        field_key: FieldKey,
        *,
        small_domain: bool = False,
    ) -> None:
        super().__init__()
        self.base_type = to_instance(base_type)
        self.impl_instance = self.base_type
        self.field = field
        self.field_key = field_key
        self.small_domain = small_domain
        self._fpe = FormatPreserving(field, field_key, small_domain=small_domain)

    def transform(self) -> FormatPreserving:
        """The cipher."""
        return self._fpe

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - the signature is given
        """Undo it for a result."""
        return self._fpe.reveal(value)

    def __repr__(self) -> str:
        return f"FormatPreserved({self.field_key.name!r})"
