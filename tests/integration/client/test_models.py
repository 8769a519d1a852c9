"""The SDK lists models, has them pulled, and tells how far that is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio
from tests.integration.server.running import Running, running

from seatrial import AsyncClient, Client
from seatrial.domain.credentials import Credential
from seatrial.domain.errors import (
    InvalidRequest,
    NotAllowed,
    NotFound,
    PullInterrupted,
    PullUnknownModel,
)
from seatrial.gateway import OllamaPulls, keyring
from seatrial.gateway.vault import Vault
from seatrial.services.credentials import seal
from seatrial.settings import Settings
from seatrial.store import SqlStore
from seatrial.testing.providers import Mode, ScriptedOllama

pytestmark = pytest.mark.timeout(60)


@pytest_asyncio.fixture
async def service() -> AsyncGenerator[ScriptedOllama]:
    async with ScriptedOllama() as service:
        yield service


@pytest_asyncio.fixture
async def open_server(
    store: SqlStore, folder: Path, service: ScriptedOllama
) -> AsyncGenerator[Running]:
    """A server that asks for no token."""
    settings = Settings(data_dir=folder, port=0, ollama_url=service.url)
    async with running(store, folder, settings=settings, pulls=OllamaPulls(settings)) as started:
        yield started


async def test_both_clients_follow_a_pull_to_its_end(
    open_server: Running, service: ScriptedOllama
) -> None:
    async with AsyncClient(open_server.url) as client:
        steps = [step async for step in client.pull_model("pullable")]
        assert [step.done for step in steps if step.done] == [True]
        assert steps[-1].completed_bytes == steps[-1].total_bytes > 0

    def plainly() -> list[str]:
        with Client(open_server.url) as client:
            return [step.status for step in client.pull_model("somebody/pullable:1b")]

    assert (await asyncio.to_thread(plainly))[-1] == "success"
    assert {"pullable:latest", "somebody/pullable:1b"} < {*service.models}


async def test_what_goes_wrong_is_an_error_of_the_tree_with_what_to_do(
    open_server: Running, client: AsyncClient, service: ScriptedOllama
) -> None:
    async with AsyncClient(open_server.url) as asking:
        with pytest.raises(PullUnknownModel) as unknown:
            [_ async for _ in asking.pull_model("unheard-of")]
        assert "library" in unknown.value.hint
        service.mode = Mode.CUT
        with pytest.raises(PullInterrupted):
            [_ async for _ in asking.pull_model("pullable")]
        with pytest.raises(InvalidRequest):
            [_ async for _ in asking.pull_model("hf.co/x/y")]
        with pytest.raises(NotFound):
            [_ async for _ in asking.pull_model("x", provider="openai")]
    with pytest.raises(NotFound):
        [_ async for _ in client.pull_model("pullable")]


async def test_models_are_listed_by_provider_and_by_stored_credential(
    open_server: Running, store: SqlStore, folder: Path
) -> None:
    await Vault(store, keyring.load(None, folder), seal, alone=True).prepare()
    async with AsyncClient(open_server.url) as client:
        assert await client.models("ollama") == ("llama3.2",)
        await client.set_credential("work", Credential(provider="openai", api_key="sk-canary-0001"))
        assert await client.models("openai", credential="work") == ("work-of-openai",)
        with pytest.raises(NotFound):
            await client.models("anthropic", credential="work")


async def test_leaving_the_loop_ends_the_pull(
    open_server: Running, service: ScriptedOllama
) -> None:
    service.mode = Mode.GATED
    async with (
        AsyncClient(open_server.url) as client,
        aclosing(client.pull_model("pullable")) as steps,
    ):
        await anext(steps)
    await service.abandoned.wait()


async def test_a_server_that_ends_in_the_middle_has_not_pulled_it(
    open_server: Running, service: ScriptedOllama
) -> None:
    service.mode = Mode.GATED
    async with AsyncClient(open_server.url) as client:
        steps = client.pull_model("pullable")
        await anext(steps)
        open_server.deps.stopping.set()
        with pytest.raises(PullInterrupted):
            [_ async for _ in steps]


async def test_a_server_that_lets_nobody_pull_says_so(
    store: SqlStore, folder: Path, service: ScriptedOllama
) -> None:
    settings = Settings(data_dir=folder, port=0, ollama_url=service.url, ollama_pull=False)
    async with (
        running(store, folder, settings=settings, pulls=OllamaPulls(settings)) as server,
        AsyncClient(server.url) as client,
    ):
        with pytest.raises(NotAllowed, match="disk"):
            [_ async for _ in client.pull_model("pullable")]
