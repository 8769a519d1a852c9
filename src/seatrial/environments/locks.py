"""Locks between processes that share one folder of environments.

The kernel gives a dead process's locks back, so that nothing has to be cleaned up after one.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

_AGAIN_SECONDS = 0.05
"""How often a lock that another process holds is tried: waiting in the kernel cannot be
cancelled."""


@asynccontextmanager
async def holding(path: Path, *, shared: bool = False) -> AsyncGenerator[None]:
    """Hold the lock, alone or together with others that share it. Waits; may be cancelled."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    descriptor = _open(path)
    try:
        while not _take(descriptor, kind):
            await asyncio.sleep(_AGAIN_SECONDS)
        yield
    finally:
        os.close(descriptor)


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
