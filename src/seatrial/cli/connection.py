"""From the command line's options to a client that talks to the right server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypedDict

import typer
from pydantic import ValidationError

from seatrial.client import AsyncClient
from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.settings import Settings

from .globals import Globals
from .lines import Span
from .screen import Screen


class _Where(TypedDict, total=False):
    url: str | None
    socket_path: Path | None


_IN_ARGUMENTS = FieldProblem(
    "--url",
    "Other users of this machine can read arguments: set SEATRIAL_TOKEN to the token instead.",
    "token_in_arguments",
)


def settings_of(ctx: typer.Context, **overrides: object) -> Settings:
    """The settings with the command line's own above them; those that are None change nothing.

    InvalidRequest names the variable whose value cannot be.
    """
    options = ctx.find_object(Globals) or Globals()
    if "#" in (options.url or ""):
        raise InvalidRequest((_IN_ARGUMENTS,))
    given = {"url": options.url, **overrides}
    try:
        # The settings' own sources (environment variables) fill in what is not given.
        return Settings.model_validate({n: v for n, v in given.items() if v is not None})
    except ValidationError as error:
        problems = tuple(_setting(found["loc"], found["msg"]) for found in error.errors())
        raise InvalidRequest(problems) from error


def _setting(place: tuple[int | str, ...], message: str) -> FieldProblem:
    name = str(place[0]) if place else "settings"
    return FieldProblem(f"SEATRIAL_{name.upper()}", message, "invalid_setting")


def with_client(
    ctx: typer.Context, screen: Screen, work: Callable[[AsyncClient], Coroutine[Any, Any, int]]
) -> None:
    """Connect, do the work, exit with its code.

    With a URL it is a plain client of that server; without, of the process that owns the local
    data folder, which is started if need be.
    """
    settings = settings_of(ctx)
    where = _where(settings, screen)

    async def connected() -> int:
        async with AsyncClient(**where) as client:
            return await work(client)

    code = asyncio.run(connected())
    if code:
        raise typer.Exit(code)


def _where(settings: Settings, screen: Screen) -> _Where:
    if settings.url:
        # The client takes the token of the environment, where it is for that server.
        return {"url": settings.url}
    from seatrial.wiring.local import connect

    def progress(text: str) -> None:
        screen.line(Span(text, "dim"))

    # The local process knows its user by the socket: no token is needed.
    return {"socket_path": connect(settings, progress)["socket_path"]}
