"""`seatrial users`: API tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from datetime import datetime

    from seatrial.client import AsyncClient
    from seatrial.domain.ports import TokenInfo

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def register(parent: typer.Typer) -> None:
    """Add the noun."""
    parent.add_typer(app, name="users", help="List, make and revoke API tokens.")


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


@app.command("tokens", epilog=examples("seatrial users tokens", "seatrial users tokens maria"))
def tokens(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The user; omitted: you.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """List a user's API tokens with their last use."""
    _show(ctx, name, everyone=False, as_json=as_json)


@app.command("list", epilog=examples("seatrial users list --json"))
def list_users(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """List every user's API tokens. Only the server machine's own user may."""
    _show(ctx, None, everyone=True, as_json=as_json)


def _show(ctx: typer.Context, name: str | None, *, everyone: bool, as_json: bool) -> None:
    from datetime import UTC, datetime

    from .connection import with_client
    from .screen import Screen

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        found = await client.tokens(user=name, everyone=everyone)
        if as_json:
            for one in found:
                screen.json(_as_json(one))
            return exits.SUCCEEDED
        now = datetime.now(UTC)
        heads = ("USER", "LABEL", "ID", "MADE AGO", "USED AGO", "MADE THROUGH")
        screen.table(heads, [_row(one, now) for one in found])
        return exits.SUCCEEDED

    with_client(ctx, screen, work)


def _row(one: TokenInfo, now: datetime) -> tuple[str, ...]:
    from .times import ago

    used = "never" if one.last_used is None else ago(one.last_used, now)
    return (one.user, one.label, one.id, ago(one.created_at, now), used, one.parent or "-")


def _as_json(one: TokenInfo) -> dict[str, str | None]:
    used = None if one.last_used is None else one.last_used.isoformat()
    return {
        "user": one.user,
        "label": one.label,
        "id": one.id,
        "created_at": one.created_at.isoformat(),
        "last_used": used,
        "parent": one.parent,
    }


@app.command("revoke", epilog=examples('seatrial users revoke maria --label "build server"'))
def revoke(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The user.")],
    label: Annotated[
        str, typer.Option(metavar="TEXT", help="What the token is called.")
    ] = "command line",
) -> None:
    """Revoke a user's API tokens of that label, and all that were made through them."""
    from .connection import with_client
    from .screen import Screen

    screen = Screen()

    async def work(client: AsyncClient) -> int:
        await client.revoke_token(label, user=name)
        screen.line(f"Revoked {name}'s tokens {label!r} and those made through them.")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)
