"""Calls that a cancellation must not leave half done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


async def to_the_end(
    call: Coroutine[Any, Any, _T], *, undo: Callable[[_T], Coroutine[Any, Any, None]]
) -> _T:
    """Finish a call that a cancellation would leave half done, then undo what it made."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        (made,) = await asyncio.gather(task, return_exceptions=True)
        if not isinstance(made, BaseException):
            await undo(made)
        raise


async def finished(call: Coroutine[Any, Any, _T]) -> _T:
    """Finish a call, also when the caller is cancelled meanwhile; it is cancelled afterwards."""
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
