"""`seatrial providers`: which models can be used, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.client import AsyncClient


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("providers", epilog=examples("seatrial providers --json"))(providers)


def providers(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Show which models can be used, and why not."""
    from dataclasses import asdict

    from .connection import with_client
    from .lines import Span
    from .screen import Screen

    screen = Screen(json_mode=as_json)

    async def work(client: AsyncClient) -> int:
        for state in await client.providers():
            if as_json:
                screen.json(asdict(state))
                continue
            mark = Span("reachable", "good") if state.reachable else Span("not reachable", "bad")
            screen.line(
                Span(f"{state.name:<12}", "strong"), mark, Span(f"  {state.base_url}", "dim")
            )
            if state.reason:
                screen.line(f"{'':12}{state.reason}")
            for model in state.models:
                # The test model's provider is its only word: `testmodel`.
                screen.line(f"{'':12}{state.name}:{model}")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)
