"""`privkit keys`: keyrings and the versions of their keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from privkit.cli.app import Group
from privkit.cli.keyrings import KEK_HELP, open_keyring, wrapper_of
from privkit.cli.screen import console, plain, table
from privkit.errors import InvalidParameter, KeyNotFound
from privkit.keys import Keyring
from privkit.keys.document import hex_id

if TYPE_CHECKING:
    from collections.abc import Callable

_KEYRING = click.argument("keyring", type=click.Path(path_type=Path))
_KEK = click.option("--kek", help=KEK_HELP)
_JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for programs.")


@click.group(cls=Group)
def keys() -> None:
    """Make keyrings, rotate their keys, and retire old ones."""


def _command(*, versioned: bool = False) -> Callable[[Callable[..., None]], click.Command]:
    """A command on a keyring, and where `versioned` on one of its versions."""

    def decorated(function: Callable[..., None]) -> click.Command:
        for decorate in (_JSON, _KEK, *([click.argument("key_id", metavar="KEY")] if versioned else []), _KEYRING):
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
def rotate(keyring: Path, kek: str | None, *, as_json: bool) -> None:
    """Add a key, which writes from now on; what was written before stays readable."""
    opened = open_keyring(keyring, kek)
    _tell(opened, as_json=as_json, done=f"key {hex_id(opened.rotate())} writes from now on")


@_command(versioned=True)
def disable(keyring: Path, kek: str | None, key_id: str, *, as_json: bool) -> None:
    """Stop a key from reading and writing, until it is enabled again."""
    opened = open_keyring(keyring, kek)
    opened.disable(_version_id(opened, key_id))
    _tell(opened, as_json=as_json, done=f"key {key_id} is disabled")


@_command(versioned=True)
def enable(keyring: Path, kek: str | None, key_id: str, *, as_json: bool) -> None:
    """Let a disabled key read again."""
    opened = open_keyring(keyring, kek)
    opened.enable(_version_id(opened, key_id))
    _tell(opened, as_json=as_json, done=f"key {key_id} is enabled")


@_command(versioned=True)
@click.option("--breaks-stable", is_flag=True, help="Even where tokens and format-preserving output stand on it.")
@click.option("--confirm", metavar="KEY", help="The key once more, instead of being asked.")
def destroy(
    keyring: Path, kek: str | None, key_id: str, *, as_json: bool, breaks_stable: bool, confirm: str | None
) -> None:
    """Drop a key for good: what it wrote can never be read again."""
    opened = open_keyring(keyring, kek)
    number = _version_id(opened, key_id)
    if confirm is None:
        click.confirm(f"Everything that key {hex_id(number)} wrote will be lost. Destroy it?", abort=True, err=True)
        confirm = click.prompt("Type the key once more", err=True)
    if confirm.strip().lower().removeprefix("0x") != hex_id(number):
        raise InvalidParameter("the key typed to confirm is another one; nothing was destroyed")
    opened.destroy(number, breaks_stable=breaks_stable)
    _tell(opened, as_json=as_json, done=f"key {hex_id(number)} is destroyed")


@_command()
@click.option("--to", required=True, help="What is to wrap it: as for --kek.")
def rewrap(keyring: Path, kek: str | None, to: str, *, as_json: bool) -> None:
    """Wrap a keyring by another key-encryption key; no data changes."""
    opened = open_keyring(keyring, kek)
    opened.rewrap(wrapper_of(to, new=True))
    _tell(opened, as_json=as_json, done="wrapped anew; copies from before still open with the old key")


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
    shown = table("key", "state", "created", "changed", "stable for")
    for version in keyring.versions:
        stands = (["every other field"] if version.stable else []) + [*version.stable_for]
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
