"""The event loop of a real server: measured, and not blocked by what anybody sends."""

from __future__ import annotations

from collections.abc import Iterator

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
