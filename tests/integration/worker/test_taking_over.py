"""What a worker that starts does with tests that its former self held."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from seatrial.domain.credential_ports import SecretReader
from seatrial.domain.errors import EngineUnavailable
from seatrial.domain.events import EventData
from seatrial.domain.phases import MAX_ATTEMPTS, Outcome, Phase
from seatrial.domain.ports import ContainerInfo, Environments, Providers, Store
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test
from seatrial.gateway import SocketGateway, TestSecrets
from seatrial.settings import Settings
from seatrial.slots import SlotFolders, Slots
from seatrial.slots.folders import slots_folder
from seatrial.store import SqlStore, open_store
from seatrial.store.errors import store_error
from seatrial.testing.fake_engine import FakeEngine
from seatrial.worker import Worker, WorkerDeps

OWNER = "ada"
NAME = "worker-1"
REQUEST = TestRequest(files={"agent.py": ""}, query="q")


class Overtaken:
    """The real store, where another worker is always faster at giving a test back."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def requeue(
        self, test_id: str, attempt: int, *, reason: str, events: Sequence[EventData] = ()
    ) -> None:
        await self._store.requeue(test_id, attempt, reason="by another worker")
        await self._store.requeue(test_id, attempt, reason=reason, events=events)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = open_store(f"sqlite+aiosqlite:///{tmp_path / 'seatrial.db'}")
    await store.open()
    yield store
    await store.aclose()


async def lost_after(store: SqlStore, attempts: int) -> Test:
    """A test whose worker died in that attempt."""
    test = await store.submit(OWNER, REQUEST, max_queued=9)
    for attempt in range(1, attempts + 1):
        await store.claim(NAME, lease_seconds=60, max_per_user=9, max_total=0, count=1)
        if attempt < attempts:
            await store.requeue(test.id, attempt, reason="lost")
    return test


async def until(store: SqlStore, test: Test, phase: Phase, worker: Worker) -> Test:
    """The test in that phase, brought there by the worker."""
    working = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(30):
            async for _ in store.changes(test.id):
                assert not working.done(), working.exception()
                if (await store.test(OWNER, test.id)).phase is phase:
                    break
    finally:
        worker.stop()
        await working
    return await store.test(OWNER, test.id)


def worker_of(
    store: object, folder: Path, *, engine: FakeEngine | None = None, **changed: float
) -> Worker:
    """A worker that can hold nothing, so that it only takes over."""
    engine = engine or FakeEngine()
    settings = Settings(data_dir=folder).model_copy(update=changed)
    slots = Slots(engine, SocketGateway(), state=folder, installation="i")
    return Worker(
        WorkerDeps(
            store=cast("Store", store),
            engine=engine,
            slots=slots,
            environments=cast("Environments", None),
            providers=cast("Providers", None),
            secrets=TestSecrets(settings, cast("SecretReader", None), environ={}),
            settings=settings,
            name=NAME,
            max_running=0,
        )
    )


@pytest.mark.spec("SC-006", "edge-3")
@pytest.mark.parametrize("attempts", range(1, MAX_ATTEMPTS))
async def test_a_test_whose_worker_died_waits_for_its_next_attempt(
    store: SqlStore, tmp_path: Path, attempts: int
) -> None:
    test = await lost_after(store, attempts)
    now = await until(store, test, Phase.QUEUED, worker_of(store, tmp_path))
    assert (now.outcome, now.attempt) == (None, attempts)


@pytest.mark.spec("SC-006", "edge-3")
async def test_a_test_that_takes_its_worker_along_every_time_fails_in_the_end(
    store: SqlStore, tmp_path: Path
) -> None:
    test = await lost_after(store, MAX_ATTEMPTS)
    now = await until(store, test, Phase.COMPLETED, worker_of(store, tmp_path))
    assert now.outcome is Outcome.FAILED
    assert now.failure is not None
    assert now.failure.code == "platform.worker_lost"


class Away(FakeEngine):
    """An engine that does not answer."""

    async def containers(self, installation: str) -> Sequence[ContainerInfo]:
        raise EngineUnavailable("away")


@pytest.mark.spec("SC-006")
async def test_what_may_still_run_on_an_engine_that_is_away_is_not_started_again(
    store: SqlStore, tmp_path: Path
) -> None:
    test = await lost_after(store, 1)
    folders = SlotFolders(slots_folder(tmp_path) / f"seatrial-{test.id}-1")
    folders.root.mkdir(parents=True)
    folders.write_session("what a harness has claimed")
    worker = worker_of(store, tmp_path, engine=Away(), lease_seconds=1.2, grace_seconds=0.1)
    before = asyncio.get_running_loop().time()
    now = await until(store, test, Phase.QUEUED, worker)
    assert (now.outcome, now.attempt) == (None, 1)
    # Its container has ended by itself when the lease that was taken over has run out.
    assert asyncio.get_running_loop().time() - before >= 1.2


class Renewing:
    """The real store, where the answer to a renewal takes until it is allowed."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.renewals = 0
        self.looked_after: list[int] = []
        self.away = asyncio.Event()
        self.back = asyncio.Event()

    async def renew(self, *arguments: Any, **options: Any) -> object:
        self.renewals += 1
        if self.renewals == 2:
            self.away.set()
            await self.back.wait()
        return await self._store.renew(*arguments, **options)

    async def expired(self) -> object:
        self.looked_after.append(self.renewals)
        return await self._store.expired()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.mark.spec("SC-006")
async def test_after_the_database_was_away_other_workers_are_heard_before_their_leases_are_judged(
    store: SqlStore, tmp_path: Path
) -> None:
    test = await store.submit(OWNER, REQUEST, max_queued=9)
    await store.claim("other", lease_seconds=0.1, max_per_user=9, max_total=0, count=1)
    slow = Renewing(store)
    worker = worker_of(slow, tmp_path, lease_seconds=2.0)
    waiting = asyncio.create_task(until(store, test, Phase.QUEUED, worker))
    await slow.away.wait()
    asyncio.get_running_loop().call_later(1.5, slow.back.set)
    await waiting
    assert slow.looked_after[0] == 3


class Full:
    """The real store on a disk that is full when the worker starts and later has room again."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.refused: list[str] = []
        self.room_after = 4

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return self._writing(name, found) if name in {"renew", "adopt", "requeue"} else found

    def _writing(self, name: str, call: Callable[..., Awaitable[object]]) -> object:
        async def written(*arguments: object, **options: object) -> object:
            if len(self.refused) < self.room_after:
                self.refused.append(name)
                raise store_error(sqlite3.OperationalError("database or disk is full"))
            return await call(*arguments, **options)

        return written


async def test_a_worker_waits_for_room_on_the_databases_disk(
    store: SqlStore, tmp_path: Path
) -> None:
    test, full = await lost_after(store, 1), Full(store)
    await until(store, test, Phase.QUEUED, worker_of(full, tmp_path))
    assert full.refused == ["renew"] * full.room_after


async def test_a_worker_that_waits_for_room_can_be_stopped(store: SqlStore, tmp_path: Path) -> None:
    full = Full(store)
    full.room_after = 10**9
    worker = worker_of(full, tmp_path)
    working = asyncio.create_task(worker.run())
    while not full.refused:
        await asyncio.sleep(0)
    worker.stop()
    async with asyncio.timeout(30):
        await working


async def test_a_worker_goes_on_when_another_was_faster(store: SqlStore, tmp_path: Path) -> None:
    test = await lost_after(store, 1)
    now = await until(store, test, Phase.QUEUED, worker_of(Overtaken(store), tmp_path))
    assert now.outcome is None
