"""The end of a test in one view, and exit codes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from seatrial.cli import exits
from seatrial.cli.lines import text_of
from seatrial.cli.summary import next_steps, panels
from seatrial.domain.errors import (
    Conflict,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    PlatformError,
    QueueFull,
    SeatrialError,
)
from seatrial.domain.failures import CATALOGUE, failure
from seatrial.domain.tests import Test

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _test(**fields: Any) -> Test:
    given = {
        "id": "t1",
        "owner": "",
        "request": {"files": {"agent.py": ""}, "query": "the question", "model": "ollama:m"},
        "phase": "completed",
        "outcome": "succeeded",
        "created_at": _NOW,
        **fields,
    }
    return Test.model_validate(given)


def _shown(test: Test) -> str:
    shown = [text for p in panels(test) for text in (p.title, *(text_of(one) for one in p.lines))]
    return "\n".join(shown)


def test_a_success_shows_answer_times_use_model_and_calls() -> None:
    shown = _shown(
        _test(
            result={
                "response": "forty\ntwo\n",
                "value": {"n": 42},
                "entry_point": "agent.py:run",
                "framework": "strands",
                "model": "testmodel:x",
                "model_fallback": True,
            },
            metrics={
                "cpu_seconds": 0.5,
                "memory_peak_bytes": 64 * 1024 * 1024,
                "memory_limit_bytes": 512 * 1024 * 1024,
                "processes_peak": 3,
                "model_calls": 2,
                "model_call_errors": 1,
                "input_tokens": 1200,
                "output_tokens": 34,
                "tokens_known": False,
                "log_dropped_bytes": 5000,
                "durations": {"queued": 0.1, "first_output": 0.25, "total": 3.0},
            },
        )
    )
    for text in (
        "succeeded · t1",
        "forty\ntwo",
        '{"n": 42}',
        "queued 0.1 s · first output 0.2 s · total 3.0 s",
        "memory 64 of 512 MiB · CPU 0.50 s · processes 3 · 5,000 bytes of log dropped",
        "testmodel:x",
        "test model stood in",
        "2, 1 failed · tokens at least 1,200 in, 34 out",
        "agent.py:run (strands)",
    ):
        assert text in shown


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_failure_says_whose_what_proof_and_what_to_do(code: str) -> None:
    one = failure(code, "It broke.", evidence="line 1\nline 2", evidence_event=7, incident="i9")
    shown = _shown(_test(outcome="failed", failure=one))
    for text in (one.title, code, "It broke.", "line 1", "line 2", "event 7", one.what_to_do, "i9"):
        assert text in shown


def test_a_fix_is_shown_as_something_to_type_and_quoted() -> None:
    fix = failure("agent.import_error", fix={"add_requirement": "a; rm -rf /"})
    assert "printf '\\n%s\\n' 'a; rm -rf /' >> requirements.txt" in _shown(
        _test(outcome="failed", failure=fix)
    )
    fix = failure("limit.memory", fix={"memory_mb": 1024})
    assert "--memory 1024" in _shown(_test(outcome="failed", failure=fix))
    fix = failure("agent.host_not_allowed", fix={"add_egress": "api.example.com:443"})
    assert "--egress api.example.com:443" in _shown(_test(outcome="failed", failure=fix))
    fix = failure("limit.model_tokens", fix={"model_tokens": 2000})
    assert "--model-tokens 2000" in _shown(_test(outcome="failed", failure=fix))


def test_a_waiting_test_shows_its_place_and_how_to_follow_it() -> None:
    queue = {"position": 3, "wait": {"low_seconds": 0, "high_seconds": 9}}
    shown = _shown(_test(phase="queued", outcome=None, queue=queue, cancel_requested=True))
    for text in ("place 3, starts within 9 s", "being stopped", "seatrial tests logs -f t1"):
        assert text in shown


def test_a_test_with_nothing_to_tell_is_still_shown() -> None:
    assert "cancelled · t1" in _shown(_test(outcome="cancelled"))


def test_the_next_steps_are_commands_with_the_tests_id() -> None:
    green, failed = (
        [text_of(one).strip() for one in next_steps(_test(outcome=outcome))]
        for outcome in ("succeeded", "failed")
    )
    assert green == [
        "Next  seatrial tests show t1",
        "seatrial tests logs t1",
        "Package it: seatrial package t1",
        "Run it again: seatrial tests retry t1 --query TEXT",
    ]
    assert not any("package" in step for step in failed)
    assert len(failed) == 3


@pytest.mark.spec("FR-013")
@pytest.mark.parametrize(
    ("outcome", "code", "wanted"),
    [
        ("succeeded", None, 0),
        ("failed", "agent.exception", 1),
        ("failed", "model.unreachable", 1),
        ("failed", "platform.worker_lost", 3),
        ("timed_out", "limit.timeout", 124),
        ("cancelled", None, 130),
    ],
)
def test_the_exit_code_tells_how_it_ended(outcome: str, code: str | None, wanted: int) -> None:
    assert exits.of_test(_test(outcome=outcome, failure=failure(code) if code else None)) == wanted


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (InvalidRequest(()), 2),
        (NotFound(""), 2),
        (Conflict(""), 2),
        (NotAuthenticated(""), 2),
        (QueueFull("", retry_after_seconds=1), 3),
        (PlatformError(""), 3),
    ],
)
def test_the_exit_code_tells_whose_an_error_is(error: SeatrialError, wanted: int) -> None:
    assert exits.of_error(error) == wanted
