"""What a request may ask for at most, and needs at least."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from seatrial.domain.errors import FieldProblem
from seatrial.domain.requests import USUAL_TIMEOUT_SECONDS, LimitRange, Limits


@dataclass(frozen=True)
class Maxima:
    """The most that the operator lets one test ask for."""

    timeout_seconds: int = 3600
    memory_mb: int = 4096
    cpus: float = 4.0
    processes: int = 1024
    disk_mb: int = 1024
    open_files: int = 4096
    log_kb: int = 65_536
    response_kb: int = 16_384
    model_calls: int = 10_000
    model_tokens: int = 10**12
    traffic_mb: int = 8192
    concurrent_calls: int = 64


_LEAST_TIMEOUT_SECONDS = 1
_MINIMA = {
    "memory_mb": 32,  # less does not hold a Python interpreter and its supervisor
    "cpus": 0.05,
    "processes": 8,  # the supervisor and the agent with a few threads
    "disk_mb": 1,
    "open_files": 64,
    "log_kb": 1,
    "response_kb": 1,
    "model_calls": 1,
    "model_tokens": 0,  # no limit of the test's own
    "traffic_mb": 1,
    "concurrent_calls": 1,
}

_WORDS = {
    "memory_mb": ("memory", " MB"),
    "cpus": ("CPU", " cores"),
    "processes": ("process", " processes"),
    "disk_mb": ("disk", " MB"),
    "open_files": ("open files", " files"),
    "log_kb": ("log", " KB"),
    "response_kb": ("response", " KB"),
    "model_calls": ("model call", " calls"),
    "model_tokens": ("token", " tokens"),
    "traffic_mb": ("traffic", " MB"),
    "concurrent_calls": ("concurrent call", " calls"),
}


def limit_ranges(maxima: Maxima) -> Mapping[str, LimitRange]:
    """Every limit by its name in a request, the timeout first."""
    usual = {"timeout_seconds": USUAL_TIMEOUT_SECONDS, **Limits().model_dump()}
    least = {"timeout_seconds": _LEAST_TIMEOUT_SECONDS, **_MINIMA}
    return {name: LimitRange(usual[name], least[name], getattr(maxima, name)) for name in least}


def timeout_problems(seconds: int, maxima: Maxima) -> Iterator[FieldProblem]:
    """The timeout is between 1 second and the maximum."""
    yield from _range_problem(
        "timeout_seconds",
        "timeout",
        " s",
        seconds,
        _LEAST_TIMEOUT_SECONDS,
        maxima.timeout_seconds,
    )


def limit_problems(limits: Limits, maxima: Maxima) -> Iterator[FieldProblem]:
    """Every limit is between what a test needs at least and the operator's maximum."""
    for name, minimum in _MINIMA.items():
        words, unit = _WORDS[name]
        value: float = getattr(limits, name)
        maximum: float = getattr(maxima, name)
        yield from _range_problem(f"limits.{name}", f"{words} limit", unit, value, minimum, maximum)


def _range_problem(
    field: str, what: str, unit: str, value: float, minimum: float, maximum: float
) -> Iterator[FieldProblem]:
    # Written so that NaN, which compares as False with everything, is out of range.
    if not minimum <= value <= maximum:
        message = (
            f"The {what} of {_number(value)}{unit} is outside "
            f"{_number(minimum)} to {_number(maximum)}{unit}."
        )
        yield FieldProblem(field, message, "out_of_range")


def _number(value: float) -> str:
    if isinstance(value, int):
        # An integer of thousands of digits cannot even be written as text.
        return f"{value:,}" if abs(value) < 10**15 else "a number beyond 10^15"
    return f"{value:g}"
