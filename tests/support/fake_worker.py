"""A whole worker on the fake engine, in this process: real store, slots, harness and agents."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from seatrial.domain.credential_ports import SecretReader
from seatrial.domain.events import CleanupEvent, Event, EventData, PhaseEvent, QueueEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test
from seatrial.environments import BuiltEnvironments
from seatrial.gateway import AccountProviders, SocketGateway, TestSecrets
from seatrial.settings import Settings
from seatrial.slots import Slots
from seatrial.store import SqlStore, open_store
from seatrial.testing.fake_engine import FakeEngine
from seatrial.worker import Worker, WorkerDeps

OWNER = "ada"
INSTALLATION = "rig"
PATIENCE_SECONDS = 60.0


class NoCredentials:
    """A user who has stored none."""

    async def open(self, *_: object) -> None:
        return None


async def no_model() -> str | None:
    return None


class Rig:
    """What a test does with it."""

    def __init__(self, store: SqlStore, engine: FakeEngine, worker: Worker) -> None:
        self.store = store
        self.engine = engine
        self.worker = worker

    async def submit(self, source: str, query: str = "x", **fields: int) -> Test:
        request = TestRequest.model_validate(
            {"files": {"agent.py": source}, "query": query, "model": "none", **fields}
        )
        return await self.store.submit(OWNER, request, max_queued=99)

    async def events(self, test: Test) -> list[Event]:
        return list(await self.store.events(OWNER, test.id))

    async def until(self, test: Test, found: Callable[[EventData], object]) -> EventData:
        """The first event of the journal that is looked for."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for _ in self.store.changes(test.id):
                for event in await self.events(test):
                    if found(event.data):
                        return event.data
        raise AssertionError("the journal ended")

    async def ended(self, test: Test) -> Test:
        await self.until(test, lambda data: isinstance(data, PhaseEvent) and data.outcome)
        return await self.store.test(OWNER, test.id)

    async def reasons(self, test: Test) -> list[str]:
        """Why it waited, as its journal tells."""
        data = [event.data for event in await self.events(test)]
        return [one.reason for one in data if isinstance(one, QueueEvent)]

    async def check_end(self, test: Test) -> Outcome:
        """One end, after its receipt, and nothing left; its outcome."""
        done = await self.store.test(OWNER, test.id)
        events = await self.events(test)
        ends = [e for e in events if isinstance(e.data, PhaseEvent) and e.data.outcome]
        assert ends == [events[-1]]
        last = events[-1].data
        assert isinstance(last, PhaseEvent)
        assert done.outcome is not None
        assert last.outcome is done.outcome
        receipt = events[-2].data
        assert isinstance(receipt, CleanupEvent), events[-2]
        assert receipt.left == ()
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        mine = [
            found
            for found in await self.engine.containers(INSTALLATION)
            if found.labels["seatrial"] == test.id
        ]
        assert mine == []
        return done.outcome


@asynccontextmanager
async def rig(**changes: object) -> AsyncGenerator[Rig]:
    """A worker that takes up to four tests at one time; `changes` are of its settings.

    `engine_wait_seconds` is the worker's own.
    """
    folder = Path(tempfile.mkdtemp(prefix="st-", dir="/var/tmp"))
    folder.chmod(0o711)
    settings = Settings.model_validate({"data_dir": folder, **changes})
    engine = FakeEngine()
    gateway = SocketGateway()
    store = open_store(settings.store_url)
    await store.open()
    slots = Slots(engine, gateway, state=folder, installation=INSTALLATION)
    reader = cast("SecretReader", NoCredentials())
    worker = Worker(
        WorkerDeps(
            store=store,
            engine=engine,
            slots=slots,
            environments=BuiltEnvironments(slots, engine, settings, state=folder),
            providers=AccountProviders(settings, no_model, reader, environ={}),
            secrets=TestSecrets(settings, reader, environ={}),
            settings=settings,
            name=f"w{secrets.token_hex(2)}",
            max_running=4,
            engine_wait_seconds=settings.engine_wait_seconds,
        )
    )
    working = asyncio.create_task(worker.run())
    try:
        yield Rig(store, engine, worker)
        assert not working.done(), working.exception()
    finally:
        worker.stop()
        await working
        await engine.aclose()
        await gateway.aclose()
        await store.aclose()
        shutil.rmtree(folder, ignore_errors=True)
