"""The group of commands, and how an error becomes one line and an exit status."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from privkit.cli.screen import harmless
from privkit.cli.wording import on_the_command_line
from privkit.errors import PrivkitError
from privkit.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ERROR: Final = 2
INTERRUPTED: Final = 128 + signal.SIGINT
_COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "demo": ("privkit.cli.demo", "demo"),
    "apply": ("privkit.cli.apply", "apply"),
    "reveal": ("privkit.cli.apply", "reveal"),
    "inspect": ("privkit.cli.inspect", "inspect"),
    "risk": ("privkit.cli.risk", "risk"),
    "keys": ("privkit.cli.keys", "keys"),
    "fields": ("privkit.cli.fields", "fields"),
    "reencrypt": ("privkit.cli.reencrypt", "reencrypt"),
}


class Group(click.Group):
    """Commands, of which the nearest is named where a wrong one is given."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:  # noqa: ANN401 - as click declares it
        """Find the command that the arguments begin with."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            raise click.UsageError(f"no command {args[0]!r}{nearest(args[0], known)}")
        return super().resolve_command(ctx, args)


class _Commands(Group):
    """Commands that are imported when they are asked for, so that one does not wait for what another needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's too
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


def _version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click passes it so
    if asked:
        click.echo(f"privkit {version('privkit')}")
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say the version and leave."
)
def app() -> None:
    """Protect the fields of customer data: by a policy, for a purpose, with keys that stay with you.

    Begin with `privkit demo`.
    """


def run(arguments: Sequence[str] | None) -> int:
    """Run a command, and turn whatever goes wrong into one line on stderr and an exit status."""
    _open_closed()
    _end_on_signals()
    try:
        status = app.main(None if arguments is None else list(arguments), prog_name="privkit", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ERROR
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted; nothing was left half written")
        return INTERRUPTED
    except BrokenPipeError:
        _stop_writing()
        return 128 + signal.SIGPIPE
    except Exception as error:  # noqa: BLE001 - whatever it is, a traceback might print data
        ended = _ended(error)
        return _fail(_said(error)) if ended is None else ended
    return status if isinstance(status, int) else 0


def _ended(error: BaseException) -> int | None:
    """The status of a signal that ended the run before tidying up raised an error, as on a terminal that is gone."""
    before = error.__context__
    if isinstance(before, SystemExit) and isinstance(before.code, int):
        return before.code
    return None if before is None else _ended(before)


def _fail(message: str) -> int:
    with suppress(OSError):  # of a terminal that is gone: the status says it too
        click.echo(harmless(f"privkit: {' '.join(message.split())}"), err=True)
    return ERROR


def _said(error: Exception) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, PrivkitError):
        return on_the_command_line(str(error))
    if isinstance(error, OSError):
        words = (error.strerror or str(error)).lower() if error.errno else str(error)
        return f"{error.filename}: {words}" if error.filename else words
    return _defect(error)


def _defect(error: Exception) -> str:
    """Name a defect without the error's own message, which may quote a value."""
    if os.environ.get("PRIVKIT_TRACEBACK"):
        traceback.print_exception(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(last.filename)}:{last.lineno}"  # noqa: PTH119 - a name in a traceback, no path to use
    return (
        f"a defect in privkit: {type(error).__name__} at {place}; please report it "
        "(PRIVKIT_TRACEBACK=1 shows all, and may show values)"
    )


def _open_closed() -> None:
    """Give what is said somewhere to go where stdout or stderr was closed (`>&-`), and to no file opened later."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - open until the end


def _end_on_signals() -> None:
    """Let SIGTERM, and SIGHUP of a closed terminal, unwind the stack, so that temporary files are removed."""
    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # there is no SIGHUP on Windows
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _terminate)


def _terminate(number: int, _: object) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough: a second must not stop the first one's tidying up
    sys.exit(128 + number)


def _stop_writing() -> None:
    """Keep the interpreter from flushing to a reader that has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
