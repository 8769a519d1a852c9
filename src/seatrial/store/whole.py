"""Steps of a transaction that a cancellation must not cut in two.

A driver goes on with a statement that nobody waits for any more: a transaction may then begin
that nobody ends, and hold SQLite's write lock for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from seatrial.domain.errors import StoreUnavailable

Answer = TypeVar("Answer")


_LONGEST_SECONDS = 20.0
"""How long a step is waited for once nobody wants it: more than SQLite waits for its lock."""

_AWAKE_SECONDS = 1.0
"""A process that was stopped itself finds the answer waiting: it looks once more."""

_CUT_SECONDS = 3.0
"""How long the end of a step is waited for whose connection was closed."""


async def whole(
    step: Awaitable[Answer],
    *,
    seconds: float | None = None,
    cut: Callable[[], None] | None = None,
) -> Answer:
    """Await a step to its end, also when cancelled meanwhile: that goes on after the step.

    A database that has stopped answering is not waited for much longer than it may take: after
    `seconds` (None for no limit) `cut` closes the connection. Raises: StoreUnavailable.
    """
    task = asyncio.ensure_future(step)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done and not (await asyncio.wait({task}, timeout=_AWAKE_SECONDS))[0]:
            await _cut_off(task, cut)
            raise StoreUnavailable(f"The database has not answered for {seconds:.0f} s.")
        return task.result()
    except asyncio.CancelledError:
        await _to_its_end(task)
        raise


async def _cut_off(task: asyncio.Future[Answer], cut: Callable[[], None] | None) -> None:
    """Close the connection below a step that gets no answer."""
    if cut is not None:
        cut()
        await asyncio.wait({task}, timeout=_CUT_SECONDS)
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_CUT_SECONDS)
    if task.done() and not task.cancelled():
        task.exception()


async def _to_its_end(task: asyncio.Future[Answer]) -> None:
    """Wait for it whoever cancels; its own error is of no interest any more."""
    deadline = asyncio.get_running_loop().time() + _LONGEST_SECONDS
    while not task.done():
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0:
            task.cancel()
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task}, timeout=left)
    if not task.cancelled():
        task.exception()
