"""The command line: `privkit`, or `python -m privkit`. The only place that prints."""

import sys
from collections.abc import Sequence
from importlib import import_module

_NEEDED = ("click", "rich")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: What stands after `privkit`; by default the arguments of the process.

    Returns:
        The exit status: 0, or 2 with one line on stderr that says what is wrong, or 130 after Ctrl-C, or 143 after
        SIGTERM, or 129 after SIGHUP.
    """
    try:
        for name in _NEEDED:
            import_module(name)
        from privkit.cli.app import run  # noqa: PLC0415 - what it stands on is an extra, and may be missing
    except ModuleNotFoundError as missing:
        if missing.name not in _NEEDED:
            raise
        print("privkit: the command line needs the extra 'cli': pip install 'privkit[cli]'", file=sys.stderr)  # noqa: T201 - there is no click yet
        return 2
    except KeyboardInterrupt:  # the imports take long enough for somebody to think better of it
        print("privkit: interrupted; nothing was left half written", file=sys.stderr)  # noqa: T201 - likewise
        return 130
    return run(arguments)


__all__ = ["main"]
