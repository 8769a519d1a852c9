"""P4: a run ends at its limit, and nothing of it stays."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from .conftest import Place, serve_on
from .corpus import Corpus, expected, files_of
from .host import Host

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

STUBBORN = ("async_never_returns", "endless_line", "fork_bomb", "sigstop_self", "spin", "stubborn")
LATE_SECONDS = 6.0
"""How much later than its limit an agent may end on a machine that is busy with five others."""
GONE_SECONDS = 30.0


@pytest.mark.spec("FR-007", "edge-2")
@pytest.mark.parametrize("agent", STUBBORN)
def test_an_agent_that_does_not_end_is_ended(place: Place, corpus: Corpus, agent: str) -> None:
    end, wanted = corpus.end(agent), expected(agent, place.engine)
    allowed = wanted.timeout

    assert end.test.metrics is not None
    assert end.test.metrics.wall_seconds is not None
    assert place.host.left_of(end.test.id) == []
    if wanted.failure == "limit.memory":
        assert end.test.metrics.wall_seconds < allowed  # another limit came first
        return
    assert allowed <= end.test.metrics.wall_seconds < allowed + LATE_SECONDS
    assert end.test.failure is not None
    assert f"of the {allowed} s allowed" in end.test.failure.message
    assert end.test.failure.fix == {"timeout_seconds": 2 * allowed}


@pytest.mark.spec("SC-006", "SC-009", "edge-3")
def test_a_hostile_agent_does_not_outlive_a_killed_server(
    place: Place, engine_images: Path
) -> None:
    serving = serve_on(place.engine, place.engine_url, engine_images, grace_seconds="3")
    host = Host(serving.data_dir, place.engine_url)
    try:
        with serving.client() as client:
            test = client.submit(files=files_of("stubborn"), query="q", model="none")
            for event in client.events(test.id):
                if "not stopping" in getattr(event.data, "text", ""):
                    break
            assert host.processes(test.id)
        serving.kill()
        deadline = time.monotonic() + GONE_SECONDS
        while host.processes(test.id):
            assert time.monotonic() < deadline, host.processes(test.id)
            time.sleep(0.1)
        serving.start()
        with serving.client() as client:
            client.cancel(test.id)
            client.wait(test.id)
        assert host.left_of() == []
    finally:
        host.close()
        serving.close()
