"""The one tree of errors.

Every error knows its `code` (stable, dotted), `whose` fault it is and whether trying again
may help. Exceptions of libraries are mapped to this tree at the edge of the room that talks
to the library; inside, only these are raised.

    SeatrialError
    ├── InvalidRequest            user      what was submitted breaks a rule (carries FieldProblems)
    ├── NotFound                  user      no such thing, or it belongs to somebody else
    ├── Conflict                  user      the thing's state does not allow this
    │   └── PackageRefused        user      no package can be made of it (carries the reason)
    ├── NotAuthenticated          user      no token, or one that is not known
    │   ├── LocalTokenNeeded      user      the port asks for the token of this machine's own user
    │   └── TokenExpired          user      the token's time is over: a new one is needed
    ├── NotAllowed                user      the token may not do this
    ├── QueueFull                 platform  too many tests wait; come back later
    ├── PullFailed                model     Ollama did not pull a model; the hint says what to do
    │   ├── PullUnknownModel      user      its library has no such model
    │   ├── PullDiskFull          model     its disk is full
    │   ├── PullUnreachable       model     it does not answer
    │   └── PullInterrupted       model     it stopped in the middle
    ├── FailureError              (of its failure) ends a test with one entry of the catalogue
    └── PlatformError             platform
        ├── StreamsFull           platform  too many event streams are open
        │   └── StreamsShareFull  user      one user follows as many as there is room for
        ├── EngineUnavailable     platform  the container engine does not answer
        ├── EngineRefused         platform  the engine answered, but could not do it
        ├── ImageUnavailable      platform  no base image could be had
        ├── NoCapacity            platform  the engine is full (disk, memory, slots)
        ├── DoorLost              platform  the relay between a container and its gateway is gone
        ├── StoreUnavailable      platform  the database does not answer
        │   └── StoreFull         platform  the database's disk is full: nothing can be written
        ├── AttemptLost           platform  this attempt is no longer ours: stop writing
        └── SetupFailed           platform  Seatrial's own set-up is incomplete; says what to do
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from .failures import Failure

Whose = Literal["agent", "dependencies", "model", "limit", "platform", "user"]
"""Whose fault a failure is."""


@dataclass(frozen=True)
class FieldProblem:
    """One rule that a submitted field breaks.

    `line` and `column` count from 1 and point into the field's text (or the named file).
    """

    field: str
    message: str
    code: str = "invalid"
    file: str | None = None
    line: int | None = None
    column: int | None = None


class SeatrialError(Exception):
    """Something that Seatrial can name went wrong."""

    code: ClassVar[str] = "error"
    whose: ClassVar[Whose] = "platform"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        """`message` says what happened, `hint` what the reader can do about it."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidRequest(SeatrialError):
    """What was submitted breaks one or more rules."""

    code = "request.invalid"
    whose = "user"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        """`problems` is not empty and in the order in which the fields are declared."""
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in problems))
        self.problems = problems


class NotFound(SeatrialError):
    """No such thing, or it belongs to somebody else (which is not told apart)."""

    code = "not_found"
    whose = "user"


class Conflict(SeatrialError):
    """The thing's state does not allow this."""

    code = "conflict"
    whose = "user"


class PackageRefused(Conflict):
    """No package can be made of this test, or not for this target; the message says why."""

    code = "package.refused"


class NotAuthenticated(SeatrialError):
    """No token, or one that is not known."""

    code = "not_authenticated"
    whose = "user"


class LocalTokenNeeded(NotAuthenticated):
    """The port asks for the token of this machine's own user."""

    code = "local_token_needed"


class TokenExpired(NotAuthenticated):
    """The token was good, but its time is over."""

    code = "token.expired"


class NotAllowed(SeatrialError):
    """The caller is known but may not do this."""

    code = "not_allowed"
    whose = "user"


class QueueFull(SeatrialError):
    """Too many tests wait already."""

    code = "queue.full"
    whose = "platform"
    retryable = True

    def __init__(self, message: str, *, retry_after_seconds: int, or_else: str = "") -> None:
        """`retry_after_seconds` is when a place is likely to be free, `or_else` another way."""
        hint = f"Try again in {retry_after_seconds} s{f', or {or_else}' if or_else else ''}."
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class PullFailed(SeatrialError):
    """Ollama did not pull a model; the hint says what to do."""

    code = "pull.failed"
    whose = "model"


class PullUnknownModel(PullFailed):
    """Ollama's library has no such model."""

    code = "pull.unknown_model"
    whose = "user"


class PullDiskFull(PullFailed):
    """The disk on which Ollama keeps its models is full."""

    code = "pull.disk_full"


class PullUnreachable(PullFailed):
    """Ollama does not answer."""

    code = "pull.unreachable"
    retryable = True


class PullInterrupted(PullFailed):
    """Ollama stopped in the middle. It keeps what it has, so pulling again goes on there."""

    code = "pull.interrupted"
    retryable = True


class FailureError(SeatrialError):
    """Ends a test with one entry of the failure catalogue."""

    code = "failure"

    def __init__(self, failure: Failure) -> None:
        """`failure` becomes the test's failure as it is."""
        super().__init__(failure.message)
        self.failure = failure


class PlatformError(SeatrialError):
    """Seatrial or what it runs on failed, not the user's agent."""

    code = "platform.internal"
    retryable = True


class StreamsFull(SeatrialError):
    """Too many event streams are open on this server."""

    code = "streams.full"
    whose = "platform"
    retryable = True

    def __init__(self, message: str, *, hint: str = "", retry_after_seconds: int = 5) -> None:
        """`retry_after_seconds` is when to try again."""
        super().__init__(message, hint=hint or f"Try again in {retry_after_seconds} s.")
        self.retry_after_seconds = retry_after_seconds


class StreamsShareFull(StreamsFull):
    """One user follows as many event streams as the others leave room for."""

    code = "streams.share_full"
    whose = "user"


class EngineUnavailable(PlatformError):
    """The container engine does not answer."""

    code = "platform.engine_unavailable"


class EngineRefused(PlatformError):
    """The engine answered, but would not do what was asked."""

    code = "platform.internal"


class NotIsolated(PlatformError):
    """A container of this engine reaches what it must not: nothing may run in it."""

    code = "platform.not_isolated"


class LimitsNotEnforced(PlatformError):
    """The engine does not hold a container to its limits or filters no system calls."""

    code = "platform.limits_not_enforced"


class ImageUnavailable(PlatformError):
    """No base image could be had: neither pulled nor built."""

    code = "platform.image_unavailable"


class NoCapacity(PlatformError):
    """The engine is full: disk, memory or slots."""

    code = "platform.no_capacity"


class DoorLost(PlatformError):
    """The relay between a container and its gateway is gone, in the middle of its work."""

    code = "platform.door_lost"


class StoreUnavailable(PlatformError):
    """The database does not answer."""

    code = "platform.store_unavailable"


class StoreFull(StoreUnavailable):
    """The database's disk is full: reading goes on, writing waits until there is room."""

    code = "platform.no_capacity"


class AttemptLost(PlatformError):
    """This attempt is no longer ours: a newer one exists or the test has ended."""

    code = "platform.worker_lost"
    retryable = False


class SetupFailed(PlatformError):
    """Seatrial's own set-up is incomplete; the hint says what to do."""

    code = "platform.setup"
    retryable = False
