"""Environment and model are prepared at once, and what fails first ends the test at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest_asyncio

from seatrial.domain.credential_ports import SecretReader
from seatrial.domain.errors import FailureError
from seatrial.domain.events import PhaseEvent
from seatrial.domain.failures import failure
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test
from seatrial.gateway import TestSecrets
from seatrial.settings import Settings
from seatrial.store import SqlStore, open_store
from seatrial.worker.attempt import Attempt, AttemptDeps

OWNER = "ada"
REQUEST = TestRequest(files={"agent.py": ""}, query="q", model="ollama:gone")


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    store = open_store(f"sqlite+aiosqlite:///{tmp_path / 'seatrial.db'}")
    await store.open()
    yield store
    await store.aclose()


class Part:
    """A preparation that begins, and then fails once the other has begun, or never ends."""

    def __init__(self, code: str | None) -> None:
        self.begun = asyncio.Event()
        self.cancelled = False
        self.other: Part | None = None
        self._code = code
        self.asked: dict[str, Any] = {}

    async def _go(self, *_: object, **asked: Any) -> Any:
        self.asked = asked
        self.begun.set()
        assert self.other is not None
        await self.other.begun.wait()
        if self._code is not None:
            raise FailureError(failure(self._code))
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    resolve = prepare = _go


class NoCredentials:
    """A user who has stored none."""

    async def open(self, *_: object) -> None:
        return None


async def ended(store: SqlStore, model: Part, environment: Part) -> Test:
    model.other, environment.other = environment, model
    test = await store.submit(OWNER, REQUEST, max_queued=9)
    (claim,) = await store.claim("w", lease_seconds=60, max_per_user=9, max_total=9, count=1)
    settings = Settings(data_dir=Path("unused"))
    deps = AttemptDeps(
        queue=store,
        recordings=store,
        slots=cast("Any", SimpleNamespace(unenforced=())),  # No container may be asked for.
        environments=cast("Any", environment),
        providers=cast("Any", model),
        secrets=TestSecrets(settings, cast("SecretReader", NoCredentials()), environ={}),
        settings=settings,
        worker="w",
    )
    async with asyncio.timeout(30):
        await Attempt(claim, deps).run()
    return await store.test(OWNER, test.id)


async def test_a_model_that_cannot_be_used_ends_the_test_while_its_environment_is_built(
    store: SqlStore,
) -> None:
    model, environment = Part("model.not_found"), Part(None)
    test = await ended(store, model, environment)
    assert test.outcome is Outcome.FAILED
    assert test.failure is not None
    assert test.failure.code == "model.not_found"
    assert environment.cancelled
    assert model.asked == {"test_id": test.id, "checked": True}
    events = await store.events(OWNER, test.id)
    phases = [event.data.phase for event in events if isinstance(event.data, PhaseEvent)]
    assert Phase.RUNNING not in phases


async def test_requirements_that_cannot_be_installed_do_not_wait_for_a_slow_model(
    store: SqlStore,
) -> None:
    model, environment = Part(None), Part("dependencies.not_found")
    test = await ended(store, model, environment)
    assert test.failure is not None
    assert test.failure.code == "dependencies.not_found"
    assert model.cancelled
