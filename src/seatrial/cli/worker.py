"""`seatrial worker`: takes tests from the database's queue and runs them on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from .epilog import examples


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "worker",
        epilog=examples("SEATRIAL_DATABASE_URL=postgresql://… seatrial worker --engine docker"),
    )(worker)


def worker(
    ctx: typer.Context,
    engine: Annotated[
        str | None,
        typer.Option(metavar="ENGINE", help="Where containers run: auto, docker or fake. [auto]"),
    ] = None,
) -> None:
    """Run tests for a server elsewhere. Both share one database."""
    import asyncio

    from seatrial.wiring.worker import run_worker

    from .connection import settings_of
    from .screen import Screen

    asyncio.run(run_worker(settings_of(ctx, engine=engine), announce=Screen().line))
