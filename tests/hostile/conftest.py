"""One server per engine for all hostile agents; several run at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seatrial.client import Client
from seatrial.domain.errors import InvalidRequest
from seatrial.domain.requests import TestRequest
from tests.support.loop_lag import responsive
from tests.support.serving import Serving

from .corpus import NAMES, Corpus, End, ended
from .host import Host, resident_bytes

AT_A_TIME = 6


@dataclass(frozen=True)
class Place:
    """A running server on one engine, and the machine that it runs on."""

    engine: str
    engine_url: str
    serving: Serving
    client: Client
    host: Host
    resident_at_first: int

    @property
    def pid(self) -> int:
        assert self.serving.process is not None
        return self.serving.process.pid

    def ask(self, source: str, query: str, **fields: Any) -> End:
        """Run one agent of this text to its end."""
        given = {"files": {"agent.py": source}, "query": query, "model": "none", **fields}
        test = self.client.submit(TestRequest.model_validate(given))
        return ended(self.client, test.id)

    def refused_or_failed(self, source: str, **fields: Any) -> str:
        """What is said of a request that must not get as far as running; fails if it ran."""
        try:
            end = self.ask(source, "q", **fields)
        except InvalidRequest as refused:
            return " ".join(problem.message for problem in refused.problems)
        assert end.test.failure is not None, end.said
        assert end.test.failure.whose == "dependencies", end.said
        return end.said


_ENGINES = ["docker", "podman", *(["gvisor"] if os.environ.get("SEATRIAL_TEST_FULL") else [])]


ONE_ENGINE = pytest.mark.parametrize(
    "engine", _ENGINES if os.environ.get("SEATRIAL_TEST_FULL") else _ENGINES[:1], indirect=True
)
"""For what has nothing to do with the engine: it runs on all of them in the full suite only."""


def serve_on(
    engine: str,
    url: str,
    images: Path,
    environment: Mapping[str, str] | None = None,
    /,
    **settings: str,
) -> Serving:
    """A server on that engine; gVisor is a runtime of a Docker."""
    if engine == "gvisor":
        settings |= {"container_runtime": "runsc", "registry": "127.0.0.1:1"}
    serving = Serving({"docker_host": url, **settings}, extra_environment=environment or {})
    kept = serving.data_dir / "images"
    kept.mkdir()
    for archive in images.glob("*.tar"):
        (kept / archive.name).symlink_to(archive)
    return serving.start()


@pytest.fixture(scope="session", params=_ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Every test that uses it runs on each."""
    return str(request.param)


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest, engine: str, engine_images: Path) -> Iterator[Place]:
    """The engine's server, after one ordinary test: what it needs once does not count."""
    url: str = request.getfixturevalue(f"{engine}_socket")
    many = {"max_running": str(AT_A_TIME), "max_per_user": "200"}
    serving = serve_on(engine, url, engine_images, **many)
    host = Host(serving.data_dir, url)
    try:
        with serving.client() as client:
            agent = "def run(query): return query"
            warm = client.submit(TestRequest(files={"agent.py": agent}, query="q", model="none"))
            client.wait(warm.id)
            assert serving.process is not None
            resident = resident_bytes(serving.process.pid)
            # Server and worker share this process: no agent may hold up everybody else's test.
            with responsive(serving.data_dir):
                yield Place(engine, url, serving, client, host, resident)
    finally:
        host.close()
        serving.close()


@pytest.fixture(scope="session")
def corpus(request: pytest.FixtureRequest, place: Place) -> Corpus:
    """The agents that this session's tests ask for, sent all at once; the slow ones first."""
    asked = {
        str(item.callspec.params["agent"])
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and hasattr(item, "callspec")
        and "agent" in item.callspec.params
    }
    made = Corpus(place.client, place.engine)
    made.send([name for name in NAMES if name in asked])
    return made
