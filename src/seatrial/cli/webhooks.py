"""`seatrial webhooks`: what a back end checks its messages with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.client import AsyncClient

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def register(parent: typer.Typer) -> None:
    """Add the noun."""
    parent.add_typer(app, name="webhooks", help="Check what tests' webhooks are sent.")


@app.callback()
def _noun() -> None:
    """Keep `secret` a command of its own although it is the only one."""


@app.command("secret", epilog=examples("seatrial webhooks secret | pass insert -e seatrial"))
def secret(ctx: typer.Context) -> None:
    """Print the secret that your webhooks are signed with, for your back end."""
    from .connection import with_client
    from .screen import Screen

    # The secret alone stands on stdout, so that it can be piped into a secret store.
    screen = Screen(json_mode=True)

    async def work(client: AsyncClient) -> int:
        typer.echo(await client.webhook_secret())
        screen.line(
            "Your back end checks with it, for example: Webhook(secret).verify(body, headers)"
        )
        return exits.SUCCEEDED

    with_client(ctx, screen, work)
