"""Which event of an attempt's journal proves the cause of its failure. Pure."""

from __future__ import annotations

from .events import NoticeEvent
from .failures import Failure
from .record import SEEN, AttemptRecord

_ENOUGH = 60
"""Characters of the evidence by which its event is found; later ones may stand in the next."""


def proving_event(cause: Failure, record: AttemptRecord) -> int | None:
    """The number of the event that proves the failure; None when no event does yet.

    What a build said is found again by its words: builds tell them before their cause is known.
    """
    if cause.evidence_event is not None:
        return cause.evidence_event
    if cause.whose in {"dependencies", "limit"} and record.build_tail:
        return _build_event(cause.evidence, record)
    return record.seen_event


def seen(cause: Failure) -> NoticeEvent:
    """The event for a cause that only the worker saw: a service's refusal, an engine's trouble."""
    return NoticeEvent(code=SEEN, message=cause.evidence or cause.message)


def _build_event(evidence: str, record: AttemptRecord) -> int:
    """The last piece of the build's output with these words, else its very last."""
    wanted = _words(evidence)[:_ENOUGH]
    found = [number for number, text in record.build_tail if wanted and wanted in _words(text)]
    return found[-1] if found else record.build_tail[-1][0]


def _words(text: str) -> str:
    """On one line, with one blank between words: output is broken into lines at will."""
    return " ".join(text.split())
