"""Tests that share a credential keep its pauses together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from gateway_doors import KEY, Container, container

from seatrial.domain.door_limits import DoorLimits
from seatrial.domain.ports import Upstream
from seatrial.gateway.gateway import SocketGateway
from seatrial.testing.providers import Mode, ScriptedOpenAI

pytestmark = pytest.mark.spec("edge-4")

BODY = json.dumps({"model": "scripted", "messages": []}).encode()
CALL = (
    b"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
) + BODY


@asynccontextmanager
async def doors(
    gateway: SocketGateway,
    folder: Path,
    service: ScriptedOpenAI,
    count: int,
    *,
    seconds: float = 60,
    keys: tuple[str, ...] = (KEY,),
) -> AsyncGenerator[list[Container]]:
    """Tests with the same service; their keys in turn."""
    async with AsyncExitStack() as stack:
        made: list[Container] = []
        for number in range(count):
            key = keys[number % len(keys)]
            upstream = Upstream("openai", f"{service.url}/v1", frozenset({"scripted"}), key)
            limits = DoorLimits(seconds=seconds)
            opened = container(gateway, folder, upstream, limits=limits)
            made.append(await stack.enter_async_context(opened))
        yield made


def limit(service: ScriptedOpenAI, wait: str) -> None:
    service.mode = Mode.RATE_LIMITED
    service.error_headers = {"Retry-After": wait}


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_ten_tests_meet_a_limit_once(
    gateway: SocketGateway, tmp_path: Path, openai_service: ScriptedOpenAI
) -> None:
    limit(openai_service, "0.3")
    async with doors(gateway, tmp_path, openai_service, 10) as tests:
        first = await tests[0].ask(CALL)
        assert status(first) == 429
        assert b"Retry-After: 0.3\r\n" in first
        openai_service.mode = Mode.OK
        answers = await asyncio.gather(*(test.ask(CALL) for test in tests[1:]))
        assert [status(answer) for answer in answers] == [200] * 9
        notices = [await test.reports.notice() for test in tests[1:]]
        calls = [await test.reports.call() for test in tests]
    assert len(openai_service.requests) == 10
    assert {notice.code for notice in notices} == {"rate_limited"}
    assert (calls[0].error, calls[0].waited_seconds) == ("model.rate_limited", 0)
    assert "asks for a pause of 1 s" in calls[0].message
    assert all(call.waited_seconds > 0 and call.error is None for call in calls[1:])


async def test_another_credential_does_not_wait(
    gateway: SocketGateway, tmp_path: Path, openai_service: ScriptedOpenAI
) -> None:
    limit(openai_service, "60")
    keys = (KEY, "sk-canary-another-one")
    async with doors(gateway, tmp_path, openai_service, 2, seconds=100, keys=keys) as tests:
        assert status(await tests[0].ask(CALL)) == 429
        openai_service.mode = Mode.OK
        assert status(await tests[1].ask(CALL)) == 200


async def test_a_pause_longer_than_the_test_is_refused_and_not_waited_for(
    gateway: SocketGateway, tmp_path: Path, openai_service: ScriptedOpenAI
) -> None:
    limit(openai_service, "120")
    async with doors(gateway, tmp_path, openai_service, 2) as tests:
        assert status(await tests[0].ask(CALL)) == 429
        answer = await tests[1].ask(CALL)
        assert status(answer) == 403
        told: Any = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert "longer than this test has left" in told["error"]["message"]
        assert (await tests[1].reports.call()).error == "model.rate_limited"
    assert len(openai_service.requests) == 1


async def test_a_used_up_quota_pauses_nobody(
    gateway: SocketGateway, tmp_path: Path, openai_service: ScriptedOpenAI
) -> None:
    limit(openai_service, "50")
    openai_service.mode = Mode.QUOTA
    async with doors(gateway, tmp_path, openai_service, 2) as tests:
        for test in tests:
            assert status(await test.ask(CALL)) == 429
            assert (await test.reports.call()).error == "model.quota"


async def test_a_limit_that_names_no_time_pauses_nobody(
    gateway: SocketGateway, tmp_path: Path, openai_service: ScriptedOpenAI
) -> None:
    openai_service.mode = Mode.BUSY
    async with doors(gateway, tmp_path, openai_service, 2) as tests:
        assert [status(await test.ask(CALL)) for test in tests] == [503, 503]


async def test_an_agent_that_gives_up_while_it_waits_was_limited(
    gateway: SocketGateway, tmp_path: Path, openai_service: ScriptedOpenAI
) -> None:
    limit(openai_service, "30")
    async with doors(gateway, tmp_path, openai_service, 2) as tests:
        await tests[0].ask(CALL)
        _, writer = await tests[1].connect()
        writer.write(CALL)
        await tests[1].reports.notice()
        writer.close()
        call = await tests[1].reports.call()
    assert (call.error, call.unfinished, call.sent_bytes) == ("model.rate_limited", True, 0)
    assert "had asked for a pause" in call.message
    assert len(openai_service.requests) == 1


async def test_a_door_that_closes_ends_the_waiting(
    gateway: SocketGateway, tmp_path: Path, openai_service: ScriptedOpenAI
) -> None:
    limit(openai_service, "30")
    async with doors(gateway, tmp_path, openai_service, 2) as tests:
        await tests[0].ask(CALL)
        asking = asyncio.create_task(tests[1].ask(CALL))
        await tests[1].reports.notice()
        async with asyncio.timeout(10):
            await tests[1].door.close()
            assert await asking == b""
    assert [call.unfinished for call in tests[1].reports.calls] == [True]
