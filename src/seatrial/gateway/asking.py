"""One short question to a model service over HTTP, which costs nothing there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import aiohttp
from yarl import URL

from . import blame
from .addresses import guard
from .relay import MAX_LISTING, without_secrets


@dataclass(frozen=True)
class Answer:
    """What came back. A body above the limit for listings is empty."""

    status: int
    body: bytes


class NoAnswer(Exception):
    """Nothing came back; the text says why, without any secret."""


async def ask(
    base_url: str,
    path: str,
    *,
    seconds: float,
    headers: Mapping[str, str] = MappingProxyType({}),
    json: Mapping[str, Any] | None = None,
    may_be_private: bool | None = None,
) -> Answer:
    """GET the raw path below the URL, or POST `json` to it. No redirect is followed. NoAnswer.

    `may_be_private` is that of the upstream or the provider that is asked.
    """
    timeout = aiohttp.ClientTimeout(total=seconds)
    method = "GET" if json is None else "POST"
    url = URL(base_url.rstrip("/") + path, encoded=True)
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=guard(may_be_private)),
                timeout=timeout,
                trust_env=False,
            ) as session,
            session.request(
                method, url, headers=headers, json=json, allow_redirects=False
            ) as answer,
        ):
            return Answer(answer.status, await _read_all(answer))
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise NoAnswer(blame.of_connection(error, without_secrets(base_url))) from None


async def _read_all(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MAX_LISTING:
            return b""
    return bytes(body)
