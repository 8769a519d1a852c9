"""The working directory: writable, listed afterwards, and never the tested files themselves."""

from __future__ import annotations

import pytest

from seatrial.domain.phases import Outcome
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


def test_what_an_agent_writes_is_listed_and_the_tested_files_stay(serving: Serving) -> None:
    with serving.client() as client:
        test = client.wait(client.submit(files=FILES, query="hello", model="none").id)
        again = client.wait(client.retry(test.id).id)
    assert (test.outcome, test.failure) == (Outcome.SUCCEEDED, None)
    assert test.result is not None
    assert {one.path: one.size for one in test.result.files if one.path != "/agent/memory.db"} == {
        "/agent/agent.py": 7,
        "/agent/out/deep/report.md": 6,
        "/home/agent/history": 5,
    }
    assert all(len(one.sha256) == 64 for one in test.result.files)
    assert test.request.files == FILES
    assert again.result is not None
    assert again.result.response == "written"
