"""For Alembic: encrypted columns in migrations are what the database sees, without keys and without privkit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from privkit.integrations.sqlalchemy.blind_index import IndexBytes
from privkit.integrations.sqlalchemy.encrypted import Encrypted
from privkit.integrations.sqlalchemy.transformed import Transformed

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext


def render_item(type_: str, obj: Any, autogen_context: AutogenContext) -> str | Literal[False]:  # noqa: ANN401 - any item
    """Render privkit's types in migrations: pass it to `context.configure(render_item=...)` in `env.py`.

    Args:
        type_: What is rendered.
        obj: The item.
        autogen_context: What Alembic knows of the migration; gets the import of a dialect where that is needed.

    Returns:
        The type that the database knows of, such as `sa.LargeBinary()`; `False` for what is not privkit's.
    """
    if type_ != "type" or not isinstance(obj, Encrypted | IndexBytes | Transformed):
        return False
    dialect = autogen_context.dialect
    stored = obj.stored_type(dialect)
    module = type(stored).__module__
    if not module.startswith("sqlalchemy.dialects."):
        return f"sa.{stored!r}"
    name = module.split(".")[2]
    autogen_context.imports.add(f"from sqlalchemy.dialects import {name}")
    return f"{name}.{stored!r}"
