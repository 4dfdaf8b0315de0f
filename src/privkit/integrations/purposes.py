"""Who looks at values, and as what: views for people.

A column may be given views. Then its values are read inside `reveal_as` only, and as the view says: clear, or through
a transform such as a mask or a token. Outside they are refused, so that a program which forgot to say for whom it
reads shows nothing.

A view is a matter of the application's own discipline: who can run code in the process can open any view. What it
gives is that every reading of such a column has a declared purpose, can be logged, and shows no more than that.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from privkit.errors import InvalidParameter, PrivkitError
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from privkit.transforms import Transform


class RevealRefused(PrivkitError, PermissionError):
    """A value was to be read outside of every view, or in one that does not give it."""


class ShownText(str):
    """What a view showed in a value's place, so that it is not taken for the value when it is saved."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Reveal:
    """What a hook is told: values of one field were shown.

    Attributes:
        field: The field's name.
        view: The view they were shown in.
        actor: Who looked, as `reveal_as` was told.
        purpose: What for, as it was told.
        count: How many values.
        clear: Whether they were shown as they are.
    """

    field: str
    view: str
    actor: str
    purpose: str
    count: int
    clear: bool


class Viewing:
    """One stay in `reveal_as`.

    Attributes:
        view: The view's name.
        actor: Who looks.
        purpose: What for.
    """

    __slots__ = ("_leaving", "actor", "purpose", "view")

    def __init__(self, view: str, actor: str, purpose: str) -> None:
        self.view = view
        self.actor = actor
        self.purpose = purpose
        self._leaving: dict[object, Callable[[], None]] = {}

    def on_leaving(self, owner: object, forget: Callable[[], None]) -> None:
        """Have something done when the stay ends or is interrupted, for each owner: forget what was loaded in it."""
        self._leaving.setdefault(owner, forget)

    def leave(self) -> None:
        """Do what was asked for."""
        for forget in self._leaving.values():
            forget()


_viewing: ContextVar[Viewing | None] = ContextVar("privkit_viewing", default=None)
_hooks: list[Callable[[Reveal], None]] = []


@contextmanager
def reveal_as(view: str, *, actor: str = "", purpose: str = "") -> Iterator[Viewing]:
    """Read columns that have views in one of them, for as long as the block lasts.

    It holds for the thread or task that enters it. Inside another it takes that one's place, until it ends.

    Args:
        view: The view's name.
        actor: Who looks, for the hooks.
        purpose: What for, for the hooks.

    Example:
        >>> from privkit.integrations.purposes import FieldViews, reveal_as
        >>> phone = FieldViews("user.phone", {"customer_service": Mask(fields.CN_MOBILE), "owner": None})
        >>> with reveal_as("customer_service", actor="li.lei"):
        ...     phone.show("13812345678")
        '138****5678'
    """
    viewing, outer = Viewing(view, actor, purpose), _viewing.get()
    if outer is not None:
        outer.leave()  # what was loaded in it is not for this one
    token = _viewing.set(viewing)
    try:
        yield viewing
    finally:
        _viewing.reset(token)
        viewing.leave()


def current_viewing() -> Viewing | None:
    """The stay that the calling thread or task is in."""
    return _viewing.get()


def on_reveal(hook: Callable[[Reveal], None]) -> Callable[[], None]:
    """Have every showing of values told to a hook; if the hook raises, nothing is shown.

    Returns:
        A function that takes the hook off again.
    """
    _hooks.append(hook)
    return lambda: _hooks.remove(hook)


def _marked(value: Any, shown: Any) -> Any:  # noqa: ANN401 - a value, and what a transform made of it
    return ShownText(shown) if isinstance(shown, str) and shown is not value else shown


class FieldViews:
    """The views of one field.

    Args:
        field: The field's name, for messages and hooks.
        views: By name, the transform that values are shown through; `None` for values as they are.

    Raises:
        InvalidParameter: If there is no view.
    """

    __slots__ = ("_views", "field")

    def __init__(self, field: str, views: Mapping[str, Transform | None]) -> None:
        if not views:
            raise InvalidParameter(f"field {field!r} has no view; name one, or give it none at all")
        self.field = field
        self._views = dict(views)

    def show(self, value: Any) -> Any:  # noqa: ANN401 - a value of the field
        """One value as the present view gives it; null stays null.

        Raises:
            RevealRefused: Outside of every view, or in one that does not give the field.
        """
        viewing, transform = self._present()
        if value is None:
            return None
        shown = value if transform is None else _marked(value, transform.protect(value))
        self._tell(viewing, transform, 1)
        return shown

    def show_many(self, values: list[Any]) -> list[Any]:
        """Values as the present view gives them, told to the hooks at once. Otherwise as `show`."""
        viewing, transform = self._present()
        shown = values if transform is None else list(map(_marked, values, transform.protect_many(values)))
        count = sum(value is not None for value in values)
        if count:
            self._tell(viewing, transform, count)
        return shown

    def check_clear(self, doing: str) -> None:
        """Make sure that values are shown as they are, since the work would tell them anyway.

        Raises:
            RevealRefused: If they are not.
        """
        _, transform = self._present()
        if transform is not None:
            raise RevealRefused(f"cannot {doing} {self.field!r} in a view that does not show it as it is")

    def _present(self) -> tuple[Viewing, Transform | None]:
        viewing = _viewing.get()
        if viewing is None:
            raise RevealRefused(f"field {self.field!r} is read in a view only; enter one with reveal_as")
        if viewing.view not in self._views:
            raise RevealRefused(
                f"view {viewing.view!r} does not give field {self.field!r}{nearest(viewing.view, list(self._views))}"
            )
        return viewing, self._views[viewing.view]

    def _tell(self, viewing: Viewing, transform: Transform | None, count: int) -> None:
        said = Reveal(self.field, viewing.view, viewing.actor, viewing.purpose, count, transform is None)
        for hook in _hooks:
            hook(said)
