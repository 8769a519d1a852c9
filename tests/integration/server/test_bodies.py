"""What of a body is read, and of whom: nothing of a stranger's, and no more than a route needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.support.loop_lag import responsive_loop

from seatrial.server import bodies, connections, create_app
from seatrial.server.bodies import MAX_BODY_BYTES, MAX_TOKENS, SMALL_BODY_BYTES, TokenCount

from .running import Running
from .test_access import BODIES, OPEN_TO_ALL, asked, operations

PIECE = b"[]," * 20_000
FOUR_MB = MAX_BODY_BYTES - MAX_BODY_BYTES % len(PIECE)


class Counted:
    """A body that knows how much of it was taken."""

    def __init__(self, size: int = FOUR_MB) -> None:
        self._size = size
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.taken < self._size:
            self.taken += len(PIECE)
            yield PIECE


def inside(server: Running) -> httpx.AsyncClient:
    """A client that speaks to the application itself, so that what it reads can be counted."""
    transport = httpx.ASGITransport(create_app(server.deps), client=("127.0.0.1", 1))
    return httpx.AsyncClient(transport=transport, base_url=server.url)


@pytest.mark.parametrize("announced", [True, False])
async def test_nothing_of_a_strangers_body_is_read_by_any_operation(
    guarded: Running, announced: bool
) -> None:
    headers = {"content-length": str(FOUR_MB)} if announced else {}
    async with guarded.client() as nobody, inside(guarded) as client:
        for method, path, _ in await operations(nobody):
            body = Counted()
            filled = path.format(name="ollama", label="none", test_id="none", target="compose")
            async with responsive_loop():
                answer = await client.request(method, filled, content=body, headers=headers)
            if not path.startswith("/api/"):
                expected = {200, 413} if path in OPEN_TO_ALL else {401, 413}
                assert answer.status_code in expected, (method, path)
                assert body.taken <= SMALL_BODY_BYTES
            else:
                assert answer.status_code == 401, (method, path)
                assert answer.json()["code"] == "not_authenticated"
                assert body.taken == 0, (method, path)


async def test_a_token_that_is_not_known_opens_no_body_either(guarded: Running) -> None:
    body = Counted()
    async with inside(guarded) as client:
        headers = {"authorization": f"Bearer st_{'x' * 43}"}
        answer = await client.post("/api/v1/tests", content=body, headers=headers)

    assert (answer.status_code, body.taken) == (401, 0)


async def test_only_routes_that_take_code_take_large_bodies(server: Running) -> None:
    code = {"validate_request", "submit_test", "retry_test"}
    async with server.client() as client:
        for method, path, operation in await operations(client):
            if operation in code:
                continue
            filled = path.format(name="ollama", label="none", test_id="none", target="compose")
            content = b'"' + b"x" * SMALL_BODY_BYTES + b'"'
            answer = await client.request(method, filled, content=content)
            assert answer.status_code == 413, (method, path)
            assert answer.json()["code"] == "request.too_large"
        assert set(BODIES) >= code
        for operation in code:
            method, path, _ = next(o for o in await operations(client) if o[2] == operation)
            answer = await asked(client, method, path, operation)
            assert answer.status_code != 413


@pytest.mark.parametrize(
    "text",
    [
        b"[" * FOUR_MB,
        b"[" + b"[]," * (FOUR_MB // 3) + b"1]",
        b"{" + b'"":1,' * (FOUR_MB // 5) + b'"a":1}',
        b'{"files":{' + b'"x":1,' * 600_000 + b'"a":1}}',
        b'"' + b'\\"' * (FOUR_MB // 2 - 10) + b'"',
        b"1" * FOUR_MB,
        b"1." + b"1" * FOUR_MB,
        b" " * FOUR_MB,
    ],
)
async def test_no_body_holds_the_loop(server: Running, text: bytes) -> None:
    async with inside(server) as client, responsive_loop():
        answer = await client.post("/api/v1/tests", content=text[:MAX_BODY_BYTES])

    assert answer.status_code in {400, 413, 422}
    assert len(answer.content) < 200_000


def pieces(text: bytes, size: int) -> list[bytes]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_tokens_are_counted_the_same_however_the_body_is_cut(size: int) -> None:
    text = rb'{"a,[": ["b\"c,", "\\", "\\\""], "d": {"e": "\\\\"}, "f": 1}'
    count = TokenCount()

    assert all(count.feed(piece) for piece in pieces(text, size))

    assert count.count == 8 + 4 + 3


def test_a_whole_code_base_has_few_tokens() -> None:
    files = ",".join(f'"{n}.py": "x = [1, 2, {{}}]\\n"' for n in range(1000))
    assert TokenCount().feed(f'{{"files": {{{files}}}}}'.encode())
    assert not TokenCount().feed(b"," * (MAX_TOKENS + 1))


async def test_a_body_that_does_not_come_is_not_waited_for(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"POST /api/v1/tests HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    writer.write(f'{head}Content-Length: 100\r\n\r\n{{"'.encode())

    answer = await asyncio.wait_for(reader.read(), 60)

    assert b" 408 " in answer
    assert b"request.timeout" in answer
    writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: local"])
async def test_a_head_that_does_not_end_is_not_waited_for(
    server: Running, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)

    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()


async def test_the_head_of_a_further_request_is_not_waited_for_either(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    whole = f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    for _ in range(2):
        writer.write(whole)
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"\r\n"), 60)
        await reader.readuntil(b"}")
    writer.write(whole[:20])

    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()
