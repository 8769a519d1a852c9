"""The working directory: writable, listed afterwards, and never the tested files themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seatrial.client import Client
from seatrial.domain.phases import Outcome
from seatrial.domain.tests import Test
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine]

AGENT = """
import os, pathlib, sqlite3
def run(query):
    sqlite3.connect("memory.db").execute("create table notes (text)")
    pathlib.Path("out/deep").mkdir(parents=True)
    pathlib.Path("out/deep/report.md").write_text("report")
    pathlib.Path.home().joinpath("history").write_text(query)
    pathlib.Path("kept.txt").write_text(pathlib.Path("kept.txt").read_text())
    pathlib.Path(__file__).write_text("changed")
    os.symlink("/etc/passwd", "link")
    return "written"
"""
FILES = {"agent.py": AGENT, "kept.txt": "kept"}


@pytest.fixture(scope="module", params=["docker", "podman"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    engine = request.getfixturevalue(f"{request.param}_socket")
    process = Serving({"docker_host": engine}).start()
    with process.client() as client:
        yield client
    process.close()


def _ended(client: Client, test: Test) -> Test:
    for _ in client.events(test.id):
        pass
    return client.test(test.id)


def test_what_an_agent_writes_is_listed_and_the_tested_files_stay(client: Client) -> None:
    test = _ended(client, client.submit(files=FILES, query="hello", model="none"))
    assert (test.outcome, test.failure) == (Outcome.SUCCEEDED, None)
    assert test.result is not None
    assert {one.path: one.size for one in test.result.files if one.path != "/agent/memory.db"} == {
        "/agent/agent.py": 7,
        "/agent/out/deep/report.md": 6,
        "/home/agent/history": 5,
    }
    assert all(len(one.sha256) == 64 for one in test.result.files)
    assert test.request.files == FILES
    again = _ended(client, client.retry(test.id))
    assert again.result is not None
    assert again.result.response == "written"
