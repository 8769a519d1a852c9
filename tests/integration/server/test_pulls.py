"""`POST /providers/ollama/models`: who may, which names, and how it is told."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio

from seatrial.gateway import OllamaPulls
from seatrial.settings import Settings
from seatrial.store import SqlStore
from seatrial.testing.providers import Mode, ScriptedOllama

from .running import Running, running
from .test_problems import checked

MODELS = "/api/v1/providers/ollama/models"
ORDER = {"model": "pullable"}

pytestmark = pytest.mark.timeout(60)


@pytest_asyncio.fixture
async def service() -> AsyncGenerator[ScriptedOllama]:
    async with ScriptedOllama() as service:
        yield service


@asynccontextmanager
async def serving(
    store: SqlStore, folder: Path, service: ScriptedOllama, pull: bool | None, **changes: Any
) -> AsyncGenerator[Running]:
    """A server whose operator has said this about pulling."""
    settings = Settings(data_dir=folder, port=0, ollama_url=service.url, ollama_pull=pull)
    more = {"settings": settings, "pulls": OllamaPulls(settings), **changes}
    async with running(store, folder, **more) as server:
        yield server


async def events(client: httpx.AsyncClient, model: str) -> list[tuple[str, dict[str, Any]]]:
    """What a pull's stream says, as it was written."""
    answer = await client.post(MODELS, json={"model": model})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [part.split("\n") for part in answer.text.split("\n\n") if part.startswith("event: ")]
    return [(name.removeprefix("event: "), json.loads(data[6:])) for name, data in told]


async def test_a_pull_is_streamed_until_the_model_is_there(
    store: SqlStore, folder: Path, service: ScriptedOllama
) -> None:
    async with serving(store, folder, service, None) as server, server.client() as client:
        *_, (kind, last) = await events(client, "pullable")
        assert (kind, last["done"], last["model"]) == ("progress", True, "pullable")
        assert last["completed_bytes"] == last["total_bytes"] > 4_000_000
        [state, _] = (await client.get("/api/v1/providers")).json()["providers"]
        assert state["can_pull"]


async def test_a_pull_that_fails_ends_with_a_problem_that_says_what_to_do(
    store: SqlStore, folder: Path, service: ScriptedOllama
) -> None:
    async with serving(store, folder, service, None) as server, server.client() as client:
        *_, (kind, problem) = await events(client, "unheard-of")
        assert (kind, problem["code"], problem["status"]) == ("problem", "pull.unknown_model", 404)
        assert "library" in problem["hint"]
        service.mode = Mode.STREAM_ERROR
        service.pull_error = "no space left on device"
        *_, (kind, problem) = await events(client, "pullable")
        assert (kind, problem["code"], problem["status"]) == ("problem", "pull.disk_full", 507)
        assert problem["title"]


async def test_a_name_that_leads_elsewhere_is_refused_before_ollama_is_asked(
    store: SqlStore, folder: Path, service: ScriptedOllama
) -> None:
    async with serving(store, folder, service, None) as server, server.client() as client:
        for model in ("hf.co/x/y", "evil.example/x/y", "evil.example/x"):
            answer = await client.post(MODELS, json={"model": model})
            [problem] = answer.json()["errors"]
            assert (answer.status_code, problem["code"]) == (422, "registry_not_allowed")
            assert problem["field"] == "model"
        for body in ({}, {"model": "x" * 301}, {"model": "x", "insecure": True}):
            checked(await client.post(MODELS, json=body), 422, "request.invalid")
    assert service.requests == []


async def test_whoever_needs_a_token_pulls_only_where_the_operator_says_so(
    store: SqlStore, folder: Path, service: ScriptedOllama
) -> None:
    guarded = {"local_owner": None, "socket_owner": "me"}
    async with serving(store, folder, service, None, **guarded) as server:
        async with server.client(await server.token_of("ann")) as client:
            problem = checked(await client.post(MODELS, json=ORDER), 403, "not_allowed")
            assert "SEATRIAL_OLLAMA_PULL" in str(problem["hint"])
            [state, _] = (await client.get("/api/v1/providers")).json()["providers"]
            assert not state["can_pull"]
        async with server.client() as client:
            checked(await client.post(MODELS, json=ORDER), 401, "not_authenticated")
        assert service.requests == []
        async with server.socket_client() as client:
            assert (await events(client, "pullable"))[-1][1]["done"]
    async with (
        serving(store, folder, service, True, **guarded) as server,
        server.client(await server.token_of("ann")) as client,
    ):
        assert (await events(client, "pullable"))[-1][1]["done"]


async def test_an_operator_who_forbids_it_forbids_it_to_all(
    store: SqlStore, folder: Path, service: ScriptedOllama
) -> None:
    async with serving(store, folder, service, False) as server, server.client() as client:
        checked(await client.post(MODELS, json=ORDER), 403, "not_allowed")
        states = (await client.get("/api/v1/providers")).json()["providers"]
        assert not any(state["can_pull"] for state in states)


async def test_no_other_provider_pulls_and_a_server_without_a_worker_has_none_that_does(
    store: SqlStore, folder: Path, service: ScriptedOllama
) -> None:
    async with serving(store, folder, service, True) as server, server.client() as client:
        answer = await client.post("/api/v1/providers/openai/models", json=ORDER)
        checked(answer, 404, "not_found")
    alone = {"pulls": None, "providers": None}
    async with (
        serving(store, folder, service, True, **alone) as server,
        server.client() as client,
    ):
        checked(await client.post(MODELS, json=ORDER), 404, "not_found")


async def test_a_client_that_goes_away_ends_the_pull_unless_another_follows_it(
    store: SqlStore, folder: Path, service: ScriptedOllama
) -> None:
    service.mode = Mode.GATED
    async with (
        serving(store, folder, service, None) as server,
        server.client() as one,
        server.client() as other,
    ):
        async with one.stream("POST", MODELS, json=ORDER) as first:
            lines = await until_progress(first)
            for _ in range(2):  # the second time it would have to begin anew, had it ended
                async with other.stream("POST", MODELS, json=ORDER) as second:
                    await until_progress(second)
            assert not service.abandoned.is_set()
            await lines.aclose()
        await service.abandoned.wait()
    assert [seen.path for seen in service.requests] == ["/api/pull"]


async def until_progress(answer: httpx.Response) -> AsyncGenerator[str]:
    """What follows it. The answer is closed with these lines, also when nobody holds them."""
    lines = cast("AsyncGenerator[str]", answer.aiter_lines())
    async for line in lines:
        if line.startswith("event: progress"):
            return lines
    raise AssertionError("it ended before any progress")
