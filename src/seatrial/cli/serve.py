"""`seatrial serve`: the server, with a worker unless told otherwise."""

from __future__ import annotations

from typing import Annotated

import typer

from . import exits
from .epilog import examples


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "serve",
        epilog=examples(
            "seatrial serve",
            "seatrial serve --port 9000 --no-worker",
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
            help="Address to listen on; others than loopback need tokens. [127.0.0.1]",
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
    elif background:
        from seatrial.wiring.local import connect

        where = connect(settings, screen.line)
        screen.line(f"It runs, behind {where['socket_path']}. Stop it with: seatrial serve --stop")
    else:
        import asyncio

        from seatrial.wiring.serve import serve as serve_here

        asyncio.run(serve_here(settings, with_worker=with_worker, announce=screen.line))
    raise typer.Exit(exits.SUCCEEDED)
