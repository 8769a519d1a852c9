"""`seatrial serve` as a user who may use the engine's socket and is root of nothing."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from seatrial.client import Client
from seatrial.domain.events import LogEvent
from seatrial.domain.phases import Outcome
from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine
from seatrial.engines.private import Kind, PrivateEngine
from tests.support import agents
from tests.support.serving import Serving

pytestmark = [
    pytest.mark.engine,
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]

USER = 12345
GROUP = 4321
REGISTRY = "127.0.0.1:1"
"""Where nobody answers: the image is the one that was built from Debian packages."""
SIX = """
import six

def run(query):
    print("six", six.__version__, flush=True)
    return query + " of " + six.__name__
"""


def as_user(*privileges: str) -> list[str]:
    """The beginning of a command that another user runs, whose own group is the engine's."""
    return ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups", *privileges]


def users_python(folder: Path) -> str:
    """Our interpreter, started as that user.

    It may lie in a folder that only root can read: it gets the privilege to read everything,
    and none to write.
    """
    reading = as_user("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nexec {shlex.join([*reading, sys.executable])} "$@"\n')
    script.chmod(0o755)
    return str(script)


@pytest.fixture(params=["docker", "podman"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Both engines, one after the other."""
    return request.param


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that other users may pass through."""
    made = Path(tempfile.mkdtemp(prefix="st-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest_asyncio.fixture
async def engine_url(kind: Kind, folder: Path, engine_images: Path) -> AsyncIterator[str]:
    """An engine whose socket the user's group may use, with the base image in it."""
    engine = PrivateEngine(kind, folder / kind)
    url = await engine.start()
    os.chown(engine.socket, 0, GROUP)
    engine.socket.chmod(0o660)
    root = DockerEngine(DockerConfig(url, folder / "roots", engine_images, REGISTRY))
    await root.image("3.11")
    await root.aclose()
    yield url
    await engine.stop()


@pytest.fixture
def serving(engine_url: str, folder: Path) -> Iterator[Serving]:
    """The server as that user, in a data folder of that user's own."""
    data = folder / "data"
    data.mkdir()
    os.chown(data, USER, GROUP)
    # Its container waits for the new server, however slowly a busy machine starts that.
    patient = {"grace_seconds": "60", "lease_seconds": "90"}
    settings = {"docker_host": engine_url, "registry": REGISTRY, **patient}
    process = Serving(settings, data_dir=data, python=users_python(folder)).start()
    yield process
    process.close()


def until_printed(client: Client, test_id: str, text: str) -> None:
    """Return as soon as the agent has printed the text."""
    for event in client.events(test_id):
        if isinstance(event.data, LogEvent) and text in event.data.text:
            return
    raise AssertionError(f"{text!r} was never printed")


def is_users(process: Serving) -> bool:
    assert process.process is not None
    return Path(f"/proc/{process.process.pid}").stat().st_uid == USER


@pytest.mark.spec("FR-001", "SC-001", "SC-006", "FR-009")
def test_a_user_without_root_does_everything_and_leaves_nothing_of_roots(
    serving: Serving, folder: Path
) -> None:
    assert is_users(serving)
    with serving.client() as client:
        built = client.wait(
            client.submit(
                files=agents.files(SIX), query="one", model="none", requirements="six==1.16.0\n"
            ).id
        )
        stopped = client.submit(files=agents.files(agents.STUBBORN), query="x", model="none")
        until_printed(client, stopped.id, "not stopping")
        client.cancel(stopped.id)
        cancelled = client.wait(stopped.id)
        adopted = client.submit(files=agents.files(agents.SLOW), query="80", model="none")
        until_printed(client, adopted.id, "tick 5")
    serving.kill()
    serving.start()
    assert is_users(serving)
    with serving.client() as client:
        survived = client.wait(adopted.id)

    assert built.outcome is Outcome.SUCCEEDED, built.failure
    assert built.result is not None
    assert built.result.response == "one of six"
    assert cancelled.outcome is Outcome.CANCELLED
    assert survived.outcome is Outcome.SUCCEEDED, survived.failure
    assert survived.attempt == 1
    assert serving.stop() == 0

    data = serving.data_dir
    logs = {data / "test-serve.log"}  # opened by the test itself
    others = [path for path in data.rglob("*") if path.lstat().st_uid != USER]
    assert set(others) <= logs
    os.chown(folder, USER, GROUP)
    removed = subprocess.run(
        [*as_user(), "rm", "-rf", str(data)], capture_output=True, text=True, check=False
    )
    assert removed.stderr == ""
    assert not data.exists()
