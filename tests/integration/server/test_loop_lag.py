"""The event loop of a real server: measured, and not blocked by what anybody sends."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.support.loop_lag import responsive
from tests.support.serving import Serving


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """A server without a worker."""
    server = Serving(arguments=["--no-worker"])
    try:
        yield server.start()
    finally:
        server.close()


def test_a_server_measures_its_loop(serving: Serving) -> None:
    with responsive(serving.data_dir), serving.client() as client:
        client.tests()


HOSTILE = {
    "blanks before a comment": {"requirements": " " * 99_000 + "x"},
    "blanks within a requirement": {"requirements": "a" + " " * 99_000 + "b"},
    "excepts": {"files": {"agent.py": "except " * 140_000}, "python": "3.14"},
    "dotted import": {"files": {"agent.py": "import " + "a." * 490_000 + "a"}},
    "f-string": {"files": {"agent.py": 'f"' + "{a}" * 320_000 + '"'}},
    "statements": {"files": {"agent.py": "a = 1; b = a, a; c = a < b\n" * 35_000}},
    "a path of many folders": {"files": {"agent.py": "1", "a/" * 400_000: ""}},
    "many variables": {"env": {f"V{number}": "" for number in range(100_000)}},
    "many files": {"files": {"agent.py": "1", **{f"{n}.py": "x=" for n in range(100_000)}}},
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_no_request_that_is_checked_holds_the_loop(serving: Serving, shape: str) -> None:
    good = {"files": {"agent.py": "def run(query): return query"}, "model": "none", "query": "q"}
    with (
        responsive(serving.data_dir),
        httpx.Client(base_url=serving.url, headers=serving.headers, timeout=300) as client,
    ):
        answer = client.post("/api/v1/validate", json={**good, **HOSTILE[shape]})

    assert answer.status_code in {200, 413, 422}, answer.text
