"""The whole product in processes of its own, on each container engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from seatrial.domain.events import Event
from seatrial.domain.tests import Test
from tests.support.proof import assert_proven
from tests.support.serving import Serving


@pytest.fixture(scope="session", params=["docker", "podman"])
def engine_url(request: pytest.FixtureRequest) -> str:
    """A running container engine; every test that uses it runs on both."""
    url: str = request.getfixturevalue(f"{request.param}_socket")
    return url


@pytest.fixture(scope="session")
def engine_name(engine_url: str) -> str:
    """Which of them it is."""
    return "podman" if "podman" in engine_url else "docker"


@pytest.fixture(scope="session")
def serving(engine_url: str) -> Iterator[Serving]:
    """One long-lived server with its worker, shared by the tests that break nothing."""
    process = Serving({"docker_host": engine_url}).start()
    yield process
    process.close()


MakeServing = Callable[..., Serving]


@pytest.fixture
def make_serving(engine_url: str) -> Iterator[MakeServing]:
    """Servers that a test may kill: each with a data folder of its own, started here."""
    made: list[Serving] = []

    def make(**settings: str) -> Serving:
        process = Serving({"docker_host": engine_url, **settings})
        made.append(process)
        return process.start()

    yield make
    for process in made:
        process.close()


Provoked = Callable[..., None]


@pytest.fixture
def provoked(request: pytest.FixtureRequest) -> Iterator[Provoked]:
    """Asserts that a test failed as the mark `provokes` says: code, whose fault, what proves it."""
    marks = [str(mark.args[0]) for mark in request.node.iter_markers("provokes")]
    assert len(marks) == 1, "a test with this fixture has the mark `provokes(code)`"
    asserted: list[str] = []

    def check(done: Test, events: Sequence[Event], code: str = marks[0]) -> None:
        """`code` where one engine is known to end the test otherwise than the mark says."""
        assert_proven(done, events, code)
        asserted.append(code)

    yield check
    assert asserted, "a test with the mark `provokes` asserts its failure"
