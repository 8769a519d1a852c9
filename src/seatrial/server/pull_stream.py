"""A pull as a stream of server-sent events: `progress`, and `problem` where it fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from seatrial.domain.errors import SeatrialError
from seatrial.domain.pulls import PullProgress

from .problems import Problem, problem_of

Step = PullProgress | Problem


async def told(progress: AsyncGenerator[PullProgress, None]) -> AsyncGenerator[Step, None]:
    """The progress; an error that ends it is the last step."""
    try:
        async with aclosing(progress) as steps:
            async for step in steps:
                yield step
    except SeatrialError as error:
        yield problem_of(error)


def schemas() -> dict[str, Any]:
    """The schema of the progress, for the description of the API."""
    return {"PullProgress": PullProgress.model_json_schema()}


def encode(step: Step) -> Iterator[bytes]:
    """One step as it is sent."""
    kind = "problem" if isinstance(step, Problem) else "progress"
    yield f"event: {kind}\ndata: {step.model_dump_json()}\n\n".encode()
