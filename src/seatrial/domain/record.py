"""What is known of one attempt: a fold over its journal events.

The journal is the only truth, so an attempt that another worker adopts is known completely by
reading its events again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from .door_limits import DoorUse
from .events import (
    Event,
    EventData,
    LogEvent,
    MetricEvent,
    ModelCallEvent,
    NoticeEvent,
    PhaseEvent,
    ResultEvent,
)
from .phases import Phase
from .recordings import DIFFERS
from .tests import Result, WrittenFile

ERROR = "agent.error"
EXIT = "agent.exit"
WRITTEN = "agent.files"
ENTRY = "agent.entry"
TOO_LARGE = "agent.response_too_large"
TAMPERED = "harness.report_invalid"
HOST_REFUSED = "egress_refused"
HOST_UNREACHABLE = "egress_unreachable"
HOST_USED = "egress_used"
USED_UP = ("limit.model_calls", "limit.model_tokens", "limit.traffic")
REACH_REFUSED = "reach_refused"
REACH_USED = "reach_used"
SECRET_SENT = "secret_sent"  # noqa: S105 - a notice's code
REDACTED = "secret.redacted"
SEEN = "evidence"

MAX_RECEIVED_IDS = 10_000
"""Ids that are kept of one test, the latest."""

_KEPT_BUILD_CHARACTERS = 64 * 1024


@dataclass(frozen=True)
class AgentExit:
    """How the agent's process ended, as process 1 of the container saw it."""

    code: int | None
    signal: int | None
    reason: str
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_peak_bytes: int = 0
    memory_limit_bytes: int | None = None
    processes_peak: int = 0
    oom_kills: int = 0
    process_limit_hits: int = 0
    disk_full: bool = False
    full: str = ""
    full_folder: str = ""
    used_bytes: int = 0
    used_files: int = 0
    log_bytes: int = 0
    log_dropped_bytes: int = 0


@dataclass(frozen=True)
class AgentError:
    """An exception of the agent, as its runner reported it: a claim, shown and not trusted."""

    stage: str
    type: str
    message: str
    file: str | None = None
    line: int | None = None
    module: str | None = None
    cause: str = ""
    subject: str = ""


@dataclass(frozen=True)
class RefusedHost:
    """A host that the agent tried to reach and the gateway did not let it.

    `addition` is the line of a request's `egress` that would let it, empty when none would.
    """

    name: str
    message: str
    event: int
    addition: str = ""
    port: int = 0


@dataclass(frozen=True)
class RefusedReach:
    """A call that asked for more than the test allows; `addition` is the switch that would let it.

    Empty when no switch would.
    """

    message: str
    addition: str = ""


@dataclass(frozen=True)
class UsedUp:
    """A limit of the door that was reached; `code` is its catalogue entry."""

    code: str
    message: str
    used: int
    event: int


@dataclass(frozen=True)
class AttemptRecord:
    """Everything that decides how an attempt ends. `error_event` is that notice's number.

    `redacted` are the streams and fields from which secrets were taken out. `build_tail` is the
    end of what the build said, by event; `seen_event` tells what the worker itself saw fail.
    `used_allowances` are the request's switches that a call needed, `received_ids` what later
    calls may refer to.
    """

    entry_point: str = ""
    framework: str = ""
    files: tuple[WrittenFile, ...] = ()
    files_not_listed: int = 0
    result: Result | None = None
    too_large_bytes: int | None = None
    too_large_event: int | None = None
    tampered_event: int | None = None
    error: AgentError | None = None
    error_event: int | None = None
    exit: AgentExit | None = None
    exit_event: int | None = None
    exit_at: datetime | None = None
    calls: tuple[ModelCallEvent, ...] = ()
    last_call_event: int | None = None
    last_call_at: datetime | None = None
    previous_call_at: datetime | None = None
    refused_hosts: tuple[RefusedHost, ...] = ()
    unreachable_hosts: tuple[RefusedHost, ...] = ()
    used_up: UsedUp | None = None
    tunnel_bytes: int = 0
    replay_difference: str = ""
    replay_difference_event: int | None = None
    last_metric: MetricEvent | None = None
    last_log_event: int | None = None
    last_log_line: str = ""
    last_stderr_event: int | None = None
    last_stderr_line: str = ""
    build_tail: tuple[tuple[int, str], ...] = ()
    seen_event: int | None = None
    redacted: frozenset[str] = frozenset()
    refused_reach: tuple[RefusedReach, ...] = ()
    used_allowances: frozenset[str] = frozenset()
    received_ids: tuple[str, ...] = ()

    @property
    def door_use(self) -> DoorUse:
        """What went through the attempt's door so far. A refused call sent nothing and is none."""
        sent = [call for call in self.calls if call.sent_bytes]
        return DoorUse(
            calls=len(sent),
            tokens=sum((call.input_tokens or 0) + (call.output_tokens or 0) for call in sent),
            bytes=sum(c.sent_bytes + c.received_bytes for c in sent) + self.tunnel_bytes,
        )

    def with_event(self, number: int, data: EventData, at: datetime | None = None) -> AttemptRecord:
        """The record after one more event of the same attempt, written at that time."""
        match data:
            case LogEvent(stream="stdout" | "stderr"):
                return self._with_log(number, data)
            case LogEvent(stream="build"):
                return replace(self, build_tail=_tail((*self.build_tail, (number, data.text))))
            case ModelCallEvent():
                return replace(
                    self,
                    calls=(*self.calls, data),
                    last_call_event=number,
                    last_call_at=at,
                    previous_call_at=self.last_call_at,
                    received_ids=(*self.received_ids, *data.received_ids)[-MAX_RECEIVED_IDS:],
                )
            case MetricEvent():
                return replace(self, last_metric=data)
            case ResultEvent(result=result):
                return replace(self, result=result)
            case NoticeEvent():
                return self._with_notice(number, data, at)
            case _:
                return self

    def _with_log(self, number: int, data: LogEvent) -> AttemptRecord:
        line = _last_line(data.text)
        if not line:
            return self
        if data.stream == "stderr":
            return replace(
                self,
                last_log_event=number,
                last_log_line=line,
                last_stderr_event=number,
                last_stderr_line=line,
            )
        return replace(self, last_log_event=number, last_log_line=line)

    def _with_notice(self, number: int, data: NoticeEvent, at: datetime | None) -> AttemptRecord:
        match data.code:
            case "agent.error":
                return replace(self, error=AgentError(**data.data), error_event=number)
            case "agent.exit":
                return replace(self, exit=AgentExit(**data.data), exit_event=number, exit_at=at)
            case "agent.files":
                files = tuple(WrittenFile.model_validate(one) for one in data.data["files"])
                return replace(self, files=files, files_not_listed=int(data.data["more"]))
            case "agent.entry":
                return replace(self, **_entry(data.data))
            case "harness.report_invalid":
                return replace(self, tampered_event=number)
            case "evidence":
                return replace(self, seen_event=number)
            case "secret.redacted":
                return replace(self, redacted=self.redacted | {str(data.data["place"])})
            case "agent.response_too_large":
                return replace(
                    self, too_large_bytes=int(data.data["bytes"]), too_large_event=number
                )
            case code if code == DIFFERS and self.replay_difference_event is None:
                # The first one: what the agent asks after it follows from it.
                return replace(self, replay_difference=data.message, replay_difference_event=number)
            case _:
                return self._with_notice_of_door(number, data)

    def _with_notice_of_door(self, number: int, data: NoticeEvent) -> AttemptRecord:
        details = data.data
        if data.code == HOST_REFUSED and "host" in details:
            addition = str(details.get("add_egress", ""))
            port = int(details.get("port", 0))
            host = RefusedHost(str(details["host"]), data.message, number, addition, port)
            return replace(self, refused_hosts=(*self.refused_hosts, host))
        if data.code == HOST_UNREACHABLE and "host" in details:
            host = RefusedHost(str(details["host"]), data.message, number, "", int(details["port"]))
            return replace(self, unreachable_hosts=(*self.unreachable_hosts, host))
        if data.code == HOST_USED and "bytes" in details:
            return replace(self, tunnel_bytes=self.tunnel_bytes + int(details["bytes"]))
        if data.code in {REACH_REFUSED, SECRET_SENT}:
            refused = RefusedReach(data.message, str(details.get("add_allow", "")))
            return replace(self, refused_reach=(*self.refused_reach, refused))
        if data.code == REACH_USED and "allow" in details:
            return replace(self, used_allowances=self.used_allowances | {str(details["allow"])})
        if data.code in USED_UP and self.used_up is None:
            used_up = UsedUp(data.code, data.message, int(details["used"]), number)
            return replace(self, used_up=used_up)
        return self


def record_of(events: Iterable[Event]) -> AttemptRecord:
    """Fold a journal into the record of its latest attempt."""
    record = AttemptRecord()
    for event in events:
        if isinstance(event.data, PhaseEvent) and event.data.phase is Phase.BUILDING:
            record = AttemptRecord()
        record = record.with_event(event.number, event.data, event.at)
    return record


def _entry(data: dict[str, Any]) -> dict[str, str]:
    return {"entry_point": str(data["entry_point"]), "framework": str(data["framework"])}


def _tail(pieces: tuple[tuple[int, str], ...]) -> tuple[tuple[int, str], ...]:
    """The last pieces that are not too much together; the very last one always."""
    room, first = _KEPT_BUILD_CHARACTERS, len(pieces) - 1
    room -= len(pieces[first][1])
    while first and room >= len(pieces[first - 1][1]):
        first -= 1
        room -= len(pieces[first][1])
    return pieces[first:]


def _last_line(text: str) -> str:
    stripped = text.rstrip()
    return stripped[stripped.rfind("\n") + 1 :][-500:] if stripped else ""
