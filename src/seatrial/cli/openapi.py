"""`seatrial openapi`: the description of the API."""

from __future__ import annotations

import typer

from .epilog import examples


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("openapi", epilog=examples("seatrial openapi > openapi.json"))(openapi)


def openapi() -> None:
    """Print the API's OpenAPI 3.1 document. Needs no server."""
    from seatrial.server.openapi import document

    typer.echo(document(), nl=False)
