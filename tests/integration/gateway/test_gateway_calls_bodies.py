"""What an agent sends through its door costs neither the event loop nor the memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from gateway_doors import Container, container
from tests.support.loop_lag import responsive_loop

from seatrial.domain.door_limits import DoorLimits
from seatrial.domain.ports import Upstream
from seatrial.gateway import door as door_module
from seatrial.gateway import front, intake
from seatrial.gateway.bodies import Turns, Visit
from seatrial.gateway.gateway import SocketGateway
from seatrial.gateway.intake import BodyMemory
from seatrial.testing.providers import ScriptedOllama, ScriptedOpenAI

MIB = 2**20
CHAT = "/openai/v1/chat/completions"
BODY = b'{"model":"scripted","messages":[]}'


def bomb(piece: bytes) -> bytes:
    return b'{"model":"other","x":[' + piece * (31 * MIB // len(piece)) + b"1]}"


BOMBS: Mapping[str, Callable[[], bytes]] = {
    "lists": lambda: bomb(b"[],"),
    "objects": lambda: bomb(b"{},"),
    "strings": lambda: bomb(b'"",'),
    "depth": lambda: b'{"model":"other","x":' + b"[" * (31 * MIB),
    "digits": lambda: bomb(b"9" * MIB + b","),
    "escapes": lambda: b'{"model":"other","x":"' + b'\\"' * (15 * MIB) + b'"}',
    "names": lambda: b'{"model":"other"' + b',"model":1' * (3 * MIB) + b"}",
}


def head(length: int | None = None, *lines: str, path: str = CHAT, method: str = "POST") -> bytes:
    size = [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: g", *size, *lines, "", ""]).encode()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


@asynccontextmanager
async def opened(
    gateway: SocketGateway, folder: Path, *services: ScriptedOpenAI, traffic: int = 0
) -> AsyncGenerator[Container]:
    upstreams = [
        Upstream("openai", f"{service.url}/v1", frozenset({"scripted"}), "sk-key-of-a-test")
        for service in services
    ]
    async with container(gateway, folder, *upstreams, limits=DoorLimits(bytes=traffic)) as inside:
        yield inside


@pytest.mark.parametrize(
    ("name", "with_model"), [*((name, True) for name in BOMBS), ("lists", False)]
)
async def test_no_body_stops_the_loop(
    gateway: SocketGateway,
    tmp_path: Path,
    openai_service: ScriptedOpenAI,
    name: str,
    with_model: bool,
) -> None:
    services = [openai_service] * 3 if with_model else []
    body = BOMBS[name]()
    async with opened(gateway, tmp_path, *services) as inside, responsive_loop():
        answer = await inside.ask(head(len(body), "Connection: close") + body)
    assert status(answer) in {400, 403}
    assert not openai_service.requests


async def test_a_body_is_read_once_however_many_models_are_offered(
    gateway: SocketGateway,
    tmp_path: Path,
    openai_service: ScriptedOpenAI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []
    visit = Turns.visit

    async def counted(turns: Turns, body: bytes, visitor: Visit) -> None:
        read.append(len(body))
        await visit(turns, body, visitor)

    monkeypatch.setattr(Turns, "visit", counted)
    body = b'{"model":"another"}'
    async with opened(gateway, tmp_path, *[openai_service] * 5) as inside:
        assert status(await inside.ask(head(len(body), "Connection: close") + body)) == 403
    assert read == [len(body)]


async def test_what_is_refused_counts_towards_the_traffic(
    gateway: SocketGateway, tmp_path: Path, openai_service: ScriptedOpenAI
) -> None:
    body = json.dumps({"model": "other", "x": "y" * MIB}).encode()
    async with opened(gateway, tmp_path, openai_service, traffic=3 * MIB) as inside:
        for _ in range(3):
            assert status(await inside.ask(head(len(body), "Connection: close") + body)) == 403
        answer = await inside.ask(head(len(BODY), "Connection: close") + BODY)
        assert b"traffic" in answer
        assert (await inside.reports.notice()).code == "limit.traffic"
    assert not openai_service.requests


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Content-Type: application/json"], 200),
        (['Content-Type: application/json; charset="UTF-8"'], 200),
        (["Content-Type: application/x-www-form-urlencoded"], 200),
        ([], 200),
        (["Content-Encoding: identity"], 200),
        (["Content-Type: application/json; charset=utf-7"], 415),
        (["Content-Type: application/json; charset=utf-8; charset=utf-16"], 415),
        (["Content-Type: application/json;CHARSET = utf-16"], 415),
        (["Content-Type: application/json", "Content-Type: text/plain; charset=utf-7"], 400),
        (["Content-Encoding: identity", "Content-Encoding: gzip"], 400),
        (["Content-Encoding: identity, gzip"], 415),
        (["Content-Encoding: br"], 415),
        (["Content-Length: 1"], 400),
        (["Transfer-Encoding: chunked"], 400),
        (["Host: h"], 400),
    ],
)
async def test_the_service_reads_the_body_that_was_checked(
    gateway: SocketGateway,
    tmp_path: Path,
    openai_service: ScriptedOpenAI,
    lines: list[str],
    expected: int,
) -> None:
    async with opened(gateway, tmp_path, openai_service) as inside:
        answer = await inside.ask(head(len(BODY), *lines, "Connection: close") + BODY)
    assert status(answer) == expected
    sent = openai_service.requests
    if expected == 200:
        assert sent[0].headers["Content-Type"] == "application/json"
        assert "Content-Encoding" not in sent[0].headers
    else:
        assert not sent


async def test_a_question_without_a_body_takes_none_along(
    gateway: SocketGateway, tmp_path: Path, openai_service: ScriptedOpenAI
) -> None:
    ask = head(len(BODY), "Connection: close", path="/openai/v1/models", method="GET") + BODY
    async with opened(gateway, tmp_path, openai_service) as inside:
        assert status(await inside.ask(ask)) == 400
    assert not openai_service.requests


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n", head(10)[:-2], b"POST /o", b"CONNECT x:443"])
async def test_a_head_that_does_not_end_is_cut(
    gateway: SocketGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(front, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr("seatrial.gateway.egress.HEAD_SECONDS", 0.3)
    async with opened(gateway, tmp_path) as inside:
        assert await inside.ask(sent) == b""  # `ask` gives up after 10 s


async def test_a_body_that_stands_still_is_refused(
    gateway: SocketGateway,
    tmp_path: Path,
    openai_service: ScriptedOpenAI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "STALL_SECONDS", 0.3)
    async with opened(gateway, tmp_path, openai_service) as inside:
        answer = await inside.ask(head(100, "Connection: close") + BODY)
    assert status(answer) == 400
    assert b"in time" in answer


async def test_a_body_that_trickles_is_refused(
    gateway: SocketGateway,
    tmp_path: Path,
    openai_service: ScriptedOpenAI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "BODY_SECONDS", 0.5)
    async with opened(gateway, tmp_path, openai_service) as inside:
        reader, writer = await inside.connect()
        writer.write(head(100_000))
        answer = asyncio.create_task(reader.readuntil(b"\r\n"))
        async with asyncio.timeout(10):
            while not answer.done():
                writer.write(b" ")
                await asyncio.sleep(0.05)
        assert status(await answer) == 400
        writer.close()


async def test_an_idle_connection_is_closed(
    gateway: SocketGateway,
    tmp_path: Path,
    openai_service: ScriptedOpenAI,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door_module, "IDLE_SECONDS", 0.3)
    async with opened(gateway, tmp_path, openai_service) as inside:
        answer = await inside.ask(head(len(BODY)) + BODY + b"POST /half")
    assert status(answer) == 200


async def test_a_door_takes_so_many_connections_and_no_more(
    gateway: SocketGateway, tmp_path: Path, openai_service: ScriptedOpenAI
) -> None:
    async with opened(gateway, tmp_path, openai_service) as inside:
        many = [await inside.connect() for _ in range(front.MAX_CONNECTIONS)]
        assert await inside.ask(head(len(BODY), "Connection: close") + BODY) == b""
        for _, writer in many:
            writer.close()
            await writer.wait_closed()
        async with asyncio.timeout(10):
            while not await inside.ask(head(len(BODY), "Connection: close") + BODY):
                pass


async def test_bodies_wait_for_memory_in_their_order() -> None:
    memory, order = BodyMemory(10), list[int]()

    async def hold(size: int) -> None:
        await memory.take(size)
        order.append(size)

    await hold(8)
    waiting = [asyncio.create_task(hold(size)) for size in (9, 3, 1)]
    await asyncio.sleep(0)
    assert order == [8]
    waiting[0].cancel()
    await asyncio.wait(waiting[:1])
    memory.give(2)
    await asyncio.gather(*waiting[1:])
    assert order == [8, 3, 1]
    memory.give(10)
    await hold(10)


async def test_a_cancelled_wait_gives_back_what_it_was_just_given() -> None:
    memory = BodyMemory(10)
    await memory.take(10)
    waiting = asyncio.create_task(memory.take(5))
    await asyncio.sleep(0)
    memory.give(10)
    waiting.cancel()
    await asyncio.wait([waiting])
    async with asyncio.timeout(5):
        await memory.take(10)


async def test_images_of_the_full_size_pass(
    gateway: SocketGateway, tmp_path: Path, ollama_service: ScriptedOllama
) -> None:
    image = "A" * (31 * MIB)
    body = json.dumps({"model": "scripted", "messages": [{"images": [image]}], "stream": False})
    upstream = Upstream("ollama", ollama_service.url, frozenset({"scripted"}))
    async with container(gateway, tmp_path, upstream) as inside:
        answers = await asyncio.gather(
            *[
                inside.ask(
                    head(len(body), "Connection: close", path="/ollama/api/chat") + body.encode()
                )
                for _ in range(2)
            ]
        )
    assert [status(answer) for answer in answers] == [200] * 2
