"""A journal as people see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from seatrial.cli.journal import Journal, worker_text
from seatrial.cli.lines import text_of
from seatrial.domain.events import (
    CleanupEvent,
    Event,
    EventData,
    FailureEvent,
    LogEvent,
    MetricEvent,
    ModelCallEvent,
    NoticeEvent,
    PhaseEvent,
    QueueEvent,
    ResponseEvent,
    ResultEvent,
)
from seatrial.domain.failures import failure
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.ports import WorkerState
from seatrial.domain.tests import Result, WaitInterval

_START = datetime(2026, 1, 1, tzinfo=UTC)


def _shown(*data: EventData, answer: bool = False) -> list[str]:
    journal = Journal(answer=answer)
    lines = [
        one
        for number, event in enumerate(data, 1)
        for one in journal.feed(
            Event(number=number, at=_START + timedelta(seconds=number - 1), data=event)
        )
    ]
    return [text_of(one) for one in [*lines, *journal.rest()]]


def _log(text: str, stream: str = "stdout") -> LogEvent:
    return LogEvent.model_validate({"stream": stream, "text": text})


def test_every_step_is_shown_with_its_time_since_submission() -> None:
    shown = _shown(
        PhaseEvent(phase=Phase.QUEUED),
        QueueEvent(position=2, wait=WaitInterval(low_seconds=3, high_seconds=20), reason="busy"),
        PhaseEvent(phase=Phase.BUILDING, attempt=2),
        NoticeEvent(code="x", message="rate limited"),
        ModelCallEvent(
            provider="ollama", model="m", status=200, latency_seconds=0.5, input_tokens=7
        ),
        FailureEvent(failure=failure("limit.memory")),
        CleanupEvent(attempt=1, removed={"container": 0.2}, left=("volume",)),
        PhaseEvent(phase=Phase.COMPLETED, outcome=Outcome.TIMED_OUT),
    )
    wanted = [
        ("0.0s", "queued"),
        ("1.0s", "place 2, starts in about 3 to 20 s (busy)"),
        ("2.0s", "building  attempt 2"),
        ("3.0s", "rate limited"),
        ("4.0s", "ollama m: 200 in 0.50 s, 7 tokens in, 0 out"),
        ("5.0s", "limit.memory"),
        ("6.0s", "container 0.20 s; left behind: volume"),
        ("7.0s", "timed_out"),
    ]
    assert len(shown) == len(wanted)
    for one, (time, text) in zip(shown, wanted, strict=True):
        assert time in one
        assert text in one


def test_the_same_place_in_the_queue_is_shown_once() -> None:
    assert len(_shown(QueueEvent(position=2), QueueEvent(position=2), QueueEvent(position=1))) == 2


def test_samples_and_the_result_are_left_to_the_summary() -> None:
    sample = MetricEvent(memory_bytes=1, memory_peak_bytes=1, cpu_seconds=1, processes=1)
    assert _shown(sample, ResultEvent(result=Result(response="x"))) == []


def test_the_answer_is_shown_as_it_comes_only_where_asked_for() -> None:
    pieces = (ResponseEvent(text="Hel"), ResponseEvent(text="lo\nyou"))
    assert _shown(*pieces) == []
    assert [one.strip() for one in _shown(*pieces, answer=True)] == [
        "answer │ Hello",
        "answer │ you",
    ]


def test_output_keeps_its_streams_apart_and_its_partial_lines_whole() -> None:
    shown = _shown(_log("a"), _log("x\n", "stderr"), _log("b\nc"), _log("y", "stderr"))
    assert [one.strip() for one in shown] == ["err │ x", "out │ ab", "out │ c", "err │ y"]


def test_what_has_no_line_end_is_shown_before_the_next_step() -> None:
    shown = _shown(_log("prompt> "), PhaseEvent(phase=Phase.COMPLETED, outcome=Outcome.FAILED))
    assert [("prompt" in shown[0]), ("failed" in shown[1])] == [True, True]


@given(st.text(st.sampled_from("ab\r\n")), st.lists(st.integers(0, 40)))
def test_lines_are_the_same_wherever_the_output_was_cut(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [_log(text[a:b]) for a, b in pairwise(edges)]
    assert _shown(*pieces) == _shown(_log(text))


@given(st.integers(1, 5))
def test_a_line_that_never_ends_is_shown_in_pieces_and_not_kept(count: int) -> None:
    shown = _shown(*(_log("x" * 20_000) for _ in range(count)))
    assert sum(one.count("x") for one in shown) == 20_000 * count
    assert max(map(len, shown)) < 17_000


def test_a_worker_says_its_engine_and_slots_or_what_keeps_it() -> None:
    assert worker_text(WorkerState("docker 1, x86_64", 1)) == "docker 1, x86_64: 1 slot"
    assert worker_text(WorkerState("podman 5", 4, "it is away")) == "podman 5: it is away"
    assert worker_text(WorkerState("", 2)) == "no engine was seen yet: 2 slots"
