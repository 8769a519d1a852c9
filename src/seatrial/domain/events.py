"""Events: the lines of a test's journal, numbered from 1 without gaps, append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from .failures import Failure
from .phases import Outcome, Phase
from .receipts import Receipt
from .tests import Result, WaitInterval


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True)


class PhaseEvent(_Data):
    """The test entered a phase. `outcome` comes with `completed`."""

    kind: Literal["phase"] = "phase"
    phase: Phase
    attempt: int = 0
    outcome: Outcome | None = None
    message: str = ""


class QueueEvent(_Data):
    """Position and wait of a queued test changed."""

    kind: Literal["queue"] = "queue"
    position: int
    wait: WaitInterval | None = None
    reason: str = ""


class LogEvent(_Data):
    """Output, up to 64 KB of it. `stream` tells whose.

    `text` holds whole or part lines with their line ends; bytes that are no UTF-8 stand as
    U+FFFD. It is untrusted data: control characters are in it and are escaped where it is shown.
    """

    kind: Literal["log"] = "log"
    stream: Literal["stdout", "stderr", "build", "system"]
    text: str


class ResponseEvent(_Data):
    """A piece of the response, as the agent produces it. `result` holds the whole."""

    kind: Literal["response"] = "response"
    text: str


class MetricEvent(_Data):
    """A sample of the container's cgroup."""

    kind: Literal["metric"] = "metric"
    memory_bytes: int
    memory_peak_bytes: int
    cpu_seconds: float
    processes: int


class ModelCallEvent(_Data):
    """One call through the gateway, written when it ended.

    `status` is the HTTP status that the agent got; None when the connection broke first.
    `error` names the catalogue entry that this call would be blamed on. `unfinished` says that
    the agent's side ended it before its answer was whole. `sent_bytes` and `received_bytes` are
    those of the bodies that went to the provider and came back; a call that was refused here
    sent none. `waited_seconds` is the part of the latency that the call waited, because the
    provider had asked for a pause. `replayed` tells that no model service was asked;
    `recorded_call` is the number of the call that answered it. `received_ids` are the ids in its
    answer that a later call of the test may refer to; `secret_hits` is how often a stored secret
    of the agent stood in what it sent, None where it has none.
    """

    kind: Literal["model_call"] = "model_call"
    provider: str
    model: str
    operation: str = ""
    status: int | None = None
    latency_seconds: float
    first_byte_seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    error: str | None = None
    message: str = ""
    unfinished: bool = False
    sent_bytes: int = 0
    received_bytes: int = 0
    waited_seconds: float = 0.0
    replayed: bool = False
    recorded_call: int | None = None
    received_ids: tuple[str, ...] = ()
    secret_hits: int | None = None


class NoticeEvent(_Data):
    """Something worth knowing that does not end the test.

    `data` holds what a program can use of it: the `agent.error` notice its exception, the
    `agent.exit` notice its exit code and counters, `egress_refused` its host and port, a
    `limit.*` notice what was used and what was allowed.
    """

    kind: Literal["notice"] = "notice"
    code: str
    message: str
    data: dict[str, Any] = {}


class ResultEvent(_Data):
    """The agent's answer."""

    kind: Literal["result"] = "result"
    result: Result


class FailureEvent(_Data):
    """Why the test did not succeed."""

    kind: Literal["failure"] = "failure"
    failure: Failure


class CleanupEvent(_Data):
    """What was removed after an attempt, and the attempt's receipt.

    `removed` names each part with the seconds after which it was gone, counted from the beginning
    of the clean-up; `left` those that could not be removed in time, which the reaper does later.
    A test that never had a container has neither.
    """

    kind: Literal["cleanup"] = "cleanup"
    attempt: int
    removed: dict[str, float]
    left: tuple[str, ...] = ()
    receipt: Receipt | None = None


EventData = Annotated[
    PhaseEvent
    | QueueEvent
    | LogEvent
    | ResponseEvent
    | MetricEvent
    | ModelCallEvent
    | NoticeEvent
    | ResultEvent
    | FailureEvent
    | CleanupEvent,
    Field(discriminator="kind"),
]
"""What an event says, told apart by `kind`."""

EVENT_DATA: TypeAdapter[EventData] = TypeAdapter(EventData)
"""Reads and writes the data of an event of any kind."""


class Event(BaseModel):
    """One line of the journal: its number, when it was written (UTC) and what it says."""

    model_config = ConfigDict(frozen=True)

    number: int
    at: datetime
    data: EventData


class EventPage(BaseModel):
    """A piece of a journal, in order. `complete` says that no event will ever follow it."""

    model_config = ConfigDict(frozen=True)

    events: tuple[Event, ...]
    complete: bool = False


def is_final(event: Event) -> bool:
    """Whether no event follows this one: the journal ends with the phase `completed`."""
    return isinstance(event.data, PhaseEvent) and event.data.phase is Phase.COMPLETED


def as_json(data: EventData) -> dict[str, Any]:
    """Write an event's data as plain JSON values."""
    return EVENT_DATA.dump_python(data, mode="json")
