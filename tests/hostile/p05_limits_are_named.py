"""P5: limits hold, and the failure names the right one, with a change that a program can apply."""

from __future__ import annotations

import pytest

from seatrial.domain.fixes import changes_of

from .conftest import Place
from .corpus import Corpus, expected

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

LIMITS: dict[str, dict[str, int]] = {
    "memory_bomb": {"memory_mb": 512},
    "memory_bomb_child": {"memory_mb": 512},
    "shared_memory": {"memory_mb": 512},
    "thread_bomb": {"processes": 128},
    "disk_full": {"disk_mb": 64},
    "open_files": {"open_files": 2048},
    "infinite_generator": {"response_kb": 2048},
    "spin": {"timeout_seconds": 8},
}
"""By agent, the change that its failure offers."""
ON_GVISOR = {"thread_bomb": {"memory_mb": 512}}
"""There an agent's threads are none of the host's: their memory is what is limited."""


@pytest.mark.spec("FR-013", "SC-007", "edge-10")
@pytest.mark.parametrize("agent", LIMITS)
def test_a_limit_is_named_with_a_change_that_can_be_made(
    place: Place, corpus: Corpus, agent: str
) -> None:
    end = corpus.end(agent)
    failure, wanted = end.test.failure, expected(agent, place.engine)

    assert failure is not None
    assert failure.code == wanted.failure
    offered = {**LIMITS, **(ON_GVISOR if place.engine == "gvisor" else {})}
    assert failure.fix == offered[agent]
    assert "allowed" in failure.message or "limit of" in failure.message
    assert failure.evidence_event is not None or agent == "spin"
    changed = changes_of(failure.fix, end.test.request).applied_to(end.test.request)
    assert changed != end.test.request
    place.client.validate(changed)


@pytest.mark.spec("FR-011")
@pytest.mark.parametrize("agent", ["memory_bomb", "memory_bomb_child", "shared_memory"])
def test_no_container_ever_had_more_memory_than_it_may(
    place: Place, corpus: Corpus, agent: str
) -> None:
    metrics = corpus.end(agent).test.metrics
    assert metrics is not None
    assert metrics.memory_limit_bytes == 256 * 2**20
    if place.engine == "gvisor":
        assert metrics.memory_peak_bytes is None  # and none is made up
        return
    assert metrics.memory_peak_bytes is not None
    assert metrics.memory_peak_bytes <= metrics.memory_limit_bytes


@pytest.mark.spec("FR-011")
def test_more_processes_than_allowed_never_ran(place: Place, corpus: Corpus) -> None:
    metrics = corpus.end("fork_bomb").test.metrics
    assert metrics is not None
    if place.engine == "gvisor":
        assert metrics.processes_peak is None
        return
    assert metrics.processes_peak is not None
    assert metrics.processes_peak <= 64 + 24
