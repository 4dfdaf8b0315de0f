"""`manage.py privkit_reencrypt`: bring encrypted columns into the form that their mode writes now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from privkit.errors import PrivkitError
from privkit.integrations.django.fields import EncryptedField, encrypted_fields
from privkit.integrations.django.stored import ColumnRows
from privkit.integrations.reencryption import Progress, reencrypt

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """Encrypt what is still plaintext, re-key what is under an older key version, or decrypt on the way back."""

    help = (
        "Brings encrypted columns into the form that their mode writes now: encrypts plaintext, re-keys what is under "
        "an older key version, or decrypts where the mode is plaintext_ok. It can be killed and started again, and "
        "leaves to a concurrent write what that has written."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what it takes."""
        parser.add_argument("model", help="the model, as app.Model")
        parser.add_argument("fields", nargs="*", help="its encrypted fields; all of them by default")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="the alias of the database")
        parser.add_argument("--batch", type=int, default=2_000, help="how many rows at a time")
        parser.add_argument("--pause", type=float, default=0.0, help="seconds to wait after a batch that wrote")
        parser.add_argument("--after", help="the primary key to resume after, for one field")
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *_: Any, **said: Any) -> None:  # noqa: ANN401 - Django's signature
        """Run the job on each field."""
        fields = _fields(said["model"], said["fields"])
        if said["after"] is not None and len(fields) != 1:
            raise CommandError("--after is a place in one column; name one field")
        for field in fields:
            try:
                self._run(field, said)
            except PrivkitError as failure:
                raise CommandError(f"{field.label}: {failure}") from None

    def _run(self, field: EncryptedField, said: dict[str, Any]) -> None:
        rows = ColumnRows(field, said["database"])
        done = reencrypt(
            rows,
            field.stored,
            batch=said["batch"],
            pause=said["pause"],
            after=None if said["after"] is None else rows.position(said["after"]),
            dry_run=said["dry_run"],
            row_of=rows.row_of,
            on_progress=None if said["verbosity"] < 2 else lambda done: self._say(field, done),  # noqa: PLR2004 - Django's level for progress
        )
        self._say(field, done, last=True, dry_run=said["dry_run"])

    def _say(self, field: EncryptedField, done: Progress, *, last: bool = False, dry_run: bool = False) -> None:
        place = "" if last or done.position is None else f", up to {done.position[0]}"
        what = f"{done.outdated} to replace" if dry_run else f"{done.replaced} replaced, {done.overtaken} overtaken"
        self.stdout.write(f"{field.label}: {done.rows} values, {what}{place}")


def _fields(label: str, names: list[str]) -> list[EncryptedField]:
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        raise CommandError(f"no model {label!r}; write it as app.Model") from None
    found = {field.name: field for field in encrypted_fields(model)}
    unknown = [name for name in names if name not in found]
    if unknown or not found:
        raise CommandError(f"{label} has no encrypted field {', '.join(unknown)}; it has {', '.join(found) or 'none'}")
    return [found[name] for name in names or found]
