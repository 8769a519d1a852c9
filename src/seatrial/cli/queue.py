"""`seatrial queue`: how busy it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.client import AsyncClient


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("queue", epilog=examples("seatrial queue --json"))(queue)


def queue(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line.")] = False,
) -> None:
    """Show how busy it is and how long a new test waits."""
    from dataclasses import asdict

    from .connection import with_client
    from .journal import wait_text, worker_text
    from .screen import Screen

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        state = await client.queue()
        if as_json:
            screen.json({**asdict(state), "wait": state.wait and state.wait.model_dump()})
            return exits.SUCCEEDED
        whose = "of yours " if state.own else ""
        counts = f"{state.queued} {whose}waiting, {state.running} {whose}running"
        screen.line(f"{counts}, {state.slots} slots")
        wait = wait_text(state.wait).removeprefix(", ")
        reason = f" ({state.reason})" if state.reason else ""
        screen.line(f"A new test {wait or 'starts at once'}{reason}.")
        for worker in state.workers:
            screen.line(f"Worker: {worker_text(worker)}.")
        if state.waits_measured:
            screen.line(
                f"{state.waits_kept} of the last {state.waits_measured} tests that had to wait "
                "started when they were told."
            )
        return exits.SUCCEEDED

    with_client(ctx, screen, work)
