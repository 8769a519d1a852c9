"""A test: one run of a request, with its result and what it used."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from .failures import Failure
from .phases import Outcome, Phase
from .receipts import Receipt
from .requests import TestRequest


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class WaitInterval(_Value):
    """How long a queued test will probably still wait, in seconds."""

    low_seconds: float
    high_seconds: float


NO_WORKER = "no worker is connected"
ALL_BUSY = "every slot is busy"

PUBLIC_REASONS = frozenset({"", NO_WORKER, ALL_BUSY})
"""Reasons for waiting that say nothing of the machine or of a user."""


class QueuePlace(_Value):
    """Where a queued test stands: `position` 1 is next. `reason` says why it waits."""

    position: int
    wait: WaitInterval
    reason: str = ""


class WrittenFile(_Value):
    """A regular file that the agent left in its working directory or home folder.

    `size` in bytes; `sha256` is empty for a file that was too large to read.
    """

    path: str
    size: int
    sha256: str = ""


class Result(_Value):
    """What the agent answered.

    `value` is the structured value when the agent returned one besides text. `exit_code` is
    the agent process's own; `entry_point` says what was called and how it was found.
    """

    response: str = ""
    value: Any = None
    exit_code: int | None = None
    exit_signal: int | None = None
    entry_point: str = ""
    framework: str = ""
    framework_usage: dict[str, int] = {}
    model: str | None = None
    model_fallback: bool = Field(
        default=False,
        description="True when the default model was not there and the test model ran.",
    )
    replay_of: str | None = Field(
        default=None,
        description="The test whose recording answered the model calls; null when a model did.",
    )
    files: tuple[WrittenFile, ...] = Field(
        default=(), description="What the agent wrote and left, by path; at most 200 files."
    )
    files_not_listed: int = Field(default=0, description="Files that it left besides these.")


class Durations(_Value):
    """Seconds per step of the last attempt.

    None for a step that did not happen, or whose worker was lost before it could say.
    """

    queued: float | None = None
    resolved: float | None = None
    built: float | None = None
    started: float | None = None
    first_output: float | None = None
    running: float | None = None
    cleaned: float | None = None
    total: float | None = None


class Metrics(_Value):
    """What the test used, from the container's own cgroup and from the gateway."""

    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    memory_peak_bytes: int | None = None
    memory_limit_bytes: int | None = None
    processes_peak: int | None = None
    model_calls: int = 0
    model_call_errors: int = 0
    replayed_calls: int = Field(
        default=0, description="Model calls that a recording answered: they cost nothing."
    )
    input_tokens: int = 0
    output_tokens: int = 0
    tokens_known: bool = Field(
        default=True, description="False when a call's usage was not reported by the provider."
    )
    log_bytes: int = 0
    log_dropped_bytes: int = 0
    durations: Durations = Durations()


class WebhookState(_Value):
    """How far telling the request's webhook has come.

    `waiting` for the test's end, `due` (first or again, at `next_at`), `delivered`, or `failed`:
    given up. `status` is the last answer's, `message` why the last attempt failed.
    """

    state: Literal["waiting", "due", "delivered", "failed"] = "waiting"
    attempts: int = 0
    status: int | None = None
    message: str = ""
    next_at: datetime | None = None
    delivered_at: datetime | None = None


class Test(_Value):
    """One test as its owner sees it. A projection of its journal."""

    __test__: ClassVar[bool] = False

    id: str
    owner: str = Field(exclude=True)
    name: str | None = None
    request: TestRequest
    phase: Phase
    outcome: Outcome | None = None
    attempt: int = 0
    failure: Failure | None = None
    result: Result | None = None
    metrics: Metrics | None = None
    receipt: Receipt | None = None
    retry_of: str | None = None
    webhook: WebhookState | None = None
    cancel_requested: bool = False
    queue: QueuePlace | None = None
    last_event: int = 0
    environment: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None


class TestSummary(_Value):
    """One line of the history: a test without its files, result and log."""

    __test__: ClassVar[bool] = False

    id: str
    name: str | None = None
    query: str
    model: str | None = None
    phase: Phase
    outcome: Outcome | None = None
    failure_code: str | None = None
    retry_of: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None


class TestPage(_Value):
    """A page of the history, newest first. `next_cursor` is None on the last one."""

    __test__: ClassVar[bool] = False

    tests: tuple[TestSummary, ...]
    next_cursor: str | None = None


class Completion(_Value):
    """How an attempt ends its test: written once, together with its last events."""

    outcome: Outcome
    failure: Failure | None = None
    result: Result | None = None
    metrics: Metrics | None = None
    receipt: Receipt | None = None


class Claim(_Value):
    """A test that a worker took from the queue, and the attempt number that fences its writes.

    `last_event` is the number of its journal's last event.
    """

    test_id: str
    owner: str
    attempt: int
    request: TestRequest
    last_event: int
    created_at: datetime
    retry_of: str | None = None


class Lease(_Value):
    """The state of an attempt that a worker holds, as its renewal reported it."""

    test_id: str
    attempt: int
    held: bool
    cancel_requested: bool
