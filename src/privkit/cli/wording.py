"""The words of the command line for what the library's messages say in those of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Final[Mapping[str, str]] = {
    "pass wrapper=LocalKey(path)": "name it with --kek local:FILE",
    "pass that wrapper: Keyring.open(..., wrapper=...)": "name its key with --kek",
    "pass that wrapper": "name its key with --kek",
    "create one with Keyring.create or `privkit keys init`": "create one with `privkit keys init`",
    "move the stable version first, or destroy it with breaks_stable=True": (
        "move them with `privkit keys move-stable` first; --breaks-stable destroys it all the same"
    ),
    "with keys.move_stable": "with `privkit keys move-stable`",
    "call keys.subjects.rewrap() first": "run `privkit keys rewrap-persons` first",
    "or make the keyring with kdf='scrypt'": "or wrap the keyring by another key",
    "set small_domain=True": "set small_domain = true in the policy",
    "replace it with force=True": "replace it with --force",
    "fit this table, or allow more suppression": "run without --plan, or allow more suppression in the policy",
    "or make it with Hierarchy.from_data": "or say from_data in the policy",
    "which needs output='labels'": 'which needs output = "labels"',
    "or take recoding='local'": 'or say recoding = "local"',
    "take output='labels', or recoding='local'": 'say output = "labels", or recoding = "local"',
}
"""Words of Python, and of the command line; longer ones stand before those that they contain."""


def on_the_command_line(message: str) -> str:
    """A message of the library whose remedies are options, not arguments."""
    for python, option in WORDS.items():
        message = message.replace(python, option)
    return message
