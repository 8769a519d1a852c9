"""What every request passes before any route: the Host and Origin checks, headers, measuring.

The checks protect a server that trusts its machine's own user: a web page in that user's
browser must not be able to speak to it, neither by a name that it made resolve to this machine
(Host) nor by sending it a form or a request (Origin). A request with a token needs neither,
since no foreign page has the token. Nothing of a body is read before its sender is known.
"""

from __future__ import annotations

import ipaddress
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seatrial.domain.errors import SeatrialError

from .auth import Authenticator, came_over_socket
from .bodies import (
    CLOSE,
    SMALL_BODY_BYTES,
    discard_rest,
    has_body,
    limited,
    most_bytes,
    too_large,
)
from .deps import ServerDeps
from .metrics import ServerMetrics
from .problems import SECURITY_HEADERS, error_answer, problem_answer

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that is bound to that address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Guards:
    """The outermost layer of the application."""

    def __init__(
        self, app: ASGIApp, deps: ServerDeps, metrics: ServerMetrics, authenticator: Authenticator
    ) -> None:
        """Stands before `app`."""
        self._app = app
        self._authenticator = authenticator
        self._deps = deps
        self._metrics = metrics
        host = deps.settings.host
        self._hosts = {"localhost", "127.0.0.1", "[::1]", host, f"[{host}]"}
        self._checks_host = is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        began = time.perf_counter()

        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(message)
                seconds = time.perf_counter() - began
                self._metrics.answered(scope, int(message["status"]), seconds)
            await send(message)

        refusal = self._refusal(scope, headers)
        with self._deps.activity.request():
            if refusal is None and has_body(headers):
                refusal = await self._of_stranger(scope)
                if refusal is None and (refusal := _of_length(scope, headers)) is not None:
                    await discard_rest(receive, most_bytes(scope["method"], scope["path"]))
            less = limited(receive, most_bytes(scope["method"], scope["path"]))
            await (refusal or self._app)(scope, less, send_more)

    async def _of_stranger(self, scope: Scope) -> ASGIApp | None:
        """The refusal of a body whose sender is not known: nothing of it is read."""
        if not scope["path"].startswith("/api/"):
            return None
        try:
            await self._authenticator.identify_early(Request(scope))
        except SeatrialError as error:
            return _closing(error_answer(error), scope)
        return None

    def _refusal(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        if "authorization" in headers:
            return None
        host = headers.get("host", "")
        if self._checks_host and not came_over_socket(scope) and _name(host) not in self._hosts:
            detail = "This server does not answer to that host name."
            return problem_answer(421, "host_not_allowed", detail, hint="Use localhost.")
        origin = headers.get("origin")
        unsafe = scope["method"] not in _SAFE_METHODS
        if unsafe and origin is not None and urlsplit(origin).netloc != host:
            detail = "A page of another origin may not do this without a token."
            return problem_answer(403, "origin_not_allowed", detail)
        return None


def _of_length(scope: Scope, headers: Headers) -> ASGIApp | None:
    length, most = headers.get("content-length", ""), most_bytes(scope["method"], scope["path"])
    if length.isdigit() and int(length[:20]) > most:
        return problem_answer(413, "request.too_large", too_large(most), headers=CLOSE)
    return None


def _closing(answer: Response, scope: Scope) -> Response:
    """The answer to a body that is not read: the connection ends unless the body is small."""
    length = Headers(scope=scope).get("content-length", "")
    if not length.isdigit() or int(length[:20]) > SMALL_BODY_BYTES:
        answer.headers.update(CLOSE)
    return answer


def _name(host: str) -> str:
    """The host without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _complete(message: Message) -> None:
    headers = MutableHeaders(raw=message["headers"])
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    message["headers"] = headers.raw
