"""`seatrial serve`: the server, with a worker unless told otherwise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.settings import Settings

    from .screen import Screen


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "serve",
        epilog=examples(
            "seatrial serve",
            "seatrial serve --port 9000 --no-worker",
            "seatrial serve --show-url",
            "seatrial serve --background",
            "seatrial serve --stop",
        ),
    )(serve)


def serve(
    ctx: typer.Context,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on; others than loopback need accounts. [127.0.0.1]",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="Port to listen on. [8710]")
    ] = None,
    with_worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Run tests in this process too.")
    ] = True,
    engine: Annotated[
        str | None,
        typer.Option(metavar="ENGINE", help="Where containers run: auto, docker or fake. [auto]"),
    ] = None,
    background: Annotated[
        bool, typer.Option("--background", help="Start it in the background and leave.")
    ] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the one that owns the data folder.")
    ] = False,
    show_url: Annotated[
        bool, typer.Option("--show-url", help="Print the page's address, with the local token.")
    ] = False,
    show_token: Annotated[
        bool, typer.Option("--show-token", help="Print the local token, for SEATRIAL_TOKEN.")
    ] = False,
) -> None:
    """Serve the API and run tests. Ctrl-C ends it; its tests are taken up at the next start.

    Every option is also a setting: SEATRIAL_HOST, SEATRIAL_PORT, SEATRIAL_ENGINE and others.
    """
    from .connection import settings_of
    from .screen import Screen

    screen = Screen()
    settings = settings_of(ctx, host=host, port=port, engine=engine)
    if stop:
        from seatrial.wiring.local import stop as stop_local

        stopped = stop_local(settings)
        screen.line("Stopped." if stopped else "Nothing runs in this data folder.")
    elif show_url or show_token:
        _show(screen, settings, token_only=show_token)
    elif background:
        from seatrial.wiring.local import connect

        where = connect(settings, screen.line)
        screen.line(f"It runs, behind {where['socket_path']}. Stop it with: seatrial serve --stop")
    else:
        import asyncio

        from seatrial.wiring.serve import serve as serve_here

        work = serve_here(
            settings,
            with_worker=with_worker,
            announce=screen.line,
            on_terminal=sys.stdout.isatty(),
        )
        asyncio.run(work)
    raise typer.Exit(exits.SUCCEEDED)


def _show(screen: Screen, settings: Settings, *, token_only: bool) -> None:
    """Print the address or the token alone, so that a script can take it; notes go to stderr."""
    from seatrial.wiring import access

    running = access.listening(settings)
    where = running or access.expected(settings)
    if token_only:
        screen.line(access.shown_token(settings, where))
        return
    screen.line(access.page_address(settings, where))
    if running is None:
        screen.problem("No server listens on a port for this data folder. Start: seatrial serve")
