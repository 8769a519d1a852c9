"""The command `seatrial`: its options, its commands, and the one place where errors end."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from . import (
    credentials,
    doctor,
    environments,
    exits,
    openapi,
    package,
    providers,
    queue,
    run,
    serve,
    tests,
    users,
    webhooks,
    worker,
)
from .epilog import examples

app = typer.Typer(
    name="seatrial",
    help=(
        "Test a Python AI agent in a real container against its real model.\n\n"
        "Without SEATRIAL_URL, commands talk to the process that owns the local data folder, "
        "starting it if need be; with it, to that server, with the token in SEATRIAL_TOKEN."
    ),
    epilog=examples('seatrial run agent.py "What is the capital of France?"', codes=True),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_NOUNS = (
    run,
    tests,
    package,
    serve,
    worker,
    environments,
    providers,
    credentials,
    queue,
    doctor,
    users,
    webhooks,
    openapi,
)
for noun in _NOUNS:
    noun.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"seatrial {version('seatrial')}")
        raise typer.Exit


@app.callback()
def _globals(
    ctx: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Use the server at this address. [env: SEATRIAL_URL]",
            show_default=False,
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    from .globals import Globals

    ctx.obj = Globals(url=url)


def main() -> None:
    """Run the command line and exit. No user sees a traceback unless they ask for one."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output has left. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(exits.BROKEN_PIPE)
    except Exception as error:  # noqa: BLE001 - the outermost boundary: users see no traceback
        sys.exit(_told(_alone(error)))


def _alone(error: Exception) -> Exception:
    """What a task group wrapped, when it is one error."""
    inner: tuple[Exception, ...] = getattr(error, "exceptions", ())
    return _alone(inner[0]) if len(inner) == 1 else error


def _told(error: Exception) -> int:
    """Say what went wrong on standard error; the exit code."""
    from seatrial.domain.errors import SeatrialError

    from .problems import lines_of, lines_of_defect
    from .screen import Screen

    known = isinstance(error, SeatrialError)
    Screen().problems(lines_of(error) if known else lines_of_defect(error))
    if os.environ.get("SEATRIAL_LOG_LEVEL", "").lower() == "debug":
        import traceback

        traceback.print_exception(error)
    return exits.of_error(error) if known else exits.PLATFORM


if __name__ == "__main__":
    main()
