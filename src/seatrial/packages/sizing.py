"""How large a deployment has to be: from what the test used, each number with its reason. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .tested import Tested

MIB = 2**20
SERVER_MIB = 64
"""What the package's own server takes besides the agent's process."""

CONCURRENCY = 4
"""Queries that one container of `compose` or `fargate` answers at one time."""

_MARGIN = 1.5

LAMBDA_MIB, LAMBDA_SMALLEST_MIB, LAMBDA_SECONDS = 10_240, 512, 900
AGENTCORE_MIB, AGENTCORE_SECONDS = 8192, 900
FARGATE_MIB = 122_880

FARGATE: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16_385, 1024)),
    4096: tuple(range(8192, 30_721, 1024)),
    8192: tuple(range(16_384, 61_441, 4096)),
    16_384: tuple(range(32_768, FARGATE_MIB + 1, 8192)),
}
"""Memory in MiB that Fargate offers with so many CPU units (1024 are one core)."""

OLLAMA_CPU, OLLAMA_MIB = 4096, 8192
"""CPU units and MiB that an Ollama with a small model is given beside an agent."""


@dataclass(frozen=True)
class Number:
    """A number of a deployment and where it comes from."""

    value: int
    why: str


OLLAMA_DISK = Number(
    40, "Ollama's image takes about 5, a model of 8 billion parameters 5; Fargate gives 20 or more"
)
"""Disk of a task with an Ollama, in GiB."""


def peak_mib(tested: Tested) -> Number:
    """What the test's container used at its peak."""
    metrics = tested.test.metrics
    peak = metrics.memory_peak_bytes if metrics else None
    if peak is None:
        limit = tested.test.request.limits.memory_mb
        return Number(limit, f"the peak was not measured; the test's limit was {limit} MiB")
    measured = math.ceil(peak / MIB)
    return Number(measured, f"measured peak of {measured} MiB")


def needed(tested: Tested, queries: int) -> Number:
    """Memory in MiB for so many queries at one time."""
    peak = peak_mib(tested)
    value = math.ceil(peak.value * _MARGIN * queries) + SERVER_MIB
    many = f" x {queries} queries at one time" if queries > 1 else ""
    return Number(value, f"{peak.why}{many} x {_MARGIN} margin + {SERVER_MIB} for the server")


def lambda_memory(tested: Tested) -> Number:
    """Memory of the function in MiB."""
    want = needed(tested, 1)
    value = max(LAMBDA_SMALLEST_MIB, math.ceil(want.value / 64) * 64)
    least = ", at least 512: Lambda gives CPU by memory" if value > want.value else ""
    return Number(value, f"{want.why} = {want.value}{least}")


def lambda_timeout(tested: Tested) -> Number:
    """Timeout of the function in seconds."""
    asked = tested.test.request.timeout_seconds
    value = min(LAMBDA_SECONDS, asked + 30)
    return Number(value, f"the test's timeout of {asked} s + 30 s to start, at most 900 s")


def run_seconds(tested: Tested) -> float:
    """How long the tested query took."""
    metrics = tested.test.metrics
    return (metrics.wall_seconds or 0.0) if metrics else 0.0


def fargate_size(tested: Tested) -> tuple[Number, Number] | None:
    """CPU units and memory in MiB of the task; None when Fargate has nothing that large."""
    want = needed(tested, CONCURRENCY)
    metrics = tested.test.metrics
    cores = (
        (metrics.cpu_seconds or 0.0) / run_seconds(tested) if metrics and run_seconds(tested) else 0
    )
    units = math.ceil(min(cores, 1.0) * 1024)
    if (step := _fargate_step(units, want.value)) is None:
        return None
    used = f"the tested query used {cores:.2f} cores of the test's while it ran"
    return (
        Number(step[0], f"{used}; the smallest step that also has the memory"),
        Number(step[1], f"{want.why} = {want.value}, the next step that Fargate offers"),
    )


def fargate_with_ollama(tested: Tested) -> tuple[Number, Number]:
    """CPU units and memory in MiB of a task that has an Ollama beside the agent."""
    want = needed(tested, CONCURRENCY)
    step = _fargate_step(OLLAMA_CPU, min(want.value + OLLAMA_MIB, FARGATE_MIB))
    assert step is not None  # the largest one has it
    cores = f"at least {OLLAMA_CPU // 1024} cores, since the model computes on them alone"
    model = f"{OLLAMA_MIB} for a model of up to 8 billion parameters (5 GB at 4 bits)"
    return (
        Number(step[0], f"{cores}; the smallest step that also has the memory"),
        Number(step[1], f"{want.why} = {want.value}, + {model}, the next step of Fargate"),
    )


def _fargate_step(cpu: int, memory: int) -> tuple[int, int] | None:
    """The smallest CPU units and MiB on offer that have both."""
    for units, offered in FARGATE.items():
        fitting = next((size for size in offered if size >= memory), None)
        if fitting is not None and units >= cpu:
            return units, fitting
    return None


def compose_memory(tested: Tested) -> Number:
    """Memory limit of the container in MiB."""
    want = needed(tested, CONCURRENCY)
    return Number(want.value, want.why)
