"""`seatrial tests embed`: lets a page of another application show a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.client import AsyncClient


def register(tests: typer.Typer) -> None:
    """Add the command to the noun `tests`."""
    tests.command("embed", epilog=examples("seatrial tests embed last https://app.example"))(embed)


def embed(
    ctx: typer.Context,
    test_id: Annotated[
        str, typer.Argument(metavar="ID", help="The test's id, a part of it, or `last`.")
    ],
    origins: Annotated[
        list[str], typer.Argument(metavar="ORIGIN...", help="Where the page is: https://host.")
    ],
    lifetime: Annotated[
        int, typer.Option(metavar="SECONDS", help="How long it is good for: 60 to 86400.")
    ] = 3600,
) -> None:
    """Print a token with which pages of these origins show the test, and do nothing else."""
    from .connection import with_client
    from .lookup import find_test
    from .screen import Screen

    # The token alone stands on stdout, so that it can be piped.
    screen = Screen(json_mode=True)

    async def work(client: AsyncClient) -> int:
        test = await find_test(client, test_id)
        made = await client.embed_token(test.id, origins, lifetime_seconds=lifetime)
        typer.echo(made.token)
        screen.line(f"It shows {made.test_id} until {made.expires_at:%Y-%m-%d %H:%M:%S} UTC, with:")
        screen.line('<script src="SERVER/embed.js"></script>')
        screen.line(f'<seatrial-test server="SERVER" test="{made.test_id}" token="TOKEN">')
        return exits.SUCCEEDED

    with_client(ctx, screen, work)
