"""Model calls that the agent's own client gave up before the service had answered. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import takewhile

from .advice import SAFE_NAME
from .events import ModelCallEvent
from .failures import Failure, failure
from .record import AttemptRecord

_TIMED_OUT = re.compile(r"time[ds]?[ _-]?out|deadline", re.IGNORECASE)
_SURELY_WAITED = 1.0
"""Seconds from which calls that were given up one after another show a timeout."""
_ROUNDED = timedelta(seconds=0.5)


def given_up(record: AttemptRecord, said: str) -> Failure | None:
    """The failure of an agent whose client did not wait for the model; None where it did.

    A call that is open when an agent fails for another reason looks the same. So either the
    agent speaks of a timeout, or its last calls were given up one after another.
    """
    calls = [*takewhile(_is_given_up, reversed(record.calls))]
    if not calls or not (_TIMED_OUT.search(said) or _one_after_another(record, calls)):
        return None
    call = calls[0]
    asked, seconds = f"{call.provider}:{call.model}", _seconds(call)
    times = f" ({len(calls)} times in a row)" if len(calls) > 1 else ""
    then = f" Then the agent failed: {said[:300]}" if said else ""
    return failure(
        "agent.client_timeout",
        f"The agent's own client gave up after {seconds} s{times}, before {asked} had sent the "
        f"first byte of an answer.{then}",
        what_to_do=_advice(call, seconds),
        evidence=call.message,
        evidence_event=record.last_call_event,
    )


def _is_given_up(call: ModelCallEvent) -> bool:
    return call.unfinished and call.status is None and call.error is None


def _one_after_another(record: AttemptRecord, calls: list[ModelCallEvent]) -> bool:
    """Whether the last call began when the one before it had been given up."""
    at, before, waited = record.last_call_at, record.previous_call_at, calls[0].latency_seconds
    if len(calls) < 2 or at is None or before is None or waited < _SURELY_WAITED:
        return False
    return at - before + _ROUNDED >= timedelta(seconds=waited)


def _seconds(call: ModelCallEvent) -> str:
    return f"{call.latency_seconds:.0f}" if call.latency_seconds >= 1 else "less than 1"


def _advice(call: ModelCallEvent, seconds: str) -> str:
    above = f"Raise the timeout of the agent's client above {seconds} s"
    if call.provider != "ollama":
        return f"{above}, or find out why {call.provider} is slow."
    load = f" (`ollama run {call.model} hello`)" if SAFE_NAME.fullmatch(call.model) else ""
    return (
        f"{above}, or load the model before the test{load}: loading can take minutes, and a "
        "closed connection ends it."
    )
