"""Offers to install a container engine where none is: on a terminal, and only with a yes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from seatrial.settings import Settings

    from .screen import Screen


def offer_engine(settings: Settings, screen: Screen) -> bool:
    """Ask whether to install what is missing, and do it; whether an engine was installed.

    Nothing is asked where an engine is, where it cannot be installed, for another server, or
    where nobody can answer. SetupFailed when installing fails.
    """
    if settings.url or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    import asyncio

    from seatrial.wiring import missing_engine

    from .lines import Span

    text = missing_engine.offer(settings)
    if text is None:
        return False
    screen.problem("No container engine was found, and tests run in containers.")
    screen.problem(text)
    if not typer.confirm("Install it now?", err=True):
        return False
    asyncio.run(missing_engine.accept(settings, lambda said: screen.line(Span(said, "dim"))))
    return True
