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


WHOLE_CHAT = json.dumps({"choices": [{"message": {"content": "x" * 50}}], "usage": {}}).encode()
DIALECTS: dict[str, tuple[str, str, bytes]] = {
    "ollama": ("/ollama/api/chat", NDJSON, line({"message": {"content": "x"}, "done": False})),
    "ollama, openai's api": ("/ollama/v1/chat/completions", SSE, event({"choices": [{}]})),
    "openai chat": ("/openai/v1/chat/completions", SSE, event({"choices": [{"delta": {}}]})),
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
async def breaking(sent: bytes, *, reset: bool) -> AsyncGenerator[str]:
    """A service that sends these bytes and ends the connection by FIN or by RST."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        await writer.drain()
        # The first bytes must have been passed on: a reset may overtake what is still unread.
        await passed.wait()
        if reset:
            option = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        writer.close()

    passed = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    passed.set()
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
    async with breaking(head + framed(body), reset=reset) as url:
        name = path.split("/")[1]
        upstream = Upstream(name, url, frozenset({"m"}))
        async with container(gateway, tmp_path, upstream) as inside:
            answer = await inside.ask(call + asked)
            made = await inside.reports.call()
    assert not answer.endswith(b"0\r\n\r\n")
    # A reset may come before the gateway has read a byte: then there was no answer at all.
    assert made.error in {"model.lost_mid_stream", *({"model.unreachable"} if reset else ())}
    if made.error == "model.lost_mid_stream":
        assert made.status == 200
        assert "in mid-answer" in made.message
