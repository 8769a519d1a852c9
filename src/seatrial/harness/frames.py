"""The frames that the harness and a worker exchange: frozen values, each with a literal `kind`.

Annotations are real types here (no postponed evaluation): `protocol` builds its checks from them,
without evaluating a single string.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, Optional, Union

VERSION = 1
"""The version of the protocol; a worker refuses another."""


@dataclass(frozen=True)
class Hello:
    """First frame of every connection: with the claim once, with the session key ever after.

    `assigned` says whether an assignment was taken, so that none is sent twice.
    """

    kind: ClassVar[Literal["hello"]] = "hello"
    version: int
    claim: Optional[str]
    session: Optional[str]
    assigned: bool


@dataclass(frozen=True)
class Heartbeat:
    """Sent in both directions when nothing else was for two seconds."""

    kind: ClassVar[Literal["heartbeat"]] = "heartbeat"


@dataclass(frozen=True)
class Ready:
    """The harness stands and waits for its assignment."""

    kind: ClassVar[Literal["ready"]] = "ready"
    python: str
    architecture: str


@dataclass(frozen=True)
class Begun:
    """The child was started."""

    kind: ClassVar[Literal["begun"]] = "begun"
    pid: int


@dataclass(frozen=True)
class Entry:
    """What the runner is about to call, and how it was found. A claim of the agent's process.

    `candidates` are other names in the file that could be called.
    """

    kind: ClassVar[Literal["entry"]] = "entry"
    entry_point: str
    framework: str
    how: str
    candidates: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Log:
    """Output of the child, at most 64 KiB of it. Bytes that are no UTF-8 stand as U+FFFD."""

    kind: ClassVar[Literal["log"]] = "log"
    stream: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True)
class Response:
    """A piece of the response while it is produced. The ResultFrame holds the whole."""

    kind: ClassVar[Literal["response"]] = "response"
    text: str


@dataclass(frozen=True)
class Metric:
    """A sample of the container's own cgroup."""

    kind: ClassVar[Literal["metric"]] = "metric"
    memory_bytes: int
    memory_peak_bytes: int
    cpu_seconds: float
    processes: int


@dataclass(frozen=True)
class ResultPart:
    """The beginning of a result that one frame cannot hold.

    Parts of one field are in order, the ResultFrame follows them at once and holds the rest.
    A part is acknowledged together with that ResultFrame, not before.
    """

    kind: ClassVar[Literal["result_part"]] = "result_part"
    of: Literal["response", "value_json"]
    text: str


@dataclass(frozen=True)
class ResultFrame:
    """The agent's answer, as its own process claims it.

    `from_stdout`: the response is what the agent printed. `too_large_bytes` is the size of a
    response over the limit; the response is empty then.
    """

    kind: ClassVar[Literal["result"]] = "result"
    response: str
    value_json: Optional[str]
    usage: dict[str, int]
    too_large_bytes: Optional[int]
    from_stdout: bool = False


@dataclass(frozen=True)
class ErrorFrame:
    """An exception that nothing in the agent caught. `module` names a module that is missing.

    `cause` is a kind of cause that the runner recognized and `subject` what it is about; stage
    `exit` is an exit code of the agent's own, sent only where there is a cause.
    """

    kind: ClassVar[Literal["error"]] = "error"
    stage: Literal["load", "call", "detect", "exit"]
    type: str
    message: str
    traceback: str
    file: Optional[str]
    line: Optional[int]
    module: Optional[str]
    cause: str = ""
    subject: str = ""


@dataclass(frozen=True)
class WrittenFrame:
    """What the child left in its folders: bytes and SHA-256 of regular files, by absolute path.

    A file without a hash was too large to read. `more` files are there that are not listed.
    """

    kind: ClassVar[Literal["written"]] = "written"
    sizes: dict[str, int]
    hashes: dict[str, str]
    more: int


@dataclass(frozen=True)
class FileFrame:
    """A piece of a collected file. `name` is untrusted metadata, never a path to write to."""

    kind: ClassVar[Literal["file"]] = "file"
    name: str
    offset: int
    data_b64: str
    last: bool


@dataclass(frozen=True)
class NoticeFrame:
    """Something worth knowing that ends nothing."""

    kind: ClassVar[Literal["notice"]] = "notice"
    code: str
    message: str


@dataclass(frozen=True)
class Exit:
    """The last frame: how the child ended and what the container used.

    The fields with defaults are newer than the first of this version: what a harness that has
    been running since then leaves out is not known. `full` is what ran out of the folder
    `full_folder`, `bytes` or `files`.
    """

    kind: ClassVar[Literal["exit"]] = "exit"
    code: Optional[int]
    signal: Optional[int]
    reason: Literal["exited", "deadline", "cancelled", "orphaned", "not_started"]
    wall_seconds: float
    cpu_seconds: float
    memory_peak_bytes: int
    memory_limit_bytes: Optional[int]
    processes_peak: int
    oom_kills: int
    process_limit_hits: int
    disk_full: bool
    log_bytes: int
    log_dropped_bytes: int
    left_processes: int
    message: str
    full: str = ""
    full_folder: str = ""
    used_bytes: int = 0
    used_files: int = 0


@dataclass(frozen=True)
class Welcome:
    """The claim or session was taken. `acked` is the last frame that the journal holds."""

    kind: ClassVar[Literal["welcome"]] = "welcome"
    session: Optional[str]
    acked: int


@dataclass(frozen=True)
class Refused:
    """The claim or session is not valid (any more)."""

    kind: ClassVar[Literal["refused"]] = "refused"
    reason: str


@dataclass(frozen=True)
class Assign:
    """What to run, with everything it needs. Sizes in bytes, times in seconds.

    `files` are texts by relative path, written below `/agent`. Mode `agent` runs the runner with
    the interpreter `python`, mode `command` runs `argv`. `collect` are absolute glob patterns of
    files to send after the end. `uid` 0 is allowed for commands only. `secrets` are variables for
    the agent's own process, which it sets itself: no environment that the kernel shows holds them.
    """

    kind: ClassVar[Literal["assign"]] = "assign"
    mode: Literal["agent", "command"]
    argv: list[str]
    files: dict[str, str]
    entry_point: Optional[str]
    query: str
    env: dict[str, str]
    uid: int
    python: str
    deadline_seconds: float
    log_bytes: int
    response_bytes: int
    collect: list[str] = field(default_factory=list[str])
    grace_seconds: float = 2.0
    orphan_seconds: float = 10.0
    workdir: str = "/agent"
    secrets: dict[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True)
class Ack:
    """Every frame up to and with number `n` is committed."""

    kind: ClassVar[Literal["ack"]] = "ack"
    n: int


@dataclass(frozen=True)
class Cancel:
    """End the child: a request first, after `grace_seconds` by force. Idempotent."""

    kind: ClassVar[Literal["cancel"]] = "cancel"
    grace_seconds: float


Numbered = Union[
    Ready,
    Begun,
    Entry,
    Log,
    Response,
    Metric,
    ResultPart,
    ResultFrame,
    ErrorFrame,
    FileFrame,
    WrittenFrame,
    NoticeFrame,
    Exit,
]
"""Frames of the harness that carry a number: from 1, without gaps, per container."""

FromHarness = Union[Hello, Heartbeat, Numbered]
FromWorker = Union[Welcome, Refused, Assign, Ack, Cancel, Heartbeat]
Report = Union[Entry, Response, ResultPart, ResultFrame, ErrorFrame]
"""Frames that the runner may send to the supervisor."""

Frame = Union[FromHarness, FromWorker]

NUMBERED: tuple[type[Frame], ...] = (
    Ready,
    Begun,
    Entry,
    Log,
    Response,
    Metric,
    ResultPart,
    ResultFrame,
    ErrorFrame,
    FileFrame,
    WrittenFrame,
    NoticeFrame,
    Exit,
)
HARNESS_KINDS: tuple[type[Frame], ...] = (Hello, Heartbeat, *NUMBERED)
WORKER_KINDS: tuple[type[Frame], ...] = (Welcome, Refused, Assign, Ack, Cancel, Heartbeat)
REPORT_KINDS: tuple[type[Frame], ...] = (Entry, Response, ResultPart, ResultFrame, ErrorFrame)
