"""Every way in which talking to a server can fail, mapped to the one tree of errors.

Two tables: `HTTPX` for what the HTTP library raises, `BY_STATUS` for what the server answers
as `application/problem+json`. Nothing of httpx ever reaches a caller.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from seatrial.domain.errors import (
    Conflict,
    EngineUnavailable,
    FieldProblem,
    ImageUnavailable,
    InvalidRequest,
    LocalTokenNeeded,
    NoCapacity,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PackageRefused,
    PlatformError,
    PullDiskFull,
    PullFailed,
    PullInterrupted,
    PullUnknownModel,
    PullUnreachable,
    QueueFull,
    SeatrialError,
    SetupFailed,
    StoreUnavailable,
    StreamsFull,
    StreamsShareFull,
)

DEFAULT_RETRY_AFTER_SECONDS = 5
"""Taken when a 429 names no time."""


class ServerUnreachable(PlatformError):
    """No server answers at the address, or the connection to it broke."""

    code: ClassVar[str] = "platform.server_unreachable"


class BadAnswer(PlatformError):
    """The server answered something that Seatrial does not say."""

    code: ClassVar[str] = "platform.bad_answer"
    retryable: ClassVar[bool] = False


_Maker = Callable[[Exception], SeatrialError]


def _unreachable(error: Exception) -> SeatrialError:
    reason = str(error) or type(error).__name__
    return ServerUnreachable(
        f"The Seatrial server cannot be reached: {reason}",
        hint="Check that it runs (`seatrial serve`) and that its address is right.",
    )


def _not_running(socket_path: Path, error: Exception) -> SeatrialError:
    return ServerUnreachable(
        f"No Seatrial runs for the data folder {socket_path.parent}: {error}",
        hint="Start it with `seatrial serve`, or name a server: SEATRIAL_URL and SEATRIAL_TOKEN.",
    )


def _bad_answer(error: Exception) -> SeatrialError:
    return BadAnswer(
        f"The server's answer could not be read: {error}",
        hint="Check that the address is a Seatrial server's, of a version like this one.",
    )


def _bad_address(error: Exception) -> SeatrialError:
    return InvalidRequest((FieldProblem("url", str(error), "invalid_url"),))


def _defect(error: Exception) -> SeatrialError:
    return PlatformError(f"Seatrial's client misused its HTTP library: {error!r}")


HTTPX: dict[type[Exception], _Maker] = {
    httpx.HTTPError: _unreachable,
    httpx.RequestError: _unreachable,
    httpx.TransportError: _unreachable,
    httpx.TimeoutException: _unreachable,
    httpx.ConnectTimeout: _unreachable,
    httpx.ReadTimeout: _unreachable,
    httpx.WriteTimeout: _unreachable,
    httpx.PoolTimeout: _unreachable,
    httpx.NetworkError: _unreachable,
    httpx.ConnectError: _unreachable,
    httpx.ReadError: _unreachable,
    httpx.WriteError: _unreachable,
    httpx.CloseError: _unreachable,
    httpx.ProxyError: _unreachable,
    httpx.ProtocolError: _unreachable,
    httpx.RemoteProtocolError: _unreachable,
    httpx.DecodingError: _bad_answer,
    httpx.TooManyRedirects: _bad_answer,
    httpx.HTTPStatusError: _bad_answer,
    httpx.InvalidURL: _bad_address,
    httpx.UnsupportedProtocol: _bad_address,
    httpx.LocalProtocolError: _defect,
    httpx.CookieConflict: _defect,
    httpx.StreamError: _defect,
    httpx.StreamConsumed: _defect,
    httpx.StreamClosed: _defect,
    httpx.ResponseNotRead: _defect,
    httpx.RequestNotRead: _defect,
}
"""What each exception of httpx is to us. A test fails when httpx has one that is not here."""

_RAISED = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)


@contextmanager
def mapped(socket_path: Path | None = None) -> Generator[None, None, None]:
    """Run a piece of HTTP; what httpx raises in it leaves as an error of ours.

    `socket_path` is named where nothing answers behind it.
    """
    try:
        yield
    except httpx.ConnectError as error:
        raise (_not_running(socket_path, error) if socket_path else _made(error)) from error
    except _RAISED as error:
        raise _made(error) from error
    except ValidationError as error:
        raise _bad_answer(error) from error


def _made(error: Exception) -> SeatrialError:
    known = next(base for base in type(error).__mro__ if base in HTTPX)
    return HTTPX[known](error)


class _Problem(BaseModel):
    """An `application/problem+json` body (RFC 9457) with our additions; all of it optional."""

    model_config = ConfigDict(extra="ignore")

    title: str = ""
    detail: str = ""
    code: str = ""
    hint: str = ""
    errors: tuple[FieldProblem, ...] = ()
    retry_after_seconds: int | None = None


def answered(status: int, body: bytes, retry_after: str = "") -> SeatrialError:
    """The error that a response of 400 or above stands for.

    `retry_after` is the header of that name. A body that is no problem document (a proxy's
    page) still gives the error of its status.
    """
    problem = _read(body)
    message = problem.detail or problem.title or f"The server answered with status {status}."
    if status == 422 or (status == 400 and problem.errors):
        return InvalidRequest(problem.errors or (FieldProblem("request", message),))
    if status == 429 and problem.code not in BY_CODE:
        return QueueFull(message, retry_after_seconds=_seconds(retry_after, problem))
    kind = BY_CODE.get(problem.code) or BY_STATUS.get(status)
    kind = kind or (PlatformError if status >= 500 else BadAnswer)
    return kind(message, hint=problem.hint)


BY_STATUS: dict[int, type[SeatrialError]] = {
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
}
"""Statuses besides 422 and 429, which carry more than a message."""

BY_CODE: dict[str, type[SeatrialError]] = {
    kind.code: kind
    for kind in (
        EngineUnavailable,
        ImageUnavailable,
        LocalTokenNeeded,
        NoCapacity,
        PackageRefused,
        PullDiskFull,
        PullFailed,
        PullInterrupted,
        PullUnknownModel,
        PullUnreachable,
        StoreUnavailable,
        StreamsFull,
        StreamsShareFull,
        SetupFailed,
    )
}
"""Errors that the server names by their code."""


def _read(body: bytes) -> _Problem:
    try:
        return _Problem.model_validate_json(body)
    except ValidationError:
        return _Problem()


def _seconds(header: str, problem: _Problem) -> int:
    if header.isascii() and header.isdigit():
        return int(header[:9])
    return problem.retry_after_seconds or DEFAULT_RETRY_AFTER_SECONDS
