"""The faults: each is a block that breaks something and mends it again at its end.

The first word of a fault's name is the thing that it breaks; two faults of one thing never meet.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp

from tests.support.daemon import Daemon

from .plan import Strike
from .site import Container, PostgresDatabase, Site

Fault = Callable[[Site, Strike], AbstractAsyncContextManager[None]]

_HOUR = 3600.0


@asynccontextmanager
async def _ended(site: Site, daemon: Daemon, number: signal.Signals) -> AsyncGenerator[None]:
    daemon.send(number)
    yield
    await daemon.ended()
    daemon.start()
    await site.ready(daemon)


@asynccontextmanager
async def _stopped(pid: int) -> AsyncGenerator[None]:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    yield
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _worker(site: Site, strike: Strike) -> Daemon:
    return site.workers[strike.target % len(site.workers)]


def worker_killed(site: Site, strike: Strike) -> AbstractAsyncContextManager[None]:
    """SIGKILL."""
    return _ended(site, _worker(site, strike), signal.SIGKILL)


def worker_ended(site: Site, strike: Strike) -> AbstractAsyncContextManager[None]:
    """SIGTERM: it hands its tests back."""
    return _ended(site, _worker(site, strike), signal.SIGTERM)


def worker_stopped(site: Site, strike: Strike) -> AbstractAsyncContextManager[None]:
    """SIGSTOP, then SIGCONT."""
    return _stopped(_worker(site, strike).pid)


def server_killed(site: Site, _: Strike) -> AbstractAsyncContextManager[None]:
    """SIGKILL."""
    return _ended(site, site.server, signal.SIGKILL)


def server_stopped(site: Site, _: Strike) -> AbstractAsyncContextManager[None]:
    """SIGSTOP, then SIGCONT."""
    return _stopped(site.server.pid)


@asynccontextmanager
async def harness_killed(site: Site, strike: Strike) -> AsyncGenerator[None]:
    """SIGKILL of process 1 of a container."""
    container = await _running(site, strike)
    if container is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(container.pid, signal.SIGKILL)
    yield


@asynccontextmanager
async def harness_stopped(site: Site, strike: Strike) -> AsyncGenerator[None]:
    """SIGSTOP of process 1 of a container, then SIGCONT."""
    container = await _running(site, strike)
    if container is None:
        yield
        return
    async with _stopped(container.pid):
        yield


@asynccontextmanager
async def engine_killed(site: Site, _: Strike) -> AsyncGenerator[None]:
    """SIGKILL of the engine's daemon; then it is started again."""
    os.kill(site.engine.pid, signal.SIGKILL)
    yield
    await site.engine.private.start()


def engine_stopped(site: Site, _: Strike) -> AbstractAsyncContextManager[None]:
    """SIGSTOP of the engine's daemon, then SIGCONT."""
    return _stopped(site.engine.pid)


def database_locked(site: Site, _: Strike) -> AbstractAsyncContextManager[None]:
    """Somebody holds a lock that nobody can write beside."""
    return site.database.locked()


@asynccontextmanager
async def database_crashed(site: Site, _: Strike) -> AsyncGenerator[None]:
    """The database server ends at once, with every connection, and comes back."""
    assert isinstance(site.database, PostgresDatabase)
    site.database.server.stop()
    yield
    site.database.server.start()


@asynccontextmanager
async def database_frozen(site: Site, _: Strike) -> AsyncGenerator[None]:
    """The database server answers nothing for a while."""
    assert isinstance(site.database, PostgresDatabase)
    site.database.server.signal(signal.SIGSTOP)
    yield
    site.database.server.signal(signal.SIGCONT)


@asynccontextmanager
async def clock_jumps(site: Site, strike: Strike) -> AsyncGenerator[None]:
    """Somebody sets the clock of all processes an hour off, and back."""
    site.clock.write_text(str(_HOUR if strike.target % 2 else -_HOUR))
    yield
    site.clock.write_text("0")


EVERYWHERE: dict[str, Fault] = {
    "worker killed": worker_killed,
    "worker ended": worker_ended,
    "worker stopped": worker_stopped,
    "harness killed": harness_killed,
    "harness stopped": harness_stopped,
    "engine killed": engine_killed,
    "engine stopped": engine_stopped,
    "database locked": database_locked,
    "clock jumps": clock_jumps,
}
"""What can be broken however the product is set up."""

SPLIT: dict[str, Fault] = {
    **EVERYWHERE,
    "server killed": server_killed,
    "server stopped": server_stopped,
    "database crashed": database_crashed,
    "database frozen": database_frozen,
}
"""With server and workers apart, over PostgreSQL."""


async def _running(site: Site, strike: Strike) -> Container | None:
    """One of the containers that run; None when there is none, or nobody to ask."""
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
        found = [each for each in await site.engine.containers(running=True) if each.pid]
        if found:
            return found[strike.target % len(found)]
    return None
