"""Every hostile agent ends as it must, and nothing of it is left."""

from __future__ import annotations

import pytest

from seatrial.domain.events import CleanupEvent, FailureEvent, is_final

from .conftest import Place
from .corpus import EXPECTED, NAMES, Corpus, End, expected
from .host import open_files, peak_bytes

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

MEMORY_OF_A_SERVER = 160 * 2**20
"""How much more than at first the server may have at one time, whatever the agents do."""
DISK_BESIDE_LOGS = 48 * 2**20
LOG_OF_A_SERVER = 256 * 1024


def test_every_agent_has_its_expected_end() -> None:
    assert set(EXPECTED) == set(NAMES)


@pytest.mark.spec("edge-2", "edge-3", "edge-10", "FR-011", "SC-009")
@pytest.mark.parametrize("agent", NAMES)
def test_a_hostile_agent_ends_as_it_must_and_leaves_nothing(
    place: Place, corpus: Corpus, agent: str
) -> None:
    wanted = expected(agent, place.engine)
    refused = corpus.refusal(agent)
    if wanted.outcome == "refused":
        assert refused is not None
        shown = [f"{p.file}, line {p.line}: {p.message}" for p in refused.problems]
        assert all(any(text in one for one in shown) for text in wanted.says), shown
        return
    assert refused is None, refused
    end = corpus.end(agent)
    failure = end.test.failure
    shown = end.said
    assert (end.test.outcome, failure and failure.code) == (wanted.outcome, wanted.failure), shown
    assert 1 <= end.test.attempt <= wanted.attempts
    for text in wanted.says:
        assert text in shown
    for text in wanted.never:
        assert text not in shown
    assert {notice.code for notice in end.told()} >= set(wanted.notices)
    _holds_together(end)
    assert place.host.left_of(end.test.id) == []


PARTS = {
    *("container", "tmpfs", "image_layer", "folder"),
    *("door_socket", "channel_socket", "credentials"),
}


def _holds_together(end: End) -> None:
    """The journal is whole, proves the failure, and ends with the receipt of the clean-up."""
    events, failure = end.events, end.test.failure
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert is_final(events[-1])
    assert sum(is_final(event) for event in events) == 1
    told = [event.data.failure for event in events if isinstance(event.data, FailureEvent)]
    assert told == ([failure] if failure else [])
    if failure is not None:
        assert failure.what_to_do
        assert failure.evidence_event is None or failure.evidence_event < len(events)
    receipt = events[-2].data
    assert isinstance(receipt, CleanupEvent)
    assert receipt.left == ()
    assert set(receipt.removed) == PARTS


@pytest.mark.spec("FR-009", "SC-009")
def test_after_all_of_them_the_host_is_as_it_was(place: Place, corpus: Corpus) -> None:
    ends = corpus.all_ends()

    assert place.host.left_of() == []
    assert place.host.networks_and_volumes() == []
    assert open_files(place.pid) < 200
    assert peak_bytes(place.pid) - place.resident_at_first < MEMORY_OF_A_SERVER
    kept = sum(len(end.output.encode()) for end in ends.values())
    assert place.host.disk_bytes() < 2 * kept + DISK_BESIDE_LOGS
    assert len(place.serving.log) < LOG_OF_A_SERVER
    assert "Traceback" not in place.serving.log
    assert place.serving.process is not None
    assert place.serving.process.poll() is None


@pytest.mark.spec("FR-006", "edge-2")
@pytest.mark.parametrize("agent", ["log_flood"])
def test_a_flood_keeps_its_beginning_and_its_end_and_says_what_is_missing(
    place: Place, corpus: Corpus, agent: str
) -> None:
    end = corpus.end(agent)
    output, metrics = end.output, end.test.metrics

    assert output.startswith("first line\n")
    assert output.endswith("last line\n")
    assert metrics is not None
    assert metrics.log_bytes > 400_000_000
    assert len(output.encode()) == metrics.log_bytes - metrics.log_dropped_bytes
    assert len(output.encode()) <= 4096 * 1024
    [told] = [notice.message for notice in end.told("harness.log_truncated")]
    assert f"{metrics.log_dropped_bytes} bytes of {metrics.log_bytes}" in told
