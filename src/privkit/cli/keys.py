"""`privkit keys`: keyrings and the versions of their keys."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from privkit.cli.app import Group
from privkit.cli.keyrings import KEK_HELP, open_keyring, wrapper_of
from privkit.cli.screen import console, plain, table
from privkit.errors import InvalidParameter, KeyNotFound, KeyringError
from privkit.keys import Keyring
from privkit.keys.document import hex_id
from privkit.keys.tink import export_tink as exported  # the dangerous door: its one use is the command of that name

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_KEYRING = click.argument("keyring", type=click.Path(path_type=Path))
_KEK = click.option("--kek", help=KEK_HELP)
_JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")


@click.group(cls=Group)
def keys() -> None:
    """Make keyrings, rotate their keys, retire old ones, and forget persons."""


_VERSION = click.argument("key_id", metavar="KEY")
_PERSON = click.argument("person")


def _command(*arguments: Callable[[Callable[..., None]], Callable[..., None]]) -> Callable[..., click.Command]:
    """A command on a keyring, with what arguments come after that."""

    def decorated(function: Callable[..., None]) -> click.Command:
        for decorate in (_JSON, _KEK, *reversed(arguments), _KEYRING):
            function = decorate(function)
        return keys.command()(function)

    return decorated


@_command()
def init(keyring: Path, kek: str | None, *, as_json: bool) -> None:
    """Make a keyring with one key."""
    _tell(Keyring.create(keyring, wrapper=wrapper_of(kek or "local", new=True)), as_json=as_json, done="made")


@_command()
def list(keyring: Path, kek: str | None, *, as_json: bool) -> None:  # noqa: A001 - the command's name
    """Show the versions of the key, and what they may do."""
    _tell(open_keyring(keyring, kek), as_json=as_json)


@_command()
@click.option("--staged", is_flag=True, help="A key that only reads, until it is enabled: for keyrings kept as copies.")
def rotate(keyring: Path, kek: str | None, *, as_json: bool, staged: bool) -> None:
    """Add a key, which writes from now on. What was written before stays readable."""
    opened = open_keyring(keyring, kek)
    added = hex_id(opened.rotate(staged=staged))
    what = "reads, and will write once it is enabled: hand the keyring out first" if staged else "writes from now on"
    _tell(opened, as_json=as_json, done=f"key {added} {what}")


@_command(_VERSION)
def disable(keyring: Path, kek: str | None, key_id: str, *, as_json: bool) -> None:
    """Stop a key from reading and writing. It can be enabled again."""
    opened = open_keyring(keyring, kek)
    opened.disable(_version_id(opened, key_id))
    _tell(opened, as_json=as_json, done=f"key {key_id} is disabled")


@_command(_VERSION)
def enable(keyring: Path, kek: str | None, key_id: str, *, as_json: bool) -> None:
    """Let a disabled key read again, and a staged one write."""
    opened = open_keyring(keyring, kek)
    opened.enable(_version_id(opened, key_id))
    _tell(opened, as_json=as_json, done=f"key {key_id} is enabled")


@_command(_VERSION)
@click.option("--breaks-stable", is_flag=True, help="Even where tokens and format-preserving output stand on it.")
@click.option("--confirm", metavar="KEY", help="The key once more, instead of being asked.")
def destroy(
    keyring: Path, kek: str | None, key_id: str, *, as_json: bool, breaks_stable: bool, confirm: str | None
) -> None:
    """Drop a key for good. What it wrote can never be read again."""
    opened = open_keyring(keyring, kek)
    number = _version_id(opened, key_id)
    if confirm is None:
        click.confirm(f"Everything that key {hex_id(number)} wrote will be lost. Destroy it?", abort=True, err=True)
        confirm = click.prompt("Type the key once more", err=True)
    if confirm.strip().lower().removeprefix("0x") != hex_id(number):
        raise InvalidParameter("the key typed to confirm is another one; nothing was destroyed")
    opened.destroy(number, breaks_stable=breaks_stable)
    _tell(opened, as_json=as_json, done=f"key {hex_id(number)} is destroyed")


@_command(click.argument("field", required=False))
@click.option("--to", metavar="KEY", help="The key to stand on; by default the one that writes.")
def move_stable(keyring: Path, kek: str | None, field: str | None, to: str | None, *, as_json: bool) -> None:
    """Let what stays equal over rotations stand on another key.

    Tokens, format-preserving output and deterministic ciphertexts of FIELD, or of every field that was not moved by
    itself, stand on that key from now on: what is new no longer joins with what is older.
    """
    opened = open_keyring(keyring, kek)
    number = opened.primary_id if to is None else _version_id(opened, to)
    opened.move_stable(field, to=number)
    _tell(opened, as_json=as_json, done=f"{field or 'every field not moved by itself'} stands on key {hex_id(number)}")


@_command(click.argument("name"), click.argument("of", metavar="FIELD"))
def alias(keyring: Path, kek: str | None, name: str, of: str, *, as_json: bool) -> None:
    """Let a new name of a field stand for the old one.

    NAME then has the keys of FIELD. Do it when renaming a field, before anything is written under the new name.
    """
    opened = open_keyring(keyring, kek)
    opened.alias(name, of=of)
    _tell(opened, as_json=as_json, done="aliased")


@_command(click.argument("name"))
def unalias(keyring: Path, kek: str | None, name: str, *, as_json: bool) -> None:
    """Take an alias back. NAME is then a field of its own again."""
    opened = open_keyring(keyring, kek)
    opened.remove_alias(name)
    _tell(opened, as_json=as_json, done="taken back")


@_command()
@click.option("--to", required=True, help="What is to wrap it: as for --kek.")
def rewrap(keyring: Path, kek: str | None, to: str, *, as_json: bool) -> None:
    """Wrap a keyring by another key-encryption key. No data changes."""
    opened = open_keyring(keyring, kek)
    opened.rewrap(wrapper_of(to, new=True))
    _tell(opened, as_json=as_json, done="wrapped anew; copies from before still open with the old key")


@_command(click.argument("field"), click.argument("out", type=click.Path(path_type=Path)))
@click.option("--binary", is_flag=True, help="Write Tink's binary form instead of its JSON.")
def export_tink(keyring: Path, kek: str | None, field: str, out: Path, *, as_json: bool, binary: bool) -> None:
    """Write a field's keys in clear, for Google's Tink.

    Tink then reads what was encrypted deterministically in FIELD. OUT is readable by you alone, and never replaced.
    """
    keyset = exported(open_keyring(keyring, kek)[field])
    _write_new(out, keyset.to_binary() if binary else keyset.to_json().encode())
    if as_json:
        click.echo(json.dumps({"out": str(out), "primary": hex_id(keyset.primary_id)}, indent=2))
        return
    console().print(plain(f"{out} has the keys of {field} in clear: give it to Tink, and store it only encrypted"))


@_command(_PERSON)
def person(keyring: Path, kek: str | None, person: str, *, as_json: bool) -> None:
    """Say whether a person has a key, or was forgotten."""
    found = open_keyring(keyring, kek).subject(person)
    _tell_person(found.forgotten, exists=found.exists, as_json=as_json)


@_command(_PERSON)
@click.option("--reason", default="", help="Why, for the records; it is stored in clear.")
@click.option("--confirm", metavar="PERSON", help="The person's id once more, instead of being asked.")
def forget(keyring: Path, kek: str | None, person: str, *, as_json: bool, reason: str, confirm: str | None) -> None:
    """Destroy a person's own key. What it wrote can never be read again."""
    opened = open_keyring(keyring, kek)
    if opened.subject(person).forgotten is None and confirm is None:
        click.confirm("Everything under this person's key will be lost. Destroy it?", abort=True, err=True)
        confirm = click.prompt("Type the person's id once more", err=True)
    if confirm is not None and confirm != person:
        raise InvalidParameter("the id typed to confirm is another one; nobody was forgotten")
    _tell_person(opened.forget(person, reason=reason), exists=False, as_json=as_json)


@_command()
def rewrap_persons(keyring: Path, kek: str | None, *, as_json: bool) -> None:
    """Wrap all persons' keys by the key that writes now.

    Older keys may be destroyed after that. No data changes.
    """
    opened = open_keyring(keyring, kek)
    count = opened.subjects.rewrap()
    _tell(opened, as_json=as_json, done=f"{count:,} keys of persons wrapped anew")


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that was not there, for its owner alone."""
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(content)
    except OSError as error:
        raise KeyringError(f"cannot write {path}: {error.strerror}; name a file that does not exist") from None


def _tell_person(forgotten: datetime | None, *, exists: bool, as_json: bool) -> None:
    """Print what there is of a person's key; not the id, which may be personal itself."""
    if as_json:
        when = None if forgotten is None else forgotten.isoformat()
        click.echo(json.dumps({"exists": exists, "forgotten": when}, indent=2))
        return
    if forgotten is not None:
        console().print(plain(f"forgotten on {forgotten:%Y-%m-%d %H:%M} UTC: the key is destroyed"))
    else:
        console().print(plain("has a key" if exists else "has no key; one is made when something is first written"))


def _version_id(keyring: Keyring, text: str) -> int:
    """A key id as typed: 8 hex digits, as `list` shows them."""
    try:
        number = int(text, 16)
    except ValueError:
        number = 0
    if number not in [version.id for version in keyring.versions]:
        shown = ", ".join(hex_id(version.id) for version in keyring.versions)
        raise KeyNotFound(f"keyring has no key {text!r}; it has {shown}")
    return number


def _tell(keyring: Keyring, *, as_json: bool, done: str = "") -> None:
    """Print a keyring's versions."""
    if as_json:
        click.echo(json.dumps(_told(keyring), indent=2))
        return
    screen = console()
    if done:
        screen.print(plain(done))
    screen.print(plain(f"keyring {keyring.id}, generation {keyring.generation}, wrapped by {keyring.wrapped_by}"))
    for name, of in sorted(keyring.aliases.items()):
        screen.print(plain(f"{name} stands for {of}"))
    shown = table("key", "state", "created (UTC)", "changed (UTC)", "stable for")
    rest = "every other field" if any(version.stable_for for version in keyring.versions) else "every field"
    for version in keyring.versions:
        stands = ([rest] if version.stable else []) + [*version.stable_for]
        shown.add_row(
            hex_id(version.id),
            plain(version.state.value, {"primary": "bold green", "destroyed": "dim"}.get(version.state.value, "")),
            f"{version.created:%Y-%m-%d %H:%M}",
            f"{version.changed:%Y-%m-%d %H:%M}",
            plain(", ".join(stands)),
        )
    screen.print(shown)


def _told(keyring: Keyring) -> dict[str, Any]:
    return {
        "keyring": keyring.id,
        "generation": keyring.generation,
        "wrapped_by": keyring.wrapped_by,
        "keys": [
            {
                "id": hex_id(version.id),
                "state": version.state.value,
                "created": version.created.isoformat(),
                "changed": version.changed.isoformat(),
                "stable": version.stable,
                "stable_for": [*version.stable_for],
            }
            for version in keyring.versions
        ],
        "aliases": dict(keyring.aliases),
    }
