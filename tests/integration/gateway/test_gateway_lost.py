"""An answer that broke off never looks whole, however its service framed and ended it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from gateway_doors import container

from seatrial.domain.ports import Upstream
from seatrial.gateway.gateway import SocketGateway

pytestmark = pytest.mark.spec("edge-7", "FR-013")

JSON, NDJSON, SSE = "application/json", "application/x-ndjson", "text/event-stream"


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def line(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"


CHUNK = {"choices": [{"delta": {"content": "x"}}]}
WHOLE_CHAT = json.dumps({"choices": [{"message": {"content": "x" * 50}}], "usage": None}).encode()
DIALECTS: dict[str, tuple[str, str, bytes]] = {
    "ollama": ("/ollama/api/chat", NDJSON, line({"message": {"content": "x"}, "done": False})),
    "ollama, openai's api": (
        "/ollama/v1/chat/completions",
        SSE,
        event(CHUNK),
    ),
    "openai chat": (
        "/openai/v1/chat/completions",
        SSE,
        event(CHUNK),
    ),
    "openai responses": ("/openai/v1/responses", SSE, event({"type": "response.created"})),
    "anthropic": ("/anthropic/v1/messages", SSE, event({"type": "message_start"})),
    "openai whole": ("/openai/v1/chat/completions", JSON, WHOLE_CHAT[:40]),
    "ollama whole": ("/ollama/api/chat", JSON, b'{"message": {"content": "x'),
}


def by_length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % (len(body) + 100) + body


def in_chunks(body: bytes) -> bytes:
    return b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)


def to_the_end(body: bytes) -> bytes:
    return b"Connection: close\r\n\r\n" + body


@asynccontextmanager
async def breaking(sent: bytes, go: asyncio.Event, *, reset: bool) -> AsyncGenerator[str]:
    """A service that sends these bytes and, when it may, ends the connection by FIN or by RST."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        await writer.drain()
        await go.wait()
        if reset:
            option = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize("framed", [by_length, in_chunks, to_the_end])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_lost_answer_is_named_and_not_ended_for_the_agent(
    gateway: SocketGateway,
    tmp_path: Path,
    dialect: str,
    framed: Callable[[bytes], bytes],
    reset: bool,
) -> None:
    path, kind, body = DIALECTS[dialect]
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n".encode()
    asked = json.dumps({"model": "m", "messages": []}).encode()
    call = f"POST {path} HTTP/1.1\r\nHost: g\r\nContent-Length: {len(asked)}\r\n\r\n".encode()
    go = asyncio.Event()
    async with breaking(head + framed(body), go, reset=reset) as url:
        name = path.split("/")[1]
        upstream = Upstream(name, url, frozenset({"m"}))
        async with container(gateway, tmp_path, upstream) as inside:
            reader, writer = await inside.connect()
            writer.write(call + asked)
            async with asyncio.timeout(10):
                await reader.readuntil(body[:4])
                go.set()  # a reset may overtake what is not read yet, so not before
                rest = await reader.read(-1)
            writer.close()
            made = await inside.reports.call()
    assert not rest.endswith(b"0\r\n\r\n")
    assert (made.status, made.error) == (200, "model.lost_mid_stream")
    assert "in mid-answer" in made.message
