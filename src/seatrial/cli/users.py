"""`seatrial users`: API tokens."""

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
    parent.add_typer(app, name="users", help="Make and revoke API tokens.")


@app.command("token", epilog=examples('seatrial users token maria --label "build server"'))
def token(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The user, made if new.")],
    label: Annotated[
        str, typer.Option(metavar="TEXT", help="What to call the token.")
    ] = "command line",
) -> None:
    """Make an API token for a user and print it: this once, only its hash is kept."""
    from .connection import with_client
    from .screen import Screen

    # The token alone stands on stdout, so that it can be piped into a secret store.
    screen = Screen(json_mode=True)

    async def work(client: AsyncClient) -> int:
        made = await client.create_token(label, user=name)
        typer.echo(made.token)
        screen.line(f"This is {made.user}'s token {made.label!r}. It is not shown again.")
        screen.line("Use it with: SEATRIAL_URL=http://… SEATRIAL_TOKEN=… seatrial tests list")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


@app.command("revoke", epilog=examples('seatrial users revoke maria --label "build server"'))
def revoke(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The user.")],
    label: Annotated[
        str, typer.Option(metavar="TEXT", help="What the token is called.")
    ] = "command line",
) -> None:
    """Make a user's API tokens of that label worthless."""
    from .connection import with_client
    from .screen import Screen

    screen = Screen()

    async def work(client: AsyncClient) -> int:
        await client.revoke_token(label, user=name)
        screen.line(f"{name}'s tokens {label!r} are worthless now.")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)
