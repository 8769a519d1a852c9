"""What a test's model calls were: recorded as the agent saw them, to be answered from again."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AnswerEnd = Literal["whole", "cut", "abandoned"]
"""How a recorded answer ended.

`cut`: the model service closed the connection in the middle. `abandoned`: the agent went away,
or its test ended, before the answer did.
"""

DIFFERS = "model.replay_differs"
"""The catalogue entry and the notice of a call that is not among the recorded ones."""

UNUSED = "model.replay_unused"
"""The notice of recorded calls that the agent did not make again."""

_LEVEL = 1


@dataclass(frozen=True)
class RecordedAnswer:
    """An answer as the agent got it: after the gateway had taken every secret out of it.

    `pieces` are its body in the pieces in which it was sent on, each with the milliseconds
    since the call began. `status` is None when the connection ended before the answer began.
    """

    status: int | None
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[tuple[int, bytes], ...] = ()
    end: AnswerEnd = "whole"

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return sum(len(piece) for _, piece in self.pieces)


@dataclass(frozen=True)
class RecordedCall:
    """One call that went to a model service, and its answer.

    Numbers count from 1 in the order in which the calls began. `path` is the path under the
    provider's base URL. `headers` are those of the agent's that mean something to the service;
    no credential is among them, not even the container's dummy.
    """

    number: int
    provider: str
    operation: str
    counted: bool
    model: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    answer: RecordedAnswer
    started_at: datetime
    seconds: float
    input_tokens: int | None = None
    output_tokens: int | None = None
    error: str | None = None
    message: str = ""

    @property
    def size(self) -> int:
        """Bytes of both bodies."""
        return len(self.body) + self.answer.size

    def ended_before(self, other: RecordedCall) -> bool:
        """Whether this call was over when the other began."""
        return self.started_at + timedelta(seconds=self.seconds) <= other.started_at


@dataclass(frozen=True)
class Replay:
    """What a door answers from: the recorded calls, and which of them were used already."""

    calls: tuple[RecordedCall, ...]
    used: frozenset[int] = frozenset()


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class RecordedUpstream(_Value):
    """A model service that the recorded test could use."""

    provider: str
    models: tuple[str, ...]
    region: str | None = None


class RecordingSetup(_Value):
    """Which model the recorded test ran with, so that a replay needs no provider to know it."""

    model: str | None = None
    fallback: bool = False
    upstreams: tuple[RecordedUpstream, ...] = ()


class RecordedCallInfo(_Value):
    """One recorded call without its bodies."""

    number: int
    provider: str
    operation: str
    model: str
    method: str
    path: str
    status: int | None = Field(description="HTTP status; null when the connection broke first.")
    end: AnswerEnd
    request_bytes: int
    answer_bytes: int
    pieces: int = Field(description="In how many pieces the answer came.")
    started_at: datetime
    seconds: float
    input_tokens: int | None = None
    output_tokens: int | None = None
    error: str | None = None


class RecordingInfo(_Value):
    """A test's recording: whether it can be replayed, and its calls in order.

    `problem` says why it can't be: it was cut at its limit, or its worker was lost.
    """

    test_id: str
    setup: RecordingSetup
    bytes: int
    problem: str | None = None
    calls: tuple[RecordedCallInfo, ...] = ()


def packed(call: RecordedCall) -> tuple[str, bytes]:
    """A call as it is stored: what is small as ASCII JSON, the bodies compressed together."""
    bodies = b"".join((call.body, *(piece for _, piece in call.answer.pieces)))
    return json.dumps(_facts(call)), zlib.compress(bodies, _LEVEL)


def _facts(call: RecordedCall) -> dict[str, Any]:
    return {
        "provider": call.provider,
        "operation": call.operation,
        "counted": call.counted,
        "model": call.model,
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "headers": call.headers,
        "request_bytes": len(call.body),
        "status": call.answer.status,
        "reason": call.answer.reason,
        "answer_headers": call.answer.headers,
        "pieces": [(at, len(piece)) for at, piece in call.answer.pieces],
        "end": call.answer.end,
        "started_at": call.started_at.astimezone(UTC).isoformat(),
        "seconds": call.seconds,
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "error": call.error,
        "message": call.message,
    }


def unpacked(number: int, facts_json: str, data: bytes) -> RecordedCall:
    """The call that `packed` wrote."""
    facts = json.loads(facts_json)
    bodies = zlib.decompress(data)
    at = facts["request_bytes"]
    body, pieces = bodies[:at], list[tuple[int, bytes]]()
    for milliseconds, size in facts["pieces"]:
        pieces.append((milliseconds, bodies[at : at + size]))
        at += size
    answer = RecordedAnswer(
        status=facts["status"],
        reason=facts["reason"],
        headers=_pairs(facts["answer_headers"]),
        pieces=tuple(pieces),
        end=facts["end"],
    )
    same = ("provider", "operation", "counted", "model", "method", "path", "query", "seconds")
    told = ("input_tokens", "output_tokens", "error", "message")
    return RecordedCall(
        number=number,
        headers=_pairs(facts["headers"]),
        body=body,
        answer=answer,
        started_at=datetime.fromisoformat(facts["started_at"]),
        **{name: facts[name] for name in (*same, *told)},
    )


def info_of(number: int, facts_json: str) -> RecordedCallInfo:
    """What the list shows of a stored call; its bodies need not be read for that."""
    facts = json.loads(facts_json)
    return RecordedCallInfo.model_validate(
        {
            **facts,
            "number": number,
            "answer_bytes": sum(size for _, size in facts["pieces"]),
            "pieces": len(facts["pieces"]),
        }
    )


def as_plain(call: RecordedCall) -> dict[str, Any]:
    """A whole call as plain JSON values. Bytes that are no UTF-8 stand in base64."""
    facts = _facts(call)
    answer = {
        "status": facts.pop("status"),
        "reason": facts.pop("reason"),
        "headers": facts.pop("answer_headers"),
        "end": facts.pop("end"),
        "pieces": [{"ms": at, **_text_or_base64(piece)} for at, piece in call.answer.pieces],
    }
    request = {"headers": facts.pop("headers"), **_text_or_base64(call.body)}
    for size in ("pieces", "request_bytes"):
        del facts[size]
    return {"number": call.number, **facts, "request": request, "answer": answer}


def _text_or_base64(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _pairs(items: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in items)
