"""What browsers are told when a page of another origin reads a test with a token for embedding.

Such a page may read an answer only if the answer names the page's origin, and that is done only
for a token that was signed here for that origin. The question that a browser asks first
(preflight) brings no token, so it is answered to every origin that announces one: this gives
nothing away, since the answer itself names no other origin.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seatrial.domain.embedding import grant_of

from .deps import ServerDeps

_READ = re.compile(r"/api/v1/tests/[A-Za-z0-9_-]{1,64}(/events)?", re.ASCII)
_BEARER = "bearer "


class Embedding:
    """Stands before the routes that such a page may read; every other request passes untouched."""

    def __init__(self, app: ASGIApp, deps: ServerDeps) -> None:
        """Stands before `app`."""
        self._app = app
        self._key = deps.webhook_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a browser's first question, or let the page read the answer if it may."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin")
        if origin is None or not _READ.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and _announces_token(headers):
            answer = Response(status_code=204, headers=_first_answer(origin))
            await answer(scope, receive, send)
        else:
            readable = scope["method"] == "GET" and self._is_for(origin, headers)
            await self._app(scope, receive, _opened(send, origin) if readable else send)

    def _is_for(self, origin: str, headers: Headers) -> bool:
        """Whether a token for pages of that origin came; also one whose time is over: it says."""
        authorization = headers.get("authorization", "")
        if not authorization.lower().startswith(_BEARER):
            return False
        grant = grant_of(self._key, authorization[len(_BEARER) :])
        return grant is not None and origin in grant.origins


def _announces_token(headers: Headers) -> bool:
    asked = headers.get("access-control-request-headers", "").lower().split(",")
    return headers.get("access-control-request-method") == "GET" and "authorization" in {
        name.strip() for name in asked
    }


def _first_answer(origin: str) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET",
        "Access-Control-Allow-Headers": "Authorization, Last-Event-ID",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }


def _opened(send: Send, origin: str) -> Send:
    """The same, with an answer that pages of the origin may read."""

    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = "Date"
            headers.add_vary_header("Origin")
            message["headers"] = headers.raw
        await send(message)

    return send_more
