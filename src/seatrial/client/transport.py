"""One HTTP connection pool to one server: sends, checks the status, maps every error."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from seatrial.domain.errors import FieldProblem, InvalidRequest

from .address import Address
from .errors import answered, mapped

PREFIX = "/api/v1"

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0


class Transport:
    """Sends requests to the server at a URL or behind a Unix socket.

    Raises errors of the domain tree only. Never follows a redirect: the token is for this
    server alone. Proxies of the environment are used for URLs, never for a socket.
    """

    def __init__(self, address: Address) -> None:
        """Nothing is sent yet. Raises: InvalidRequest for a URL or token that cannot be."""
        self._socket_path = address.socket_path
        token, path = address.token, address.socket_path
        headers = {"authorization": f"Bearer {_checked(token)}"} if token else {}
        through = httpx.AsyncHTTPTransport(uds=str(path)) if path else None
        with mapped():
            self._http = httpx.AsyncClient(
                base_url=address.url,
                headers=headers,
                transport=through,
                timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            )

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The body of a successful answer. Query values that are None are left out."""
        with mapped(self._socket_path):
            answer = await self._http.request(
                method, path, params=_given(query), json=json, headers=headers
            )
            if not answer.is_success:
                raise _refusal(answer, answer.content)
            return answer.content

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        headers: Mapping[str, str],
        silence_seconds: float,
        method: str = "GET",
        query: Mapping[str, str | int | None] | None = None,
        json: object = None,
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """The body of a successful answer in chunks, as they arrive.

        A connection that is silent for longer than `silence_seconds` counts as broken.
        """
        timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS, read=silence_seconds)
        with mapped(self._socket_path):
            async with self._http.stream(
                method, path, params=_given(query), json=json, headers=headers, timeout=timeout
            ) as answer:
                if not answer.is_success:
                    raise _refusal(answer, await answer.aread())
                yield answer.aiter_bytes()

    async def aclose(self) -> None:
        """Close the connections. Idempotent."""
        await self._http.aclose()


def _checked(token: str) -> str:
    if token.isascii() and token.isprintable() and " " not in token:
        return token
    problem = FieldProblem("token", "A token has visible ASCII characters only.", "invalid_token")
    raise InvalidRequest((problem,))


def _given(query: Mapping[str, str | int | None] | None) -> dict[str, str | int]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def _refusal(answer: httpx.Response, body: bytes) -> Exception:
    return answered(answer.status_code, body, answer.headers.get("retry-after", ""))
