"""Every scenario, requirement, criterion and edge case of the specification has a test."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]

SCENARIOS = {"US1": 6, "US2": 6, "US3": 6, "US4": 6}

LATER: dict[str, str] = {}
"""Ids without a test, each with its reason. This list only ever shrinks."""


def _all_ids() -> set[str]:
    ids = {f"{story}-{n}" for story, count in SCENARIOS.items() for n in range(1, count + 1)}
    ids |= {f"FR-{n:03}" for n in range(1, 16)}
    ids |= {f"SC-{n:03}" for n in range(1, 11)}
    return ids | {f"edge-{n}" for n in range(1, 11)}


def _proven() -> set[str]:
    proven: set[str] = set()
    for file in [*TESTS.rglob("test_*.py"), *TESTS.rglob("p[0-9][0-9]_*.py")]:
        for marks in re.findall(r"mark\.spec\(([^)]*)\)", file.read_text()):
            proven |= set(re.findall(r'"([^"]+)"', marks))
    return proven


def _measured() -> set[str]:
    """Criteria that a benchmark compares with their threshold: how fast it is depends on where."""
    text = (TESTS.parent / "benchmarks" / "spec.py").read_text()
    return set(re.findall(r'found\.line\("(SC-\d{3})"', text))


def test_every_id_has_a_test_a_measurement_or_a_reason() -> None:
    assert _all_ids() - _proven() - _measured() == set(LATER)


def test_the_benchmark_names_every_criterion_and_says_which_it_does_not_measure() -> None:
    text = (TESTS.parent / "benchmarks" / "spec.py").read_text()
    criteria = {f"SC-{n:03}" for n in range(1, 11)}
    unmeasured = set(re.findall(r'unmeasured\("(SC-\d{3})"', text))
    assert _measured() | unmeasured == criteria
    assert _measured() & unmeasured == set()


def test_no_test_names_an_id_that_the_specification_does_not_have() -> None:
    assert _proven() <= _all_ids()
