"""Answers as bytes, in the framings that more than one service uses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from aiohttp import web

SCRIPTED = {"X-Seatrial-Scripted": "yes"}
"""On every answer: it is made up."""

NOW = "2026-01-01T00:00:00Z"


def together(pieces: Sequence[bytes], opening: int) -> list[bytes]:
    """The pieces, with those that open the stream sent along with the one after them.

    So each piece shows something, and a client that reads one needs no other.
    """
    return [b"".join(pieces[: opening + 1]), *pieces[opening + 1 :]]


def json_answer(
    value: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> web.Response:
    """A JSON answer that says that it is scripted."""
    return web.json_response(value, status=status, headers={**SCRIPTED, **headers})


def ndjson(value: Mapping[str, Any]) -> bytes:
    """One line of a stream of JSON objects."""
    return json.dumps(value).encode() + b"\n"


def sse(value: Mapping[str, Any]) -> bytes:
    """One server-sent event without a name."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def named_sse(value: Mapping[str, Any]) -> bytes:
    """One server-sent event whose name is the value's type."""
    return f"event: {value['type']}\n".encode() + sse(value)
