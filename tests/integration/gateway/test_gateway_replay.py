"""Recorded calls are answered again, in any order that concurrency allows; others are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import ollama
import openai
import pytest
from gateway_doors import KEY, Container, Recorded, container

from seatrial.domain.events import NoticeEvent
from seatrial.domain.ports import Upstream
from seatrial.gateway.gateway import SocketGateway
from seatrial.gateway.replay import player
from seatrial.gateway.scrub import KnownSecrets
from seatrial.testing.providers import Mode, ScriptedOllama, ScriptedOpenAI

NAMES = frozenset({"scripted", "scripted:latest"})
Open = Callable[..., AbstractAsyncContextManager[Container]]


@pytest.fixture
async def box(
    gateway: SocketGateway,
    tmp_path: Path,
    ollama_service: ScriptedOllama,
    openai_service: ScriptedOpenAI,
) -> Open:
    """Opens a container that may use both services, recorded or replayed."""
    upstreams = (
        Upstream("ollama", ollama_service.url, NAMES),
        Upstream("openai", f"{openai_service.url}/v1", NAMES, KEY),
    )

    @asynccontextmanager
    async def opened(**options: Any) -> AsyncGenerator[Container]:
        async with container(gateway, tmp_path, *upstreams, **options) as inside:
            yield inside
            await inside.door.close()

    return opened


async def chat(inside: Container, text: str, **fields: Any) -> str:
    """One call with Ollama's official client."""
    client: Any = ollama.AsyncClient(inside.ollama)
    answer = await client.chat("scripted", [{"role": "user", "content": text}], **fields)
    return answer.message.content


def client(inside: Container, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=inside.openai, api_key="dummy", **options)


def notices(inside: Container) -> list[NoticeEvent]:
    return [event for event in inside.reports.all if isinstance(event, NoticeEvent)]


async def test_a_changed_prompt_is_refused_once_and_told_with_the_difference(box: Open) -> None:
    recorded = Recorded()
    async with box(recorder=recorded) as inside:
        await chat(inside, "What is the capital of France?", options={"temperature": 0})
        await chat(inside, "And of Italy?")
    async with box(replay=recorded.replay) as inside:
        with pytest.raises(ollama.ResponseError) as caught:
            await chat(inside, "What is the capital of Spain?", options={"temperature": 0.5})
        with pytest.raises(openai.BadRequestError, match="operation: recorded"):
            await client(inside).embeddings.create(model="scripted", input="x")
    assert caught.value.status_code == 400
    first, second = notices(inside)
    assert first.code == second.code == "model.replay_differs"
    assert first.data["recorded_call"] == 1
    assert [one["field"] for one in first.data["differences"]] == [
        "messages[0].content",
        "options.temperature",
    ]
    assert "Spain" in first.data["differences"][0]["after"]
    assert 'recorded "What is the capital of France?"' in first.message
    assert first.message in caught.value.error
    assert second.data["recorded_call"] == 2
    assert [(c.error, c.status, c.replayed) for c in inside.reports.calls] == [
        ("model.replay_differs", 400, True)
    ] * 2


async def test_a_call_too_many_and_calls_that_were_not_made_are_told(box: Open) -> None:
    recorded = Recorded()
    async with box(recorder=recorded) as inside:
        await chat(inside, "one")
        await chat(inside, "two")
    async with box(replay=recorded.replay) as inside:
        await chat(inside, "one")
        with pytest.raises(ollama.ResponseError, match="two"):
            await chat(inside, "one")
        with pytest.raises(ollama.ResponseError, match="no further call"):
            await chat(inside, "three")
    async with box(replay=recorded.replay) as short:
        await chat(short, "one")
    async with box(replay=recorded.replay) as silent:
        pass
    assert [n.data for n in notices(short)] == [{"calls": [2], "count": 1}]
    assert [(n.code, n.data["calls"]) for n in notices(silent)] == [("model.replay_unused", [1, 2])]


async def test_what_was_tried_again_after_a_429_is_tried_again(
    box: Open, openai_service: ScriptedOpenAI
) -> None:
    recorded = Recorded()
    openai_service.mode = Mode.RATE_LIMITED

    async def ask(inside: Container, recording: bool) -> str | None:
        asked = asyncio.create_task(
            client(inside, max_retries=3).chat.completions.create(
                model="scripted", messages=[{"role": "user", "content": "hi"}]
            )
        )
        if recording:
            await inside.reports.call()
            openai_service.mode = Mode.OK
        return (await asked).choices[0].message.content

    async with box(recorder=recorded) as inside:
        live = await ask(inside, recording=True)
    statuses = [call.answer.status for call in recorded.calls]
    async with box(replay=recorded.replay) as inside:
        assert await ask(inside, recording=False) == live
    assert [call.status for call in inside.reports.calls] == statuses
    assert statuses[0] == 429
    assert statuses[-1] == 200
    assert notices(inside) == []


async def test_calls_in_flight_together_may_come_in_any_order(
    box: Open, ollama_service: ScriptedOllama
) -> None:
    recorded = Recorded()
    names = [f"question {number}" for number in range(6)]
    async with box(recorder=recorded) as inside:
        ollama_service.mode = Mode.GATED
        begun = [asyncio.Event() for _ in names]
        asked = [
            asyncio.create_task(chat_stream(inside, name, one))
            for name, one in zip(names, begun, strict=True)
        ]
        for one in begun:
            await one.wait()
        for _ in range(4 * len(names)):
            ollama_service.release.release()
        live = await asyncio.gather(*asked)
    async with box(replay=recorded.replay) as inside:
        again = [await chat_stream(inside, name) for name in reversed(names)]
        with pytest.raises(ollama.ResponseError):
            await chat_stream(inside, names[0])
    assert again == live
    assert [notice.code for notice in notices(inside)] == ["model.replay_differs"]


async def chat_stream(inside: Container, text: str, begun: asyncio.Event | None = None) -> str:
    """A streamed call; `begun` is set when its first piece is here."""
    client: Any = ollama.AsyncClient(inside.ollama)
    parts = await client.chat("scripted", [{"role": "user", "content": text}], stream=True)
    said = ""
    async for part in parts:
        said += part.message.content
        if begun is not None:
            begun.set()
    return said


async def test_calls_that_followed_each_other_and_come_the_other_way_round_are_told(
    box: Open,
) -> None:
    recorded = Recorded()
    async with box(recorder=recorded) as inside:
        await chat(inside, "one")
        await chat(inside, "two")
    async with box(replay=recorded.replay) as inside:
        await chat(inside, "two")
        await chat(inside, "one")
    assert [notice.code for notice in notices(inside)] == ["model.replay_order"]


async def test_metadata_and_embeddings_are_answered_too(box: Open) -> None:
    recorded = Recorded()

    async def ask(inside: Container) -> list[Any]:
        sdk, plain = client(inside), ollama.AsyncClient(inside.ollama)
        listed = [model.id async for model in sdk.models.list()]
        vector = (await sdk.embeddings.create(model="scripted", input="x")).data[0].embedding
        embedded = (await plain.embed("scripted", "y")).embeddings
        shown = (await plain.show("scripted")).details
        there = await plain.list()
        async with aiohttp.ClientSession() as session, session.head(f"{inside.ollama}/") as head:
            return [listed, vector, embedded, shown, there, head.status]

    async with box(recorder=recorded) as inside:
        live = await ask(inside)
    async with box(replay=recorded.replay) as inside:
        assert await ask(inside) == live
        # Clients ask for metadata as often as they like, and need not at all.
        assert await ollama.AsyncClient(inside.ollama).list() == live[4]
    assert notices(inside) == []


async def test_a_stream_is_recorded_in_its_pieces_and_played_so(
    box: Open, ollama_service: ScriptedOllama
) -> None:
    recorded = Recorded()
    ollama_service.mode = Mode.GATED

    async def parts(inside: Container) -> list[str]:
        client: Any = ollama.AsyncClient(inside.ollama)
        said: list[str] = []
        async for part in await client.chat("scripted", [], stream=True):
            said.append(part.message.content)
            # The next piece is made later than those that count as one.
            await asyncio.sleep(0.02)
            ollama_service.release.release()
        return said

    async with box(recorder=recorded) as inside:
        live = await parts(inside)
    [call] = recorded.calls
    assert len(call.answer.pieces) == 3
    assert call.answer.pieces[0][0] < call.answer.pieces[1][0] < call.answer.pieces[2][0]
    async with box(replay=recorded.replay) as inside:
        assert await parts(inside) == live


async def test_an_agent_that_left_is_expected_to_leave_again(
    box: Open, ollama_service: ScriptedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded()
    body = json.dumps({"model": "scripted", "messages": []}).encode()
    sent = f"POST /api/chat HTTP/1.1\r\nHost: g\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with box(recorder=recorded) as inside:
        ollama_service.mode = Mode.GATED
        reader, writer = await inside.connect()
        writer.write(sent + body)
        await reader.readuntil(b"}\n")
        writer.close()
        await ollama_service.abandoned.wait()
        await inside.reports.call()
    [call] = recorded.calls
    assert (call.answer.status, call.answer.end) == (200, "abandoned")
    async with box(replay=recorded.replay) as inside:
        reader, writer = await inside.connect()
        writer.write(sent + body)
        await reader.readuntil(b"}\n")
        writer.close()
        assert "agent closed" in (await inside.reports.call()).message
    assert notices(inside) == []

    monkeypatch.setattr(player, "PATIENCE", 0.05)
    async with box(replay=recorded.replay) as inside:
        assert b"}\n" in await inside.ask(sent + body)
        assert (await inside.reports.notice()).code == "model.replay_differs"


async def test_a_recording_that_is_too_large_says_so_and_ends(box: Open) -> None:
    recorded = Recorded(limit_bytes=6000)
    async with box(recorder=recorded) as inside:
        await chat(inside, "small")
        assert recorded.problems == []
        for _ in range(2):
            assert await chat(inside, "large " * 2000) == "Scripted answer."
        await chat(inside, "small again")
    assert [call.number for call in recorded.calls] == [1]
    assert len(recorded.problems) == 1
    assert "are kept" in recorded.problems[0]


async def test_a_service_that_is_not_there_is_not_there_again(
    gateway: SocketGateway, tmp_path: Path, box: Open
) -> None:
    recorded = Recorded()
    nowhere = Upstream("ollama", "http://127.0.0.1:9", NAMES)
    async with container(gateway, tmp_path, nowhere, recorder=recorded) as inside:
        with pytest.raises(ollama.ResponseError) as live:
            await chat(inside, "x")
    async with box(replay=recorded.replay) as inside:
        with pytest.raises(ollama.ResponseError) as again:
            await chat(inside, "x")
    assert (again.value.status_code, again.value.error) == (502, live.value.error)
    assert [call.error for call in inside.reports.calls] == ["model.unreachable"]


async def test_used_calls_are_not_used_again_by_the_next_worker(box: Open) -> None:
    recorded = Recorded()
    async with box(recorder=recorded) as inside:
        await chat(inside, "one")
        await chat(inside, "two")
    async with box(replay=replace(recorded.replay, used=frozenset({1}))) as inside:
        await chat(inside, "two")
    assert notices(inside) == []
    assert [call.recorded_call for call in inside.reports.calls] == [2]


async def test_a_secret_that_the_agent_itself_sends_is_not_kept_and_compares_all_the_same(
    gateway: SocketGateway, tmp_path: Path, ollama_service: ScriptedOllama
) -> None:
    secret = "tool-canary-8c1f5e2a9d"
    upstream, recorded = Upstream("ollama", ollama_service.url, NAMES), Recorded()
    known = KnownSecrets([secret])
    async with container(gateway, tmp_path, upstream, recorder=recorded, known=known) as inside:
        await chat(inside, f"use {secret} for it")
    assert secret not in repr(recorded.calls)
    assert secret in ollama_service.requests[0].body.decode()
    async with container(
        gateway, tmp_path, upstream, replay=recorded.replay, known=known
    ) as inside:
        await chat(inside, f"use {secret} for it")
        await inside.door.close()
    assert notices(inside) == []
