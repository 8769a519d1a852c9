"""Shows a pull while it goes on: one line that changes on a terminal, a line a step elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from seatrial.domain.fixes import PULL_MODEL

from .times import megabytes

if TYPE_CHECKING:
    from seatrial.client import AsyncClient
    from seatrial.domain.pulls import PullProgress
    from seatrial.domain.tests import Test

    from .screen import Screen


async def pull(
    client: AsyncClient, screen: Screen, model: str, told: Callable[[PullProgress], None]
) -> None:
    """Pull it and show how far that is on standard error; `told` gets each step. PullFailed."""
    status = ""
    try:
        async with aclosing(client.pull_model(model)) as steps:
            async for step in steps:
                told(step)
                screen.passing(text_of(step))
                if step.status != status and not screen.passes:
                    screen.problem(text_of(step))
                status = step.status
    finally:
        screen.passing()


async def pull_first(client: AsyncClient, screen: Screen, old: Test) -> None:
    """Pull the model that the test failed for, if it did; see `Failure.fix`."""
    model = old.failure.fix.get(PULL_MODEL) if old.failure else None
    if model is not None:
        await pull(client, screen, str(model), lambda _: None)
        screen.problem(f"Pulled {model}.")


def text_of(step: PullProgress) -> str:
    """`pulling 8934d96d3f08: 1.2 of 3.8 GB (31 %)`."""
    if not step.total_bytes or step.done:
        return step.status
    percent = 100 * step.completed_bytes // step.total_bytes
    done, total = megabytes(step.completed_bytes), megabytes(step.total_bytes)
    return f"{step.status}: {done} of {total} ({percent} %)"
