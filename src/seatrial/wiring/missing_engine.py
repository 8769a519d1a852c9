"""An engine that could be installed here, for whoever may ask the user."""

from __future__ import annotations

from collections.abc import Callable

from seatrial.engines.private import install, install_plan, missing_kind
from seatrial.settings import Settings


def offer(settings: Settings) -> str | None:
    """What would be done, when no engine is there and one can be installed; else None."""
    kind = None if settings.engine == "fake" else missing_kind(settings)
    plan = install_plan(kind) if kind else None
    return plan.text if plan and plan.possible else None


async def accept(settings: Settings, progress: Callable[[str], None]) -> None:
    """Do it: install the packages. Whoever needs the engine starts it. SetupFailed."""
    if kind := missing_kind(settings):
        await install(kind, progress)
