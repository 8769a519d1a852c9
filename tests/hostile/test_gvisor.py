"""Tests run on gVisor when the operator asks for it, as closed as on the engine's own runtime."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.domain.phases import Outcome
from tests.support.serving import Serving

from .conftest import serve_on

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

AGENT = """
import urllib.error, urllib.request
def run(query):
    try: urllib.request.urlopen("http://127.0.0.1:8377/", timeout=60)
    except urllib.error.HTTPError as error: door = error.code
    return open("/proc/version").read().strip() + " | door " + str(door)
"""


@pytest.fixture
def sandboxed(gvisor_socket: str, engine_images: Path) -> Iterator[Serving]:
    serving = serve_on("gvisor", gvisor_socket, engine_images)
    yield serving
    serving.close()


@pytest.mark.spec("FR-011")
def test_an_agent_runs_on_another_kernel_and_reaches_its_door_alone(sandboxed: Serving) -> None:
    with sandboxed.client() as client:
        test = client.submit(files={"agent.py": AGENT}, query="q", model="none")
        done = client.wait(test.id)

    assert done.outcome is Outcome.SUCCEEDED, done.failure
    assert done.result is not None
    assert platform.release() not in done.result.response
    assert "door 403" in done.result.response
    assert (sandboxed.data_dir / "self-test.json").exists()


def test_a_runtime_that_the_engine_lacks_is_told_by_doctor(docker_socket: str) -> None:
    serving = Serving({"docker_host": docker_socket, "container_runtime": "nobody"})
    serving.data_dir.chmod(0o711)
    try:
        code, findings = serving.cli_json("doctor", "--json")
    finally:
        serving.close()
    [engine] = [one for one in findings if one["name"] == "engine"]
    assert code == 3
    assert engine["state"] != "ok"
    assert "'nobody'" in engine["detail"]
