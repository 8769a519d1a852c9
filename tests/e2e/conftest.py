"""The whole product in processes of its own, on each container engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.serving import Serving


@pytest.fixture(scope="session", params=["docker", "podman"])
def engine_url(request: pytest.FixtureRequest) -> str:
    """A running container engine; every test that uses it runs on both."""
    url: str = request.getfixturevalue(f"{request.param}_socket")
    return url


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
