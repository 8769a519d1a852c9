"""Steps of a transaction that a cancellation must not cut in two.

A driver goes on with a statement that nobody waits for any more: a transaction may then begin
that nobody ends, and hold SQLite's write lock for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import TypeVar

Answer = TypeVar("Answer")


_LONGEST_SECONDS = 20.0
"""How long a step is waited for once nobody wants it: more than SQLite waits for its lock."""


async def whole(step: Awaitable[Answer]) -> Answer:
    """Await a step to its end, also when cancelled meanwhile: that goes on after the step.

    A database that has stopped answering is not waited for much longer than it may take.
    """
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _to_its_end(task)
        raise


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
