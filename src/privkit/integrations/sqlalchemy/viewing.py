"""Views for people in sessions: what was loaded in one view is not served in another, nor after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from privkit.integrations.purposes import current_viewing
from privkit.integrations.sqlalchemy.encrypted import Encrypted

if TYPE_CHECKING:
    from sqlalchemy.orm import Mapper, ORMExecuteState

_VIEWING = "privkit_viewing"


@event.listens_for(Session, "do_orm_execute")
def _before_loading(state: ORMExecuteState) -> None:
    """Forget what the session loaded in another view, and have it forget what it loads now when the view ends."""
    session, viewing = state.session, current_viewing()
    if session.info.get(_VIEWING) is not viewing:
        forget_views(session)
        session.info[_VIEWING] = viewing
    if viewing is not None:
        viewing.on_leaving(session, lambda: forget_views(session))


def forget_views(session: Session) -> None:
    """Let a session load anew, when they are next asked for, the columns that have views; unsaved changes stay.

    It is called wherever a view begins or ends. Call it where a session goes from one person to another otherwise.
    """
    for instance in list(session.identity_map.values()):
        state = sa.inspect(instance)
        names = [name for name in _viewed(state.mapper) if name in state.dict and name not in state.committed_state]
        if names:
            session.expire(instance, names)
    session.info.pop(_VIEWING, None)


def _viewed(mapper: Mapper[Any]) -> list[str]:
    """The attributes whose columns have views."""
    return [
        attribute.key
        for attribute in mapper.column_attrs
        if isinstance(attribute.columns[0].type, Encrypted) and attribute.columns[0].type.views is not None
    ]
