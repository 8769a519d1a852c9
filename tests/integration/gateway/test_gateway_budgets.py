"""A test's budget: what is over it is refused once, in the client's own error, and noted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from gateway_doors import Container, container

from seatrial.domain.door_limits import DoorLimits, DoorUse
from seatrial.domain.ports import Upstream
from seatrial.gateway.gateway import SocketGateway
from seatrial.testing.providers import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Mode,
    ScriptedOllama,
)

pytestmark = pytest.mark.spec("edge-6", "FR-013")

MEBIBYTE = 2**20
CHAT: dict[str, Any] = {"model": "scripted", "messages": [], "stream": False}


@asynccontextmanager
async def door(
    gateway: SocketGateway, folder: Path, service: ScriptedOllama, **limits: Any
) -> AsyncGenerator[Container]:
    upstream = Upstream("ollama", service.url, frozenset({"scripted"}))
    async with container(gateway, folder, upstream, limits=DoorLimits(**limits)) as inside:
        yield inside


async def ask(inside: Container, **changes: Any) -> tuple[int, Any]:
    """Status and body of one call."""
    body = json.dumps({**CHAT, **changes}).encode()
    head = f"POST /api/chat HTTP/1.1\r\nHost: g\r\nContent-Length: {len(body)}\r\n"
    answer = await inside.ask(f"{head}Connection: close\r\n\r\n".encode() + body)
    head_bytes, _, rest = answer.partition(b"\r\n\r\n")
    status = int(head_bytes.split(b" ")[1])
    return status, json.loads(rest) if status == 403 else rest


async def test_tokens_are_counted_and_the_call_that_crosses_the_limit_gets_its_answer(
    gateway: SocketGateway, tmp_path: Path, ollama_service: ScriptedOllama
) -> None:
    each = INPUT_TOKENS + OUTPUT_TOKENS
    async with door(gateway, tmp_path, ollama_service, tokens=each + 1) as inside:
        assert [(await ask(inside))[0] for _ in range(3)] == [200, 200, 403]
        _, told = await ask(inside)
    assert told["error"] == f"The test has used {2 * each} of the {each + 1} tokens allowed."
    assert inside.reports.calls[-1].error == "limit.model_tokens"
    assert inside.reports.calls[0].sent_bytes > 0
    assert inside.reports.calls[-1].sent_bytes == 0


async def test_a_limit_of_tokens_says_when_an_answer_does_not_tell_its_usage(
    gateway: SocketGateway, tmp_path: Path, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.ECHO
    async with door(gateway, tmp_path, ollama_service, tokens=5) as inside:
        assert (await ask(inside))[0] == 200
        assert (await inside.reports.notice()).code == "tokens_unknown"


async def test_what_a_former_worker_let_through_counts(
    gateway: SocketGateway, tmp_path: Path, ollama_service: ScriptedOllama
) -> None:
    used = DoorUse(calls=4)
    async with door(gateway, tmp_path, ollama_service, calls=5, used=used) as inside:
        assert [(await ask(inside))[0] for _ in range(2)] == [200, 403]


async def test_a_refused_call_and_metadata_are_no_model_calls(
    gateway: SocketGateway, tmp_path: Path, ollama_service: ScriptedOllama
) -> None:
    async with door(gateway, tmp_path, ollama_service, calls=1) as inside:
        assert (await ask(inside, model="other"))[0] == 403
        tags = b"GET /api/tags HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n"
        assert b" 200 " in await inside.ask(tags)
        assert [(await ask(inside))[0] for _ in range(2)] == [200, 403]


async def test_a_body_over_the_traffic_is_not_sent(
    gateway: SocketGateway, tmp_path: Path, ollama_service: ScriptedOllama
) -> None:
    async with door(gateway, tmp_path, ollama_service, bytes=MEBIBYTE) as inside:
        status, told = await ask(inside, x="y" * MEBIBYTE)
        assert (status, ollama_service.requests) == (403, [])
        assert told["error"] == "The test has used 1.0 MiB of the 1 MiB of traffic allowed."
        assert (await ask(inside))[0] == 403
    assert [call.error for call in inside.reports.calls] == ["limit.traffic"] * 2


async def test_an_answer_is_cut_where_the_traffic_ends(
    gateway: SocketGateway, tmp_path: Path, ollama_service: ScriptedOllama
) -> None:
    ollama_service.mode = Mode.ECHO
    async with door(gateway, tmp_path, ollama_service, bytes=15_000) as inside:
        _, rest = await ask(inside, x="y" * 10_000)
        assert len(rest) < 5_000
        assert (await ask(inside))[0] == 403
        call = await inside.reports.call()
    assert (call.status, call.error) == (200, "limit.traffic")


async def test_calls_over_the_number_at_one_time_wait_and_are_answered(
    gateway: SocketGateway, tmp_path: Path, ollama_service: ScriptedOllama
) -> None:
    async with door(gateway, tmp_path, ollama_service, calls_at_once=2) as inside:
        answers = await asyncio.gather(*(ask(inside) for _ in range(7)))
    assert [status for status, _ in answers] == [200] * 7
    assert ollama_service.most_at_once <= 2


async def test_a_slow_call_is_told_while_it_is_under_way(
    gateway: SocketGateway,
    tmp_path: Path,
    ollama_service: ScriptedOllama,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("seatrial.gateway.watch.SLOW_SECONDS", 0.05)
    ollama_service.mode = Mode.HANG
    async with door(gateway, tmp_path, ollama_service) as inside:
        asking = asyncio.create_task(ask(inside))
        notice = await inside.reports.notice()
        assert notice.code == "model_slow"
        assert "ollama:scripted (chat) is under way" in notice.message
        await inside.door.close()
        asking.cancel()
    assert [call.unfinished for call in inside.reports.calls] == [True]
