"""Puts together what a completed test says: result, metrics and durations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from seatrial.domain.events import Event, LogEvent, PhaseEvent, ResultEvent
from seatrial.domain.phases import Phase
from seatrial.domain.ports import Environment, ResolvedModel
from seatrial.domain.record import AttemptRecord
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Durations, Metrics, Result
from seatrial.harness.protocol import ResultFrame

from .frames import value_of


@dataclass(frozen=True)
class Timings:
    """Seconds per step of an attempt, filled in as it goes."""

    queued: float | None = None
    resolved: float | None = None
    built: float | None = None
    started: float | None = None
    first_output: float | None = None
    running: float | None = None
    cleaned: float | None = None
    total: float | None = None

    def with_environment(self, environment: Environment) -> Timings:
        """Add what preparing the environment took."""
        return replace(self, resolved=environment.resolved_seconds, built=environment.built_seconds)

    def as_durations(self) -> Durations:
        """As the test shows them, in milliseconds' precision."""
        return Durations(
            **{
                name: None if value is None else round(value, 3)
                for name, value in vars(self).items()
            }
        )


@dataclass(frozen=True)
class Past:
    """When an attempt did what, by its journal: for the worker that takes it over."""

    claimed_at: datetime
    running_at: datetime | None = None
    first_output_at: datetime | None = None

    @property
    def age(self) -> float:
        """Seconds since it was claimed."""
        return _seconds(self.claimed_at, datetime.now(UTC))

    @property
    def ran(self) -> float:
        """Seconds since it began to run."""
        return _seconds(self.running_at, datetime.now(UTC)) if self.running_at else 0.0

    def timings(self, created_at: datetime) -> Timings:
        """What is known of its steps; what the former worker measured itself is lost with it."""
        first = self.first_output_at
        return Timings(
            queued=_seconds(created_at, self.claimed_at),
            first_output=_seconds(self.claimed_at, first) if first else None,
        )


def past_of(events: Sequence[Event]) -> Past:
    """The past of a journal's latest attempt, which has been claimed."""
    past = Past(claimed_at=events[0].at)
    for event in events:
        match event.data:
            case PhaseEvent(phase=Phase.BUILDING):
                past = Past(claimed_at=event.at)
            case PhaseEvent(phase=Phase.RUNNING):
                past = replace(past, running_at=event.at)
            case LogEvent(stream="stdout" | "stderr") | ResultEvent() if not past.first_output_at:
                past = replace(past, first_output_at=event.at)
            case _:
                pass
    return past


def _seconds(start: datetime, end: datetime) -> float:
    """Between two moments, of which the database's clock may have given one."""
    return max(0.0, (end - start).total_seconds())


def result_of(frame: ResultFrame, record: AttemptRecord, resolved: ResolvedModel) -> Result:
    """The agent's answer with the model that it ran with."""
    return Result(
        response=frame.response,
        value=value_of(frame),
        entry_point=record.entry_point,
        framework=record.framework,
        framework_usage=dict(frame.usage),
        model=str(resolved.ref) if resolved.ref else None,
        model_fallback=resolved.fallback,
        replay_of=resolved.replay_of,
    )


def final_result(record: AttemptRecord, resolved: ResolvedModel | None) -> Result | None:
    """The answer with the process's exit; for a test without one, what is known anyway."""
    if record.result is None and record.exit is None:
        return None
    base = record.result or Result(
        entry_point=record.entry_point,
        framework=record.framework,
        model=str(resolved.ref) if resolved and resolved.ref else None,
        model_fallback=bool(resolved and resolved.fallback),
        replay_of=resolved.replay_of if resolved else None,
    )
    exited = record.exit
    if exited is None:
        return base
    left = {"files": record.files, "files_not_listed": record.files_not_listed}
    ended = {"exit_code": exited.code, "exit_signal": exited.signal}
    return base.model_copy(update={**ended, **left})


def metrics_of(request: TestRequest, record: AttemptRecord, timings: Timings) -> Metrics:
    """What the attempt used: the harness's last word, else its last sample."""
    exited, sample = record.exit, record.last_metric
    calls = record.calls
    peak = max(exited.memory_peak_bytes if exited else 0, sample.memory_peak_bytes if sample else 0)
    return Metrics(
        wall_seconds=exited.wall_seconds if exited else timings.running,
        cpu_seconds=exited.cpu_seconds if exited else (sample.cpu_seconds if sample else None),
        memory_peak_bytes=peak or None,
        memory_limit_bytes=(exited.memory_limit_bytes if exited else None)
        or request.limits.memory_mb * 2**20,
        processes_peak=exited.processes_peak if exited else None,
        model_calls=len(calls),
        replayed_calls=sum(1 for call in calls if call.replayed),
        model_call_errors=sum(1 for call in calls if call.error),
        input_tokens=sum(call.input_tokens or 0 for call in calls),
        output_tokens=sum(call.output_tokens or 0 for call in calls),
        tokens_known=all(call.input_tokens is not None for call in calls if call.error is None),
        log_bytes=exited.log_bytes if exited else 0,
        log_dropped_bytes=exited.log_dropped_bytes if exited else 0,
        durations=timings.as_durations(),
    )
