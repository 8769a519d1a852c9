"""Processes that stand still and wake again, and what those leave that never do.

On Docker alone: what a worker does with its lease is the same everywhere, and slots whose harness
stands still are tested on every engine by themselves.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from seatrial.client import Client
from seatrial.domain.events import Event, LogEvent, PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from tests.support import agents
from tests.support.daemon import Daemon
from tests.support.databases import PostgresDatabases
from tests.support.postgres import PostgresServer
from tests.support.serving import Serving

from .test_crashes import ask_engine, containers, wait_for_text

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

GRACE_SECONDS, LEASE_SECONDS = 5, 10
NAMES = ("one", "two")
TICKS = 60
LEFT_SECONDS = 90.0
"""The product's own limit is 30 s; a busy machine is given more."""
IMPATIENT = {"grace_seconds": str(GRACE_SECONDS), "lease_seconds": str(LEASE_SECONDS)}


class Crew:
    """A server and workers apart, each worker with a data folder of its own."""

    def __init__(self, database: str, engine_url: str) -> None:
        self.server = Serving({"database_url": database}, arguments=("--no-worker",)).start()
        settings = {"database_url": database, "docker_host": engine_url, **IMPATIENT}
        self.homes = [Serving({**settings, "worker_name": name}) for name in NAMES]
        self.workers = [_worker(home) for home in self.homes]

    def start(self, number: int) -> Daemon:
        self.workers[number].start()
        asyncio.run(self.workers[number].ready("takes up to"))
        return self.workers[number]

    def close(self) -> None:
        for worker in self.workers:
            worker.send(signal.SIGKILL)
        for home in (*self.homes, self.server):
            home.close()


def _worker(home: Serving) -> Daemon:
    home.data_dir.chmod(0o711)
    return Daemon("worker", ["worker"], home.environment, home.data_dir / "log")


@pytest.fixture
def crew(postgres_server: PostgresServer, docker_socket: str) -> Iterator[Crew]:
    made = Crew(PostgresDatabases(postgres_server).empty(), docker_socket)
    yield made
    made.close()


def outputs(events: Sequence[Event]) -> list[str]:
    """What each attempt printed."""
    found: list[str] = []
    for event in events:
        if isinstance(event.data, PhaseEvent) and event.data.phase is Phase.BUILDING:
            found.append("")
        elif isinstance(event.data, LogEvent) and event.data.stream == "stdout":
            found[-1] += event.data.text
    return found


def ticks(many: int = TICKS) -> str:
    return "".join(f"tick {tick}\n" for tick in range(many))


def until(what: Callable[[], object], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.2)


def submit(client: Client, requirements: str = "") -> str:
    """A test that counts."""
    return client.submit(
        files=agents.files(agents.SLOW),
        query=str(TICKS),
        model="none",
        requirements=requirements,
    ).id


@pytest.mark.postgres
@pytest.mark.spec("SC-006", "edge-3")
def test_a_worker_that_wakes_after_its_lease_writes_nothing_more(
    crew: Crew, docker_socket: str
) -> None:
    for number in range(2):
        crew.start(number)
    with crew.server.client() as client:
        test_id = submit(client)
        wait_for_text(client, test_id, "tick 5\n")
        sleeper = crew.workers[NAMES.index(worker_of(docker_socket, test_id))]
        sleeper.send(signal.SIGSTOP)
        second = 0
        for event in client.events(test_id):
            second += isinstance(event.data, PhaseEvent) and event.data.phase is Phase.RUNNING
            if second == 2 and isinstance(event.data, LogEvent):
                break
        sleeper.send(signal.SIGCONT)
        until(lambda: "is lost" in sleeper.log, 60, "the woken worker never noticed")
        done = client.wait(test_id)
        events = list(client.events(test_id))

    assert (done.outcome, done.attempt) == (Outcome.SUCCEEDED, 2), done.failure
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    first, second_text = outputs(events)
    assert ticks().startswith(first)
    assert second_text == ticks()
    until(lambda: not containers(docker_socket, test_id), LEFT_SECONDS, "containers are left")


@pytest.mark.postgres
@pytest.mark.spec("SC-006", "SC-009", "FR-009")
def test_what_a_worker_left_that_died_is_removed_by_another_one_and_on_its_return(
    crew: Crew, docker_socket: str
) -> None:
    dying = crew.start(0)
    with crew.server.client() as client:
        test_id = submit(client, "six==1.16.0\n")
        for event in client.events(test_id):
            if isinstance(event.data, LogEvent) and event.data.stream == "build":
                break
        until(lambda: _slots(crew.homes[0]), 60, "nothing was ever built")
        until(lambda: _of(docker_socket, crew.homes[0]), 60, "no container was ever made")
        dying.end(signal.SIGKILL)
        crew.start(1)
        done = client.wait(test_id)
    assert (done.outcome, done.attempt) == (Outcome.SUCCEEDED, 2), done.failure
    # One that was never told what to do waits 20 s for it.
    gone = 20 + LEFT_SECONDS
    until(lambda: not _of(docker_socket, crew.homes[0]), gone, "its containers are left")

    assert _slots(crew.homes[0])
    crew.start(0)
    until(lambda: not _slots(crew.homes[0]), LEFT_SECONDS, "its folders are left")


def _slots(home: Serving) -> list[Path]:
    """Folders of slots in a worker's data folder, but those of its self-test."""
    found = (home.data_dir / "slots").glob("seatrial-[!s]*")
    return list(found)


def _of(engine_url: str, home: Serving) -> list[str]:
    """Containers whose slot has a folder there."""
    names = {f"/{path.name}" for path in _slots(home)}
    listed = ask_engine(engine_url, "containers/json", all="1")
    return [each["Id"] for each in listed if names & set(each["Names"])]


def shown(engine_url: str, test_id: str) -> Any:
    """The test's one container."""
    [container] = containers(engine_url, test_id)
    return ask_engine(engine_url, f"containers/{container}/json")


def worker_of(engine_url: str, test_id: str) -> str:
    """Who drives the test."""
    return shown(engine_url, test_id)["Config"]["Labels"]["seatrial.worker"]


def process_1(engine_url: str, test_id: str) -> int:
    """Process 1 of the test's container."""
    return int(shown(engine_url, test_id)["State"]["Pid"])


@pytest.mark.spec("edge-3", "SC-006")
def test_a_harness_that_stands_still_goes_on_or_is_replaced(docker_socket: str) -> None:
    process = Serving({"docker_host": docker_socket, **IMPATIENT}).start()
    with process.client() as client:
        brief, long = submit(client), submit(client)
        for test_id in (brief, long):
            wait_for_text(client, test_id, "tick 5\n")
        pids = [process_1(docker_socket, test_id) for test_id in (brief, long)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(GRACE_SECONDS / 3)
        os.kill(pids[0], signal.SIGCONT)
        done = [client.wait(test_id) for test_id in (brief, long)]
        events = [list(client.events(test_id)) for test_id in (brief, long)]
    process.close()

    assert [test.outcome for test in done] == [Outcome.SUCCEEDED] * 2
    assert [test.attempt for test in done] == [1, 2]
    assert [outputs(each)[-1] for each in events] == [ticks()] * 2
