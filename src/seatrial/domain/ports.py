"""The contracts that store, engines, environments and gateway fulfil for services and worker.

Each is a document first: what is promised, in which order, and what survives a failure. The
conformance suites in `seatrial.testing` hold every implementation to it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from .aws import AwsKeys
from .builds import Build
from .credential_ports import Credentials
from .door_limits import DoorLimits
from .engine_ports import ContainerExit as ContainerExit
from .engine_ports import ContainerInfo as ContainerInfo
from .engine_ports import ContainerLimits as ContainerLimits
from .engine_ports import ContainerSpec as ContainerSpec
from .engine_ports import Engine as Engine
from .engine_ports import EngineInfo as EngineInfo
from .engine_ports import ImageBuilder as ImageBuilder
from .engine_ports import ImageLimits as ImageLimits
from .engine_ports import Mount as Mount
from .engine_ports import Pipe as Pipe
from .engine_ports import Removed as Removed
from .engine_ports import Tmpfs as Tmpfs
from .engine_ports import VolumeInfo as VolumeInfo
from .engine_ports import VolumeMount as VolumeMount
from .events import Event, EventData, ModelCallEvent, NoticeEvent
from .packages import Packages
from .peer_ports import Peers as Peers
from .phases import Outcome
from .recording_ports import Recorder, Recordings
from .recordings import Replay
from .redaction import Known
from .requests import ModelRef, TestRequest
from .tests import Claim, Completion, Lease, Test, TestPage, WaitInterval
from .webhook_ports import Webhooks

# --------------------------------------------------------------------------- store


@dataclass(frozen=True)
class User:
    """Somebody who owns tests."""

    id: str
    name: str


@dataclass(frozen=True)
class TokenInfo:
    """An API token without the token. Times are UTC.

    `id` names it among others, `parent` is the id of the token through which it was made: None
    for one that this machine's own user made. `last_used` is exact to about a minute, None for
    never.
    """

    id: str
    user: str
    label: str
    created_at: datetime
    last_used: datetime | None = None
    parent: str | None = None


@dataclass(frozen=True)
class WorkerState:
    """What a live worker says of itself: how many tests it takes at one time, and on what.

    `engine` is in words, empty until it was seen once. `trouble` keeps it from working; without
    it a worker with slots is well.
    """

    engine: str
    slots: int
    trouble: str = ""


@dataclass(frozen=True)
class QueueState:
    """The queue as a user may see it. `slots` counts what live workers offer.

    With `own`, tests and past waits are those of one user; `slots`, `wait`, `reason` and `workers`
    are the same for all users.

    `wait` is how long a test submitted now would wait, and `reason` why; empty when it would
    not. Of the latest tests that had to wait, `waits_measured` counts those that have started and
    `waits_kept` those whose wait was within the interval that they were told at submission:
    their ratio is the interval's hit rate, which aims at 0.8. `outcomes` counts the completed
    tests that are kept, by outcome. `workers` are the live ones.
    """

    queued: int
    running: int
    slots: int
    wait: WaitInterval
    reason: str = ""
    waits_measured: int = 0
    waits_kept: int = 0
    outcomes: Mapping[Outcome, int] = field(default_factory=dict[Outcome, int])
    workers: Sequence[WorkerState] = ()
    own: bool = False


class Users(Protocol):
    """Users and their API tokens, which are stored as SHA-256 hashes only."""

    async def ensure_user(self, name: str) -> User:
        """The user of that name, made when there is none."""
        ...

    async def user_named(self, name: str) -> User | None:
        """The user of that name; None when there is none."""
        ...

    async def add_token(
        self,
        user_id: str,
        token_hash: str,
        label: str,
        *,
        parent: str | None = None,
        most: int | None = None,
    ) -> None:
        """Let the holder of the token act as the user.

        `parent` is the hash of the token that makes it, with which it ends. Raises: NotFound for
        an unknown user, NotAuthenticated for a parent that was revoked, Conflict when the user
        has `most` tokens already.
        """
        ...

    async def user_of_token(self, token_hash: str) -> User | None:
        """The user of the token, whose last use is noted about once a minute; None for none."""
        ...

    async def tokens(self, user_id: str | None = None, *, limit: int = 1000) -> Sequence[TokenInfo]:
        """The user's tokens, or every user's, by user, label and age."""
        ...

    async def remove_token(self, user_id: str, label: str) -> bool:
        """Revoke the user's tokens of that label, and all that were made through them.

        False when there was none.
        """
        ...


class Tests(Protocol):
    """Records of tests. Every call names the owner: another owner's test does not exist."""

    async def submit(
        self,
        owner: str,
        request: TestRequest,
        *,
        retry_of: str | None = None,
        idempotency_key: str | None = None,
        max_queued: int,
        max_queued_per_user: int | None = None,
    ) -> Test:
        """Queue a new test and write its first event (phase `queued`) in one transaction.

        The same owner and key within 24 hours give the test of the first call again; Conflict
        when the request differs. QueueFull when `max_queued_per_user` tests of the owner wait
        already and there is a second user, or `max_queued` tests of all users.
        """
        ...

    async def test(self, owner: str, test_id: str) -> Test:
        """The test with its queue place while queued. NotFound."""
        ...

    async def page(
        self,
        owner: str,
        *,
        cursor: str | None = None,
        limit: int = 50,
        outcome: Outcome | None = None,
        model: str | None = None,
        text: str = "",
    ) -> TestPage:
        """A keyset page, newest first. InvalidRequest for a cursor that no page gave.

        `model` is the first that a test named, or `DEFAULT_MODEL` for those that named none;
        `text` searches the beginnings of name and query, and the id, in any letter case.
        """
        ...

    async def cancel(self, owner: str, test_id: str) -> Test:
        """Ask for the test's end; a queued one is completed as cancelled at once.

        For one that is building or running, `cancel_requested` is set and its worker is told
        (subscription, lease renewal as safety net). A completed test is returned as it is.
        """
        ...

    async def delete(self, owner: str, test_id: str) -> None:
        """Remove a completed test with its journal. Conflict while it is unfinished."""
        ...

    async def clear(self, owner: str, *, before: datetime | None = None) -> int:
        """Remove the owner's completed tests that were created before; how many."""
        ...


class Journal(Protocol):
    """Reading journals."""

    async def events(
        self, owner: str, test_id: str, *, after: int = 0, limit: int = 1000
    ) -> Sequence[Event]:
        """Events numbered above `after`, in order. NotFound."""
        ...

    def changes(self, test_id: str) -> AsyncGenerator[None]:
        """Yields once at the start and then whenever the journal may have grown.

        Never misses a growth; may yield without one. Ends only when it is closed.
        """
        ...


class Queue(Protocol):
    """The worker's side: the tests table is the queue.

    Every write is fenced by the attempt number: once the attempt was given back, a newer one
    exists, or the test is completed, it raises AttemptLost and changes nothing.
    """

    async def claim(
        self, worker: str, *, lease_seconds: float, max_per_user: int, max_total: int, count: int
    ) -> Sequence[Claim]:
        """Take up to `count` tests in order of submission, skipping users at their cap.

        The attempt number rises by one, the phase becomes `building`, and that event is written.
        """
        ...

    async def renew(
        self,
        worker: str,
        held: Sequence[tuple[str, int]],
        *,
        lease_seconds: float,
        slots: int,
        trouble: str = "",
        engine: str = "",
    ) -> Sequence[Lease]:
        """Extend the leases of (test, attempt) and report each, in that order.

        Also the worker's heartbeat, with nothing held too: fresh for `lease_seconds`. `trouble`
        is what keeps it from working, as those who wait shall read it; with it, no slots. `engine`
        is what it runs them on, in words; what it once said stands until it says another.
        """
        ...

    async def append(
        self,
        test_id: str,
        attempt: int,
        events: Sequence[EventData],
        *,
        frame: int | None = None,
        after: int | None = None,
    ) -> int:
        """Add events; the number of the journal's last event.

        With `frame`, the number of the last harness frame that they came from: when the journal
        already holds that frame or a later one of the same attempt, nothing is added. With
        `after`, the number that the caller knows as the last one: a call that is repeated because
        its answer was lost adds nothing again, and when somebody else has written meanwhile the
        attempt is lost.
        """
        ...

    async def last_frame(self, test_id: str, attempt: int) -> int:
        """The last harness frame of this attempt that the journal holds, 0 for none."""
        ...

    async def start_running(
        self, test_id: str, attempt: int, *, environment: str | None, build: Build | None = None
    ) -> int:
        """Enter the phase `running` on that build, which is kept; the journal's last number.

        Again is the same.
        """
        ...

    async def complete(
        self, test_id: str, attempt: int, completion: Completion, events: Sequence[EventData]
    ) -> None:
        """Write the last events, then the final phase event, and set the outcome: once."""
        ...

    async def requeue(
        self, test_id: str, attempt: int, *, reason: str, events: Sequence[EventData] = ()
    ) -> None:
        """Give the test back to the front of the queue after a platform fault.

        One whose cancellation was requested is completed as cancelled instead.
        """
        ...

    async def expired(self, *, limit: int = 20) -> Sequence[Claim]:
        """Attempts whose lease has run out; the caller adopts, requeues or ends them."""
        ...

    async def adopt(
        self, test_id: str, attempt: int, worker: str, *, lease_seconds: float
    ) -> Claim | None:
        """Take over an attempt of a former worker of the same engine without a new number.

        None when it is no longer unfinished in that attempt. The lease need not have run out.
        """
        ...

    async def unfinished_of(self, worker: str) -> Sequence[Claim]:
        """Attempts in `building` or `running` that the worker of that name holds by the table."""
        ...

    async def state(self, owner: str | None = None) -> QueueState:
        """Counts for `GET /queue`, with an `owner` of that user's tests alone.

        Slots are those of workers whose heartbeat is fresh.
        """
        ...

    async def refresh_places(self) -> int:
        """Write a `queue` event for the first waiting tests whose place or wait changed.

        How many. A wait has changed when its end moved by more than 5 s and a quarter.
        """
        ...

    async def remove_older(self, before: datetime) -> int:
        """Remove completed tests of every owner that ended before; how many."""
        ...

    async def remove_beyond(self, size: int) -> Sequence[datetime]:
        """Remove completed tests until the others take `size` at most.

        The oldest of the owners above their share: an equal one each, in which what some leave
        is divided among the others. So one owner alone may take all of it.
        When each of them had been completed, oldest first. Sizes are in bytes of requests and
        journals; unfinished tests are never removed, nor counted.
        """
        ...

    def wakeups(self) -> AsyncGenerator[str]:
        """Yields what a worker should look at.

        "queue" when a test was submitted or a slot became free; the id of a test whose
        cancellation was requested; "tick" every few seconds as a safety net.
        """
        ...


class Store(Users, Tests, Journal, Queue, Credentials, Webhooks, Recordings, Packages, Protocol):
    """All of the database. One object per process."""

    async def open(self) -> None:
        """Connect and migrate. StoreUnavailable."""
        ...

    async def ping(self) -> None:
        """Answer when the database does. StoreUnavailable."""
        ...

    async def aclose(self) -> None:
        """Give all connections back."""
        ...


# --------------------------------------------------------------------------- gateway


@dataclass(frozen=True)
class Upstream:
    """A model service that a door may reach: its base URL and which models of it.

    `provider` is the path prefix inside the container and the kind (`ollama`, `openai`,
    `anthropic`, `bedrock`). `key` is the real credential, `credential` that of Bedrock; they
    are never shown by repr. `may_be_private` says of a user's address whether it may lead into
    a private network; None of an operator's, which may lead anywhere.
    """

    provider: str
    base_url: str
    models: frozenset[str]
    key: str | None = field(default=None, repr=False)
    credential: AwsKeys | None = field(default=None, repr=False)
    may_be_private: bool | None = None


@dataclass(frozen=True)
class DoorSpec:
    """What one container may reach. An empty one reaches nothing. `known` secrets come from none.

    Several upstreams may have one provider: a call goes to the first that has its model. With a
    `recorder` calls are recorded; with a `replay` they are answered from it alone. `allow` are the
    switches of the request, `secrets` the agent's own by variable, `received_ids` what the
    providers gave to the test before.
    `recorder` calls are recorded; with a `replay` they are answered from it alone. Connections
    that `peers` does not admit are cut unread.
    """

    test_id: str
    socket_path: str
    upstreams: tuple[Upstream, ...] = ()
    egress: frozenset[tuple[str, int]] = frozenset()
    egress_may_be_private: bool = False
    limits: DoorLimits = field(default_factory=DoorLimits)
    known: Known | None = None
    recorder: Recorder | None = None
    replay: Replay | None = None
    allow: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    received_ids: tuple[str, ...] = ()
    peers: Peers | None = None


GatewayReport = Callable[[ModelCallEvent | NoticeEvent], Awaitable[None]]
"""Told of every call when it ended and of every refusal; called in order per door."""


class Door(Protocol):
    """One container's open door."""

    @property
    def calls(self) -> Sequence[ModelCallEvent]:
        """The calls that ended so far, oldest first."""
        ...

    async def close(self) -> None:
        """Cut every connection, remove the socket. Idempotent.

        Everything that happened, calls that were cut included, is reported when it returns.
        """
        ...

    def forget(self) -> None:
        """Give up every key that it was opened with: no call gets one from here any more."""
        ...


class Gateway(Protocol):
    """The only process that holds provider keys."""

    async def open(self, spec: DoorSpec, report: GatewayReport) -> Door:
        """Listen on the socket path (mode 0666 in a folder that only the container sees)."""
        ...

    async def aclose(self) -> None:
        """Close every door."""
        ...


@dataclass(frozen=True)
class ProviderState:
    """Whether a provider can be used now, and why not. `models` as the provider lists them.

    `can_pull`: whether the caller may have it pull further models.
    """

    name: str
    reachable: bool
    reason: str = ""
    base_url: str = ""
    models: tuple[str, ...] = ()
    can_pull: bool = False


class Providers(Protocol):
    """Resolves what a request's model means here."""

    async def states(self) -> Sequence[ProviderState]:
        """Every provider that is configured, asked now (2 s at most each)."""
        ...

    async def listed(self, owner: str, provider: str, credential: str) -> ProviderState:
        """What the service of the owner's stored credential lists, asked now or a moment ago.

        Nothing secret is in it, whatever the service says. `reason` says why no model is listed.
        NotFound; SetupFailed when this process has not the key for the credential.
        """
        ...

    async def resolve(
        self, request: TestRequest, owner: str, *, test_id: str, checked: bool = True
    ) -> ResolvedModel:
        """Where the owner's request finds its model, with the owner's credential if there is one.

        `checked`: the provider is asked, at no cost there, whether the credential is taken and
        the model exists; a good answer is remembered for a short time. `test_id` names the
        session of a role that is assumed for the test. FailureError with a `model.*` entry when
        it can't be used.
        """
        ...


@dataclass(frozen=True)
class ResolvedModel:
    """The model of a test, `ref` None for none; the recording of `replay_of` answers for it."""

    ref: ModelRef | None
    upstreams: tuple[Upstream, ...]
    named_by_request: bool
    fallback: bool = False
    replay_of: str | None = None


# --------------------------------------------------------------------------- environments


@dataclass(frozen=True)
class EnvironmentRequest:
    """What an environment is made from. `owner` keeps wheels built from source apart."""

    owner: str
    requirements: str
    python: str


@dataclass(frozen=True)
class Environment:
    """A built, content-addressed tree of packages.

    `path` is the host folder, to be mounted read-only at `mount_path`, where it was compiled
    for. `python` is the interpreter to start there, as a path inside the container. An empty
    requirements file gives an environment without packages: `path` is None and `python` is
    the image's own. `from_source`: some of its packages were built from source.
    `architecture` is the engine's. `published` is the image's name by digest in its registry;
    None when it has none.
    """

    key: str
    image: str
    python: str
    lock: str
    path: str | None = None
    mount_path: str | None = None
    resolved_seconds: float = 0.0
    built_seconds: float = 0.0
    cached: bool = False
    from_source: bool = False
    architecture: str = ""
    published: str | None = None


@dataclass(frozen=True)
class EnvironmentInfo:
    """One line of `seatrial environments list`."""

    key: str
    python: str
    size_bytes: int
    packages: int
    last_used: datetime


class Environments(Protocol):
    """Resolves, builds and keeps environments. No user code runs outside a container."""

    async def prepare(
        self, request: EnvironmentRequest, log: Callable[[str], Awaitable[None]]
    ) -> Environment:
        """The environment, from the cache or built now; `log` gets the build's output.

        FailureError with a `dependencies.*` or `limit.*` entry; platform errors. Concurrent
        calls for the same inputs build once. Cancelling it stops and removes its containers.
        """
        ...

    async def entries(self, owner: str | None = None) -> Sequence[EnvironmentInfo]:
        """What is in the cache, most recently used first.

        With an `owner`, what that user's tests have used, and when these did.
        """
        ...

    async def prune(self, *, keep_bytes: int = 0) -> int:
        """Remove environments until the rest fits; bytes given back.

        The least recently used of the owners above their share first, then the others'.
        """
        ...
