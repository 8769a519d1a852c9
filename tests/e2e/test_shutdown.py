"""SIGTERM hands tests over and leaves nothing running; a second one ends the process at once."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from seatrial.domain.events import LogEvent, PhaseEvent
from seatrial.domain.phases import Outcome, Phase
from tests.support import agents
from tests.support.databases import PostgresDatabases
from tests.support.postgres import PostgresServer
from tests.support.serving import Serving

from .test_crashes import containers, until_gone, wait_for_text

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

WAITS = """
import asyncio
from seatrial.wiring.serve import stop_on_signals

async def main():
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    print("ready", flush=True)
    await stopping.wait()
    print("stopping", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_and_the_second_ends_the_process(number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE)
    assert process.stdout is not None
    for said in (b"ready\n", b"stopping\n"):
        assert process.stdout.readline() == said
        process.send_signal(number)
    assert process.wait(60) == -number
    process.stdout.close()


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.spec("SC-006", "FR-009", "edge-3")
def test_a_server_that_is_told_twice_ends_at_once_and_loses_no_test(docker_socket: str) -> None:
    process = Serving({"docker_host": docker_socket}).start()
    assert process.process is not None
    with process.client() as client, socket.create_connection(("127.0.0.1", process.port)) as open_:
        test = client.submit(files=agents.files(agents.SLOW), query="30", model="none")
        wait_for_text(client, test.id, "tick 1")
        # A request that never ends: the server waits for it for some seconds.
        open_.sendall(
            b"POST /api/v1/tests HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
        )
        client.test(test.id)  # answered, so that one has been begun
        process.process.terminate()
        while not refuses(process.port):
            time.sleep(0.01)
        process.process.terminate()
        assert process.process.wait(60) == -signal.SIGTERM
    process.start()
    with process.client() as client:
        done = client.wait(test.id)
        phases = [e.data for e in client.events(test.id) if isinstance(e.data, PhaseEvent)]
    process.close()

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert [phase.phase for phase in phases].count(Phase.COMPLETED) == 1
    until_gone(docker_socket, test.id)


class Workers:
    """Workers on one database and one engine, each in a data folder of its own."""

    def __init__(self, database: str, engine_url: str) -> None:
        self._settings = {"database_url": database, "docker_host": engine_url, "max_running": "2"}
        self._made: list[tuple[Serving, subprocess.Popen[bytes]]] = []

    def start(self) -> subprocess.Popen[bytes]:
        place = Serving(self._settings)
        place.data_dir.chmod(0o711)
        command = [sys.executable, "-m", "seatrial", "worker"]
        process = subprocess.Popen(command, env=place.environment)
        self._made.append((place, process))
        return process

    def close(self) -> None:
        for place, process in self._made:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
            place.close()


@pytest.fixture
def server(postgres_server: PostgresServer) -> Iterator[Serving]:
    settings = {"database_url": PostgresDatabases(postgres_server).empty()}
    process = Serving(settings, arguments=("--no-worker",)).start()
    yield process
    process.close()


@pytest.mark.postgres
@pytest.mark.spec("SC-006", "FR-009", "edge-3")
def test_a_worker_that_is_told_to_stop_hands_its_tests_to_another(
    server: Serving, docker_socket: str
) -> None:
    workers = Workers(server.settings["database_url"], docker_socket)
    try:
        first = workers.start()
        with server.client() as client:
            tests = [
                client.submit(files=agents.files(agents.SLOW), query="30", model="none")
                for _ in range(2)
            ]
            for test in tests:
                wait_for_text(client, test.id, "tick 1")
            workers.start()
            first.terminate()
            assert first.wait(60) == 0
            done = [client.wait(test.id) for test in tests]
            journals = [list(client.events(test.id)) for test in tests]
    finally:
        workers.close()

    for test, events in zip(done, journals, strict=True):
        assert (test.outcome, test.attempt) == (Outcome.SUCCEEDED, 2), test.failure
        back = [e.data for e in events if isinstance(e.data, PhaseEvent) and e.data.message]
        assert [phase.message for phase in back] == ["The worker was stopped."]
        said = "".join(e.data.text for e in events if isinstance(e.data, LogEvent))
        assert said.endswith("".join(f"tick {tick}\n" for tick in range(30)))
        assert containers(docker_socket, test.id) == []
