"""What a completed test says it used."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from seatrial.domain.events import (
    Event,
    EventData,
    LogEvent,
    MetricEvent,
    ModelCallEvent,
    PhaseEvent,
)
from seatrial.domain.phases import Phase
from seatrial.domain.ports import Environment, ResolvedModel
from seatrial.domain.record import AgentExit, AttemptRecord
from seatrial.domain.requests import Limits, ModelRef, TestRequest
from seatrial.domain.tests import Durations, Result
from seatrial.worker.completion import Past, Timings, final_result, metrics_of, past_of

REQUEST = TestRequest(files={"agent.py": ""}, query="q", limits=Limits(memory_mb=64))
EXIT = AgentExit(
    3,
    None,
    "exited",
    wall_seconds=2.5,
    cpu_seconds=1.25,
    memory_peak_bytes=700,
    memory_limit_bytes=900,
    processes_peak=4,
    log_bytes=11,
    log_dropped_bytes=2,
)
SAMPLE = MetricEvent(memory_bytes=1, memory_peak_bytes=800, cpu_seconds=0.5, processes=9)
CALL = ModelCallEvent(
    provider="ollama", model="m", status=200, latency_seconds=0.1, input_tokens=5, output_tokens=7
)
MODEL = ResolvedModel(
    ModelRef(provider="ollama", name="m"), (), named_by_request=False, fallback=True
)


@pytest.mark.spec("FR-012", "US1-6")
def test_the_harness_has_the_last_word_and_the_higher_peak_counts() -> None:
    used = metrics_of(REQUEST, AttemptRecord(exit=EXIT, last_metric=SAMPLE), Timings(running=9.0))
    assert (used.wall_seconds, used.cpu_seconds) == (2.5, 1.25)
    assert (used.memory_peak_bytes, used.memory_limit_bytes) == (800, 900)
    assert (used.processes_peak, used.log_bytes, used.log_dropped_bytes) == (4, 11, 2)


@pytest.mark.spec("FR-012")
def test_without_an_exit_frame_the_last_sample_and_our_own_clock_count() -> None:
    used = metrics_of(REQUEST, AttemptRecord(last_metric=SAMPLE), Timings(running=9.0))
    assert (used.wall_seconds, used.cpu_seconds) == (9.0, 0.5)
    assert (used.memory_peak_bytes, used.memory_limit_bytes) == (800, 64 * 2**20)
    assert used.processes_peak is None


def test_what_is_not_known_is_not_zero() -> None:
    used = metrics_of(REQUEST, AttemptRecord(), Timings())
    assert (used.wall_seconds, used.cpu_seconds, used.memory_peak_bytes) == (None, None, None)


@pytest.mark.spec("FR-012")
def test_calls_errors_and_tokens_add_up() -> None:
    failed = CALL.model_copy(update={"error": "model.quota", "input_tokens": None})
    used = metrics_of(REQUEST, AttemptRecord(calls=(CALL, failed, CALL)), Timings())
    assert (used.model_calls, used.model_call_errors) == (3, 1)
    assert (used.input_tokens, used.output_tokens, used.tokens_known) == (10, 21, True)


def test_tokens_that_a_provider_did_not_report_are_called_unknown() -> None:
    silent = CALL.model_copy(update={"input_tokens": None, "output_tokens": None})
    used = metrics_of(REQUEST, AttemptRecord(calls=(CALL, silent)), Timings())
    assert (used.input_tokens, used.tokens_known) == (5, False)


def test_durations_are_rounded_to_milliseconds_and_keep_what_did_not_happen() -> None:
    environment = Environment("k", "i", "python3", "", resolved_seconds=0.12345, built_seconds=2.0)
    timings = replace(Timings(queued=0.00049).with_environment(environment), total=1 / 3)
    assert timings.as_durations() == Durations(queued=0.0, resolved=0.123, built=2.0, total=0.333)


def test_the_answer_carries_the_exit_of_its_process() -> None:
    answered = AttemptRecord(result=Result(response="x", model="a:b"), exit=EXIT)
    assert final_result(answered, None) == Result(response="x", model="a:b", exit_code=3)


def test_a_test_without_an_answer_still_tells_exit_entry_point_and_model() -> None:
    record = AttemptRecord(
        entry_point="agent.py:run", framework="f", exit=replace(EXIT, code=None, signal=9)
    )
    assert final_result(record, MODEL) == Result(
        exit_signal=9,
        entry_point="agent.py:run",
        framework="f",
        model="ollama:m",
        model_fallback=True,
    )


def test_an_attempt_that_never_ran_has_no_result() -> None:
    assert final_result(AttemptRecord(), MODEL) is None
    assert final_result(AttemptRecord(result=Result(response="x")), None) == Result(response="x")


def at(seconds: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def test_an_attempt_that_is_taken_over_keeps_the_times_of_its_journal() -> None:
    said: list[tuple[float, EventData]] = [
        (0, PhaseEvent(phase=Phase.QUEUED)),
        (5, PhaseEvent(phase=Phase.BUILDING, attempt=1)),
        (6, LogEvent(stream="stdout", text="of the first attempt")),
        (7, PhaseEvent(phase=Phase.QUEUED, attempt=1)),
        (20, PhaseEvent(phase=Phase.BUILDING, attempt=2)),
        (21, LogEvent(stream="build", text="installing")),
        (22, PhaseEvent(phase=Phase.RUNNING, attempt=2)),
        (25, LogEvent(stream="stderr", text="hello")),
        (30, LogEvent(stream="stdout", text="again")),
    ]
    past = past_of([Event(number=n, at=at(s), data=d) for n, (s, d) in enumerate(said, 1)])
    assert past == Past(claimed_at=at(20), running_at=at(22), first_output_at=at(25))
    timings = past.timings(at(0))
    assert (timings.queued, timings.first_output, timings.built) == (20.0, 5.0, None)
    assert past.age > past.ran > 0
