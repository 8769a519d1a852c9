"""Every failure points to the event that proves it."""

from __future__ import annotations

import pytest

from seatrial.domain.events import LogEvent
from seatrial.domain.failures import failure
from seatrial.domain.proof import proving_event, seen
from seatrial.domain.record import AttemptRecord

BUILD = (
    "Resolving 1 requirement…\n",
    "error: No solution found\n  cause: Because spam was not found in\n   the registry, no luck.\n",
    "hint: a typo?\n",
)


def told(*pieces: str, stream: str = "build") -> AttemptRecord:
    record = AttemptRecord()
    for number, text in enumerate(pieces, start=3):
        record = record.with_event(
            number, LogEvent.model_validate({"stream": stream, "text": text})
        )
    return record


@pytest.mark.parametrize(
    ("evidence", "event"),
    [
        ("Because spam was not found in the registry, no luck.", 4),
        ("hint: a typo?", 5),
        ("what nobody said", 5),
        ("", 5),
    ],
)
def test_a_build_is_proven_by_the_last_piece_of_its_output_with_the_evidence(
    evidence: str, event: int
) -> None:
    for code in ("dependencies.not_found", "limit.build_timeout"):
        assert proving_event(failure(code, evidence=evidence), told(*BUILD)) == event


def test_what_is_known_already_stays() -> None:
    cause = failure("limit.memory", evidence="hint: a typo?", evidence_event=2)
    assert proving_event(cause, told(*BUILD)) == 2


def test_another_fault_is_not_proven_by_what_a_build_said() -> None:
    cause = failure("model.not_found", "There is no such model.")
    assert proving_event(cause, told(*BUILD)) is None
    assert proving_event(failure("dependencies.conflict"), told(*BUILD, stream="stderr")) is None


def test_what_only_the_worker_saw_is_proven_by_its_own_note() -> None:
    cause = failure("model.not_found", "There is no such model.", evidence="404: gone")
    note = seen(cause)
    assert note.message == "404: gone"
    assert proving_event(cause, AttemptRecord().with_event(9, note)) == 9
    unspoken = cause.model_copy(update={"evidence": ""})
    assert seen(unspoken).message == "There is no such model."


@pytest.mark.parametrize("size", [1, 30_000, 200_000])
def test_only_the_end_of_a_build_is_kept_and_always_its_last_piece(size: int) -> None:
    record = told(*(f"{number} ".ljust(size, "x") for number in range(9)))
    kept = record.build_tail
    assert kept[-1][0] == 11
    assert len(kept) == 1 or sum(len(text) for _, text in kept) <= 64 * 1024
    assert [number for number, _ in kept] == list(range(12 - len(kept), 12))
    assert len(kept) == {1: 9, 30_000: 2, 200_000: 1}[size]
