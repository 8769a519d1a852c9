"""A process that is stopped inside a transaction stops nobody else, and writes nothing late."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.databases import OWNER, PostgresDatabases, a_request
from tests.support.frozen_store import KINDS, LATE, State, arguments, prepare

import seatrial.store
from seatrial.domain.errors import SeatrialError, StoreUnavailable
from seatrial.domain.events import LogEvent
from seatrial.store import SqlStore, open_store
from seatrial.store.database import Lock

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[3]
GO_ON_SECONDS = 10.0
"""5 s are what is wanted; this machine may be busy. Without limits it would be for ever."""

FENCED = {
    name
    for name in KINDS
    if name.startswith(("SqlQueue.", "SqlRecordings."))
    and name not in {"SqlQueue.claim", "SqlQueue.renew", "SqlQueue.refresh_places"}
}
"""Kinds that write behind an attempt's fence."""


@dataclass
class Seen:
    """What came of one kind."""

    took: dict[str, float] = field(default_factory=dict[str, float])
    """Seconds that each call of the others took while the process was stopped."""

    refused: dict[str, str] = field(default_factory=dict[str, str])
    """Calls of the others that the database did not do."""

    late: str = ""
    """How the stopped process ended when it was continued."""

    names: list[str | None] = field(default_factory=list[str | None])
    texts: list[str] = field(default_factory=list[str])
    numbers: list[int] = field(default_factory=list[int])


class Site:
    """One database for each kind, with a process that is stopped in it."""

    def __init__(self, databases: PostgresDatabases) -> None:
        self._template = databases.migrated()
        self.state = asyncio.run(_prepared(self._template))
        self.urls = {name: databases.copy_of(self._template) for name in KINDS}
        self.seen = {name: Seen() for name in KINDS}

    async def run(self) -> None:
        command = arguments(self.state, self.urls)
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True
        )
        assert process.stdout is not None
        visits: dict[str, asyncio.Task[None]] = {}
        try:
            async for line in process.stdout:
                said = json.loads(line)
                if "stopped" in said:
                    name = said["stopped"]
                    visits[name] = asyncio.create_task(self._visit(name, said["pid"]))
                else:
                    self.seen[said["ended"]].late = said["how"]
            await asyncio.gather(*visits.values())
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await asyncio.gather(*(self._look(name) for name in KINDS))

    async def _visit(self, name: str, pid: int) -> None:
        """Be the others, then let the stopped process go on."""
        try:
            async with _opened(self.urls[name]) as store:
                await self._others(name, store)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _others(self, name: str, store: SqlStore) -> None:
        calls = {
            "submit": store.submit(OWNER, a_request(name="other"), max_queued=99),
            "claim": store.claim("other", lease_seconds=20, max_per_user=0, max_total=0, count=1),
            "refresh_places": store.refresh_places(),
            "the same": KINDS[name](store, self.state),
        }
        seen = self.seen[name]

        async def timed(what: str) -> None:
            begun = time.monotonic()
            try:
                async with asyncio.timeout(3 * GO_ON_SECONDS):
                    await calls[what]
            except (StoreUnavailable, TimeoutError) as error:
                seen.refused[what] = repr(error)
            except SeatrialError:
                pass  # answered: what it wanted is not so any more
            seen.took[what] = time.monotonic() - begun

        await asyncio.gather(*(timed(what) for what in calls))
        with contextlib.suppress(SeatrialError):
            await store.requeue(self.state.running, 1, reason="its lease is over")

    async def _look(self, name: str) -> None:
        async with _opened(self.urls[name]) as store:
            seen, page = self.seen[name], await store.page(OWNER)
            seen.names = [test.name for test in page.tests]
            events = await store.events(OWNER, self.state.running, limit=1000)
            seen.numbers = [event.number for event in events]
            seen.texts = [e.data.text for e in events if isinstance(e.data, LogEvent)]


@contextlib.asynccontextmanager
async def _opened(url: str) -> AsyncGenerator[SqlStore]:
    """Not listening: there are many at one time."""
    store = open_store(url)
    try:
        yield store
    finally:
        await store.aclose()


async def _prepared(url: str) -> State:
    async with _opened(url) as store:
        return await prepare(store)


@pytest.fixture(scope="module")
def site(postgres_databases: PostgresDatabases) -> Site:
    """All kinds at one time: they cost the time of one."""
    made = Site(postgres_databases)
    asyncio.run(made.run())
    return made


@pytest.mark.spec("SC-006", "edge-3")
@pytest.mark.parametrize("kind", KINDS)
def test_others_go_on_while_a_process_is_stopped_in_a_transaction(site: Site, kind: str) -> None:
    seen = site.seen[kind]
    assert not seen.refused
    assert set(seen.took) == {"submit", "claim", "refresh_places", "the same"}
    assert max(seen.took.values()) < GO_ON_SECONDS, seen.took


@pytest.mark.spec("SC-006", "edge-3")
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_stopped_process_wrote_is_refused_or_written_once(site: Site, kind: str) -> None:
    """It may be done again as a whole when it goes on, but behind a fence it never is."""
    seen = site.seen[kind]
    assert seen.late, "it never ended"
    if kind in FENCED:
        assert seen.late in {"AttemptLost", "StoreUnavailable", "done"}
    assert seen.numbers == list(range(1, len(seen.numbers) + 1))
    # Of the two that wrote it (the others made the same call) at most one was heard.
    assert seen.texts in ([], [LATE])
    if kind == "SqlTests.submit":
        assert seen.names.count(LATE) == 1


def test_every_write_transaction_of_the_store_is_among_the_kinds() -> None:
    """A new one needs its line in `KINDS`, and is repeated when it was undone."""
    found: set[str] = set()
    for path in Path(seatrial.store.__file__).parent.glob("*.py"):
        for owner in ast.parse(path.read_text()).body:
            if isinstance(owner, ast.ClassDef) and owner.name != "Database":
                found |= {f"{owner.name}.{name}" for name in _writers(owner)}
    assert found == set(KINDS)


def test_every_lock_is_held_by_one_of_the_kinds() -> None:
    folder = Path(seatrial.store.__file__).parent
    code = "".join(path.read_text() for path in folder.glob("*.py"))
    assert all(f"lock=Lock.{lock.name}" in code for lock in Lock)
    assert "pg_advisory" not in code.replace("pg_advisory_xact_lock(:lock)", "", 1)


def _writers(owner: ast.ClassDef) -> Iterator[str]:
    for method in owner.body:
        if isinstance(method, ast.AsyncFunctionDef) and ".writing(" in ast.unparse(method):
            decorators = [ast.unparse(each) for each in method.decorator_list]
            assert decorators == ["repeated"], f"{owner.name}.{method.name} is not repeated"
            yield method.name
