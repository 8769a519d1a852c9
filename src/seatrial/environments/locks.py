"""Locks between processes that share one folder of environments.

The kernel gives a dead process's locks back, so that nothing has to be cleaned up after one.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from seatrial.domain.errors import PlatformError

_AGAIN_SECONDS = 0.05
"""How often a lock that another process holds is tried: waiting in the kernel cannot be
cancelled."""


@asynccontextmanager
async def holding(
    path: Path,
    *,
    until: float,
    shared: bool = False,
    waits: Callable[[], Awaitable[None]] | None = None,
) -> AsyncGenerator[None]:
    """Hold the lock, alone or together with others that share it.

    Calls `waits` once when another process has it, and waits until that moment of the loop's
    clock: its holder may be stopped. May be cancelled. Raises: PlatformError.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    descriptor = _open(path)
    try:
        if not _take(descriptor, kind):
            if waits is not None:
                await waits()
            await _wait(descriptor, kind, until)
        yield
    finally:
        os.close(descriptor)


async def _wait(descriptor: int, kind: int, until: float) -> None:
    clock = asyncio.get_running_loop().time
    while not _take(descriptor, kind):
        if clock() >= until:
            raise PlatformError(
                "Another process holds the lock of these packages and does not finish.",
                hint="Look for a Seatrial process on this machine that is stopped, and end it.",
            )
        await asyncio.sleep(_AGAIN_SECONDS)


@contextmanager
def trying(path: Path) -> Generator[bool]:
    """Hold the lock alone if nobody has it; yields whether that is so."""
    descriptor = _open(path)
    try:
        yield _take(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _take(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
