"""Puts a worker together: engine, gateway, slots, environments, providers."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import resource
import socket
from collections.abc import AsyncGenerator, Callable

from seatrial.domain.credential_ports import SecretReader
from seatrial.domain.ports import Store
from seatrial.engines.private import find_socket, private_engine
from seatrial.engines.remote import exposure
from seatrial.environments import BuiltEnvironments, index_passwords
from seatrial.gateway import AccountProviders, SocketGateway, TestSecrets
from seatrial.settings import Settings
from seatrial.slots import Slots
from seatrial.testmodel.process import TestModelProcess, available
from seatrial.worker import WorkerDeps

from .late_engine import LateEngine
from .logs import clean_logs
from .owner import installation_id

log = logging.getLogger(__name__)

_MEMORY_OF_A_TEST = 512 * 2**20
_TESTS_PER_CPU = 8
_FEWEST = 2
_MOST_FILES = 65_536


class SharedTestModel:
    """The built-in test model, started when the first test needs it."""

    def __init__(self) -> None:
        """Starts nothing."""
        self._process: TestModelProcess | None = None
        self._url: str | None = None
        self._turn = asyncio.Lock()

    async def url(self) -> str | None:
        """Where it answers; None when its packages are not installed."""
        if not available():
            return None
        async with self._turn:
            if self._process is None or not self._process.running:
                self._process = TestModelProcess()
                self._url = await self._process.start()
        return self._url

    async def aclose(self) -> None:
        """End its process."""
        if self._process is not None:
            await self._process.stop()


@contextlib.asynccontextmanager
async def worker_parts(
    settings: Settings,
    store: Store,
    credentials: SecretReader,
    progress: Callable[[str], None],
) -> AsyncGenerator[WorkerDeps]:
    """Everything a worker works with, closed in the right order at the end."""
    installation = _installation(settings)
    name = settings.worker_name or f"{socket.gethostname()}-{installation_id(settings.data_dir)}"
    _allow_many_connections()
    warn_of_exposure(settings)
    async with contextlib.AsyncExitStack() as stack:
        engine = LateEngine(settings, progress)
        stack.push_async_callback(engine.aclose)
        gateway = SocketGateway()
        stack.push_async_callback(gateway.aclose)
        test_model = SharedTestModel()
        stack.push_async_callback(test_model.aclose)
        slots = Slots(
            engine,
            gateway,
            state=settings.data_dir,
            installation=installation,
            worker=name,
            silence_seconds=settings.grace_seconds,
            self_tested=settings.engine != "fake",
            engine_socket=engine_socket(settings),
            door=settings.door,
            allow_unenforced=settings.allow_unenforced_limits,
        )
        secrets = TestSecrets(settings, credentials, also=index_passwords(settings))
        clean_logs(secrets.text)
        yield WorkerDeps(
            store=store,
            engine=engine,
            slots=slots,
            environments=BuiltEnvironments(slots, engine, settings, state=settings.data_dir),
            providers=AccountProviders(settings, test_model.url, credentials),
            secrets=secrets,
            settings=settings,
            name=name,
            max_running=settings.max_running or tests_that_fit(),
            engine_wait_seconds=settings.engine_wait_seconds,
            images=engine if settings.engine != "fake" else None,
        )


def warn_of_exposure(settings: Settings) -> None:
    """Log that the engine's address is not protected by TLS; on loopback only as information."""
    found = exposure(find_socket(settings) or "") if settings.engine != "fake" else None
    if found is not None:
        level = logging.WARNING if found.beyond_loopback else logging.INFO
        log.log(level, "%s %s", found.text, found.hint)


def engine_socket(settings: Settings) -> str:
    """The path of the engine's socket, which no container may see; "" when it has none."""
    private = private_engine(settings)
    url = find_socket(settings) or (private.url if private else "")
    return url.removeprefix("unix://") if url.startswith("unix://") else ""


def _allow_many_connections() -> None:
    """As many open files as we may have: agents can hold hundreds of connections each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def tests_that_fit() -> int:
    """How many tests of the usual size run on this machine at one time."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    by_memory = int(memory * 0.75) // _MEMORY_OF_A_TEST
    return max(_FEWEST, min(by_memory, (os.cpu_count() or 1) * _TESTS_PER_CPU))


def _installation(settings: Settings) -> str:
    """The name on containers' labels: one per database, so that workers know each other's."""
    if settings.database_url is None:
        return installation_id(settings.data_dir)
    return hashlib.sha256(settings.database_url.encode()).hexdigest()[:12]
