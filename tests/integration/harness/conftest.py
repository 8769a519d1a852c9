"""Containers that are gone when their test is over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from . import container
from .container import Container

Start = Callable[..., Awaitable[Container]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts containers; each has a folder of its own."""
    started: list[Container] = []

    async def begin(*arguments: object, **options: object) -> Container:
        folder = tmp_path / f"container{len(started)}"
        folder.mkdir()
        made = await container.start(folder, *arguments, **options)  # pyright: ignore[reportArgumentType] - passed on as they are
        started.append(made)
        return made

    yield begin
    for made in started:
        await made.close()


@pytest.fixture
def run(start: Start) -> Callable[..., Awaitable[Container]]:
    """Runs an agent's code to the end of its container."""

    async def play(code: str, **changes: object) -> Container:
        made = await start(container.assignment(code, **changes))
        assert await made.ended() == 0
        assert made.worker.broken == []
        assert made.worker.numbers == list(range(1, len(made.worker.numbers) + 1))
        return made

    return play
