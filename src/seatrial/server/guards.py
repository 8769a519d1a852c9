"""What every request passes before any route: the Host and Origin checks, headers, measuring.

The checks protect a server that trusts its machine's own user: a web page in that user's
browser must not be able to speak to it, neither by a name that it made resolve to this machine
(Host) nor by sending it a form or a request (Origin). A request with a token needs neither,
since no foreign page has the token.
"""

from __future__ import annotations

import ipaddress
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .auth import came_over_socket
from .deps import ServerDeps
from .metrics import ServerMetrics
from .problems import SECURITY_HEADERS, problem_answer

MAX_BODY_BYTES = 4_000_000
"""Room for 1 MB of code with its JSON escapes."""

_TOO_LARGE = f"The body is too large; the limit is 4 MB ({MAX_BODY_BYTES:,} bytes)."
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

    def __init__(self, app: ASGIApp, deps: ServerDeps, metrics: ServerMetrics) -> None:
        """Stands before `app`."""
        self._app = app
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
            await (refusal or self._app)(scope, _limited(receive), send_more)

    def _refusal(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        length = headers.get("content-length", "")
        if length.isdigit() and int(length[:20]) > MAX_BODY_BYTES:
            return problem_answer(413, "request.too_large", _TOO_LARGE)
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


def _limited(receive: Receive) -> Receive:
    """The same body, which is an error as soon as it is too large: its length may be a lie."""
    size = 0

    async def receive_less() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return receive_less


def _name(host: str) -> str:
    """The host without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _complete(message: Message) -> None:
    headers = MutableHeaders(raw=message["headers"])
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    message["headers"] = headers.raw
