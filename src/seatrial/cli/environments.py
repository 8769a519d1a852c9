"""`seatrial environments`: the built sets of dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.client import AsyncClient

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def register(parent: typer.Typer) -> None:
    """Add the noun."""
    parent.add_typer(app, name="environments", help="List and prune built sets of dependencies.")


@app.command("list", epilog=examples("seatrial environments list --json"))
def list_environments(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """List what is built, most recently used first."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from .connection import with_client
    from .screen import Screen
    from .times import ago, megabytes

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        found = await client.environments()
        if as_json:
            for one in found:
                screen.json({**asdict(one), "last_used": one.last_used.isoformat()})
            return exits.SUCCEEDED
        now = datetime.now(UTC)
        rows = [
            (
                one.key[:12],
                one.python,
                str(one.packages),
                megabytes(one.size_bytes),
                ago(one.last_used, now),
            )
            for one in found
        ]
        screen.table(("KEY", "PYTHON", "PACKAGES", "SIZE", "USED AGO"), rows)
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command("prune", epilog=examples("seatrial environments prune --keep-gb 5"))
def prune(
    ctx: typer.Context,
    keep_gb: Annotated[float, typer.Option(metavar="GB", help="How much may stay.", min=0)] = 0.0,
) -> None:
    """Remove the least recently used. They are built again when a test needs them."""
    from .connection import with_client
    from .screen import Screen
    from .times import megabytes

    screen = Screen()

    async def work(client: AsyncClient) -> int:
        freed = await client.prune_environments(int(keep_gb * 1e9))
        screen.line(f"Gave back {megabytes(freed)}.")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)
