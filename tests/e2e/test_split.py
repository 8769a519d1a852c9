"""Server and worker apart: a server without any container library, over PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv

from seatrial.domain.events import ModelCallEvent
from seatrial.domain.phases import Outcome
from tests.support import agents
from tests.support.databases import PostgresDatabases
from tests.support.postgres import PostgresServer
from tests.support.serving import Serving

pytestmark = [
    pytest.mark.engine,
    pytest.mark.postgres,
    pytest.mark.model,
    pytest.mark.timeout(400),
]

ROOT = Path(__file__).parents[2]
CONTAINER_LIBRARIES = ("aiodocker", "aiohttp", "uv")


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has Seatrial, but none of the libraries that talk to containers."""
    folder = tmp_path_factory.mktemp("bare")
    pruned = [word for name in CONTAINER_LIBRARIES for word in ("--prune", name)]
    export = ["export", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes", *pruned]
    requirements = folder / "requirements.txt"
    requirements.write_text(_uv(*export))
    python = folder / "venv" / "bin" / "python"
    _uv("venv", "--python", sys.executable, str(folder / "venv"))
    _uv("pip", "install", "--python", str(python), "-r", str(requirements))
    _uv("pip", "install", "--python", str(python), "--no-deps", str(ROOT))
    return str(python)


def _uv(*arguments: str) -> str:
    done = subprocess.run(
        [uv.find_uv_bin(), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def server(bare_python: str, postgres_server: PostgresServer) -> Iterator[Serving]:
    """`serve --no-worker` on the bare interpreter, with no engine socket to be found."""
    database = PostgresDatabases(postgres_server).empty()
    process = Serving(
        {"database_url": database, "docker_host": "unix:///nowhere/engine.sock"},
        arguments=("--no-worker",),
        python=bare_python,
    ).start()
    yield process
    process.close()


@pytest.fixture
def worker(server: Serving, engine_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """`seatrial worker` in a data folder of its own."""
    elsewhere = Serving(
        {"database_url": server.settings["database_url"], "docker_host": engine_url}
    )
    elsewhere.data_dir.chmod(0o711)
    process = subprocess.Popen(
        [sys.executable, "-m", "seatrial", "worker"], env=elsewhere.environment
    )
    yield process
    process.terminate()
    assert process.wait(60) == 0
    elsewhere.close()


@pytest.mark.spec("FR-001", "FR-014", "US1-1", "US1-2")
def test_a_server_without_container_libraries_hands_tests_to_a_worker(
    server: Serving, bare_python: str, worker: subprocess.Popen[bytes]
) -> None:
    for library in CONTAINER_LIBRARIES:
        missing = subprocess.run([bare_python, "-c", f"import {library}"], check=False)
        assert missing.returncode != 0, library
    with server.client() as client:
        test = client.submit(
            files=agents.files(agents.ASK), query="Name the capital of France.", model="testmodel"
        )
        events = list(client.events(test.id))
        done = client.test(test.id)

    assert worker.poll() is None
    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.result is not None
    assert "Paris" in done.result.response
    assert any(isinstance(event.data, ModelCallEvent) for event in events)
    assert [event.number for event in events] == list(range(1, len(events) + 1))


@pytest.mark.spec("edge-1")
def test_without_a_worker_a_test_waits_and_says_why(server: Serving) -> None:
    with server.client() as client:
        test = client.submit(files=agents.files(agents.ECHO), query="x", model="none")
        place = client.test(test.id).queue
        assert place is not None
        assert place.position == 1
        assert "worker" in place.reason
        assert client.cancel(test.id).outcome is Outcome.CANCELLED


@pytest.mark.spec("FR-006")
def test_a_worker_elsewhere_records_and_replays(
    server: Serving, worker: subprocess.Popen[bytes]
) -> None:
    assert worker.poll() is None
    with server.client() as client:
        recorded = client.wait(
            client.submit(
                files=agents.files(agents.ASK), query="Say hello.", model="testmodel", record=True
            ).id
        )
        again = client.wait(client.retry(recorded.id, replay=True).id)
        listed = client.recording(recorded.id)

    assert recorded.outcome is Outcome.SUCCEEDED, recorded.failure
    assert again.outcome is Outcome.SUCCEEDED, again.failure
    assert recorded.result is not None
    assert again.result is not None
    assert again.result.response == recorded.result.response
    assert again.metrics is not None
    assert again.metrics.replayed_calls == len(listed.calls) == 1
