"""Requirements that cannot be installed, from an index that offers what no real one does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import agents
from tests.support.local_index import LocalIndex, sdist, zip_bomb
from tests.support.serving import Serving

from .conftest import Provoked
from .test_failures import ended, submitted

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


AWAY = "away-1.0-py3-none-any.whl"


@dataclass(frozen=True)
class Place:
    """A server whose packages come from an index of this test."""

    serving: Serving
    index: LocalIndex


def _offered(folder: Path) -> LocalIndex:
    index = LocalIndex(folder)
    broken = "def build_wheel(*_):\n    raise SystemExit('fatal error: foo.h: No such file')\n"
    index.add(sdist("broken", "1.0", broken))
    index.add(sdist("endless", "1.0", "import time\ndef build_wheel(*_): time.sleep(3600)\n"))
    index.add(zip_bomb("huge", "1.0", 600))
    index.add_elsewhere(AWAY, f"https://nowhere.invalid/{AWAY}")
    return index


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalIndex]:
    index = _offered(tmp_path_factory.mktemp("index"))
    yield index
    index.close()


def _serving(index: LocalIndex, engine_url: str, **settings: str) -> Serving:
    trusted = {"SSL_CERT_FILE": str(index.certificates)}
    given = {"docker_host": engine_url, "index_url": index.url, **settings}
    return Serving(given, extra_environment=trusted)


@pytest.fixture(scope="module")
def place(docker_socket: str, index: LocalIndex) -> Iterator[Place]:
    """On one engine: what a build runs into is uv's word, the same on both."""
    serving = _serving(index, docker_socket, build_max_mb="32")
    yield Place(serving.start(), index)
    serving.close()


@pytest.mark.spec("FR-013", "SC-007", "edge-10")
@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        pytest.param("broken", "foo.h", marks=pytest.mark.provokes("dependencies.build_failed")),
        pytest.param(
            "away",
            "nowhere.invalid",
            marks=pytest.mark.provokes("dependencies.index_unreachable"),
        ),
        pytest.param("huge", "32 MiB allowed", marks=pytest.mark.provokes("limit.build_size")),
    ],
)
def test_a_build_that_fails_says_why_and_where_it_did(
    place: Place, provoked: Provoked, requirement: str, said: str
) -> None:
    with place.serving.client() as client:
        test = submitted(client, agents.ECHO, requirements=f"{requirement}\n")
        done, events = ended(client, test)

    provoked(done, events)
    assert done.failure is not None
    assert said in f"{done.failure.message} {done.failure.evidence}"


@pytest.mark.spec("FR-007", "FR-013")
@pytest.mark.provokes("limit.build_timeout")
def test_a_build_that_does_not_end_is_stopped_at_its_limit(
    index: LocalIndex, docker_socket: str, provoked: Provoked
) -> None:
    serving = _serving(index, docker_socket, build_timeout_seconds="5")
    try:
        with serving.start().client() as client:
            done, events = ended(client, submitted(client, agents.ECHO, requirements="endless\n"))
    finally:
        serving.close()

    provoked(done, events)
    assert done.failure is not None
    assert "5 s allowed" in done.failure.message
    assert "SEATRIAL_BUILD_TIMEOUT_SECONDS" in done.failure.what_to_do
