"""A database that is away for half a minute, and disks that are full: nothing is lost by either.

On Docker alone: what stands between the database and the container is the same on every engine.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator

import pytest

from seatrial.client import Client
from seatrial.domain.errors import PlatformError
from seatrial.domain.events import Event, LogEvent, PhaseEvent
from seatrial.domain.phases import Outcome
from tests.support import agents
from tests.support.daemon import Daemon
from tests.support.databases import PostgresDatabases
from tests.support.disks import ROOT_ONLY, fill, small_disk
from tests.support.postgres import PostgresServer, own_postgres
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

AWAY_SECONDS = 30.0
TICKS = 60


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with own_postgres() as server:
        yield server


@pytest.fixture
def split(postgres: PostgresServer, docker_socket: str) -> Iterator[Serving]:
    """A server and a worker apart, on a database that can be stopped."""
    database = {"database_url": PostgresDatabases(postgres).empty()}
    server = Serving(database, arguments=("--no-worker",)).start()
    elsewhere = Serving({**database, "docker_host": docker_socket})
    elsewhere.data_dir.chmod(0o711)
    worker = Daemon(
        "worker", ["worker"], elsewhere.environment, elsewhere.data_dir / "test-worker.log"
    )
    worker.start()
    yield server
    worker.end()
    server.close()
    elsewhere.close()


@pytest.fixture
def alone(docker_socket: str) -> Iterator[Serving]:
    process = Serving({"docker_host": docker_socket}).start()
    yield process
    process.close()


def until_printed(client: Client, test_id: str, text: str) -> None:
    for event in client.events(test_id):
        if isinstance(event.data, LogEvent) and text in event.data.text:
            return
    raise AssertionError(f"{text!r} was never printed")


def check_whole(events: list[Event]) -> None:
    """Every event once, and all that the agent said."""
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    text = "".join(event.data.text for event in events if isinstance(event.data, LogEvent))
    assert text == "".join(f"tick {tick}\n" for tick in range(TICKS))


@pytest.mark.postgres
@pytest.mark.spec("SC-006", "edge-3")
def test_a_database_that_is_away_for_half_a_minute_costs_no_attempt_and_no_event(
    alone: Serving, split: Serving, postgres: PostgresServer
) -> None:
    """Both kinds at one time: SQLite is locked by another program, PostgreSQL has crashed."""
    clients = [alone.client(), split.client()]
    running = [
        client.submit(files=agents.files(agents.SLOW), query=str(TICKS), model="none").id
        for client in clients
    ]
    for client, test_id in zip(clients, running, strict=True):
        until_printed(client, test_id, "tick 5")
    lock = sqlite3.connect(alone.data_dir / "seatrial.db", timeout=60, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    postgres.stop()
    time.sleep(AWAY_SECONDS)
    lock.execute("ROLLBACK")
    lock.close()
    postgres.start()

    for client, test_id in zip(clients, running, strict=True):
        done, events = client.wait(test_id), list(client.events(test_id))
        assert done.outcome is Outcome.SUCCEEDED, done.failure
        assert done.attempt == 1, [e.data.message for e in events if isinstance(e.data, PhaseEvent)]
        check_whole(events)
        client.close()


@ROOT_ONLY
@pytest.mark.spec("SC-006", "edge-3")
def test_on_a_full_disk_a_running_test_waits_and_new_ones_are_refused(docker_socket: str) -> None:
    with small_disk(24) as disk:
        process = Serving({"docker_host": docker_socket}, data_dir=disk).start()
        with process.client() as client:
            test = client.submit(files=agents.files(agents.SLOW), query=str(TICKS), model="none")
            until_printed(client, test.id, "tick 5")
            filler = fill(disk)
            refused = until_refused(client)
            time.sleep(TICKS / 10)  # the agent has ended; what it said waits in the container
            seen = client.test(test.id)
            filler.unlink()
            done = client.wait(test.id)
            check_whole(list(client.events(test.id)))
        assert process.stop() == 0
        process.close()

    assert refused.code == "platform.no_capacity"
    assert "full" in refused.message
    assert seen.outcome is None
    assert (done.outcome, done.attempt) == (Outcome.SUCCEEDED, 1), done.failure


def until_refused(client: Client) -> PlatformError:
    """Submit until there is no room for it; what is said then."""
    large = agents.files(agents.ECHO + "#" * 100_000)
    for _ in range(50):
        try:
            client.cancel(client.submit(files=large, query="x", model="none").id)
        except PlatformError as error:
            return error
    raise AssertionError("nothing was ever refused")
