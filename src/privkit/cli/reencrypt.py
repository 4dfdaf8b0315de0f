"""`privkit reencrypt`: bring encrypted columns of SQLAlchemy into the form that their mode writes now."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from privkit.cli.progress import progress_bar
from privkit.errors import InvalidParameter, MissingExtra, PrivkitError
from privkit.suggest import nearest

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.exc import SQLAlchemyError

    from privkit.integrations.reencryption import Position, Progress
    from privkit.integrations.sqlalchemy.job import ColumnRows

_DATABASE = "PRIVKIT_DATABASE"


@click.command()
@click.argument("target", metavar="MODULE:COLUMN")
@click.option(
    "--database",
    required=True,
    envvar=_DATABASE,
    metavar="URL|MODULE:ENGINE",
    help=f"The database's URL, or where its engine is; {_DATABASE} keeps a password off the command line.",
)
@click.option("--batch", type=click.IntRange(min=1), default=2_000, show_default=True, help="Rows at a time.")
@click.option(
    "--pause", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Rest after a batch that wrote."
)
@click.option("--after", metavar="KEY", help="The primary key to go on after, for one column.")
@click.option("--dry-run", is_flag=True, help="Count what there is to do, and change nothing.")
@click.option("--quiet", is_flag=True, help="Print nothing.")
def reencrypt(
    target: str, database: str, batch: int, pause: float, after: str | None, *, dry_run: bool, quiet: bool
) -> None:
    """Encrypt what is still plaintext, re-key what is under an older key version, or decrypt on the way back.

    MODULE:COLUMN is where a program has the column: shop.models:User.email, a table's shop.models:users.c.email, or
    shop.models:User for all encrypted columns of it. What the mode of the column writes now, is written; it may be
    interrupted and run again, and leaves to a concurrent write what that has written.
    """
    sys.path.insert(0, "")  # as `python -m` does: programs are found where they are run
    found = _columns(target)
    if after is not None and len(found) != 1:
        raise InvalidParameter("--after is a place in one column; name one")
    engine = _engine(database)
    try:
        for column in found:
            _run(_rows(engine, column), batch=batch, pause=pause, after=after, dry_run=dry_run, quiet=quiet)
    finally:
        engine.dispose()


def _run(rows: ColumnRows, *, batch: int, pause: float, after: str | None, dry_run: bool, quiet: bool) -> None:
    """Run the job on one column, and say where it got to if it ends early."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - as in `_rows`

    from privkit.integrations import reencryption  # noqa: PLC0415 - as in `_rows`

    reached: list[Progress] = []
    try:
        total = max(rows.count(), 1)
        with progress_bar(rows.name, quiet=quiet) as advance:

            def tell(done: Progress) -> None:
                reached.append(done)
                del reached[:-1]
                advance(done.rows, min(done.rows / total, 1.0))

            done = reencryption.reencrypt(
                rows,
                rows.encrypted.stored,
                batch=batch,
                after=None if after is None else rows.position(after),
                dry_run=dry_run,
                pause=pause,
                on_progress=tell,
                row_of=rows.row_of,
            )
    except (PrivkitError, SQLAlchemyError) as error:
        why = str(error) if isinstance(error, PrivkitError) else _of_database(error)
        resume = f"; go on with --after {_written(reached[-1].position)}" if reached and reached[-1].position else ""
        raise InvalidParameter(f"{rows.name}: {why}{resume}") from None
    if not quiet:
        what = (
            f"{done.outdated:,} to replace" if dry_run else f"{done.replaced:,} replaced, {done.overtaken:,} overtaken"
        )
        click.echo(f"{rows.name}: {done.rows:,} values, {what}")


def _of_database(error: SQLAlchemyError) -> str:
    """What the database refused; its own words may quote values."""
    if type(error).__name__ == "IntegrityError":
        return "IntegrityError: a constraint of the table forbids it, as where two rows hold one value; see its log"
    return f"{type(error).__name__} of the database: see that it can be reached and has the table and column"


def _written(position: Position) -> str:
    return ",".join(str(part) for part in position)


def _columns(target: str) -> list[Any]:
    """The columns that a target names."""
    found = _found(target)
    table = getattr(found, "__table__", found)
    if not hasattr(table, "primary_key") or not hasattr(table, "c"):
        return [found]
    names = [column for column in table.c if hasattr(column.type, "stored")]
    if not names:
        raise InvalidParameter(f"{target} has no encrypted column")
    return names


def _found(target: str) -> Any:  # noqa: ANN401 - whatever a program has there
    """What a program has under a name, as in `shop.models:User.email`."""
    module, mark, path = target.partition(":")
    if not (module and mark and path):
        raise InvalidParameter(f"{target!r} is no MODULE:NAME, as shop.models:User.email is")
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            raise InvalidParameter(f"no module {module!r} here") from None
        raise
    for name in path.split("."):
        if not hasattr(found, name):
            raise InvalidParameter(f"{target!r} is not there: no {name!r}{nearest(name, _names(found))}")
        found = getattr(found, name)
    return found


def _names(found: Any) -> list[str]:  # noqa: ANN401 - as above
    return [name for name in dir(found) if not name.startswith("_")]


def _engine(database: str) -> Engine:
    """The engine of a URL, or the one that a program has."""
    try:
        import sqlalchemy as sa  # noqa: PLC0415 - it comes with an extra
    except ImportError:
        raise MissingExtra("columns of a database", extra="sqlalchemy") from None
    if "://" not in database:
        engine = _found(database)
        if not isinstance(engine, sa.Engine):
            raise InvalidParameter(f"{database!r} is no engine of SQLAlchemy")
        return engine
    try:
        return sa.create_engine(database, hide_parameters=True)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise InvalidParameter(f"no database can be opened by that URL: {type(error).__name__}") from None


def _rows(engine: Engine, column: Any) -> ColumnRows:  # noqa: ANN401 - a column or a mapped attribute
    from privkit.integrations.sqlalchemy.job import ColumnRows  # noqa: PLC0415 - it comes with an extra

    return ColumnRows(engine, column)
