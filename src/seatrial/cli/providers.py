"""`seatrial providers`: which models can be used, and why not; and models that are pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import exits
from .epilog import examples

if TYPE_CHECKING:
    from seatrial.client import AsyncClient
    from seatrial.domain.pulls import PullProgress

app = typer.Typer(rich_markup_mode=None)


def register(parent: typer.Typer) -> None:
    """Add the noun, which is a command of its own, too."""
    parent.add_typer(
        app,
        name="providers",
        help="Show which models can be used, and why not; pull models of Ollama.",
        epilog=examples("seatrial providers --json", "seatrial providers pull ollama:llama3.2"),
    )


@app.callback(invoke_without_command=True)
def providers(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Show which models can be used, and why not; pull models of Ollama."""
    if ctx.invoked_subcommand is not None:
        return
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


@app.command("pull", epilog=examples("seatrial providers pull ollama:smollm2:135m"))
def pull(
    ctx: typer.Context,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="The model, with or without `ollama:`.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON lines of the progress; the last is done.")
    ] = False,
) -> None:
    """Have the server's Ollama pull a model of its library. Ctrl-C ends it; again, it goes on."""
    from . import pulling
    from .connection import with_client
    from .screen import Screen

    screen = Screen(json_mode=as_json)
    name = model.removeprefix("ollama:")

    def told(step: PullProgress) -> None:
        if as_json:
            screen.json(step)

    async def work(client: AsyncClient) -> int:
        await pulling.pull(client, screen, name, told)
        screen.line(f"Pulled {name}: use it as ollama:{name}.")
        return exits.SUCCEEDED

    with_client(ctx, screen, work)
