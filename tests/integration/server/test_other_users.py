"""What a user reads of another: nothing, by any GET route that the API describes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio

from seatrial.domain.events import LogEvent, ModelCallEvent
from seatrial.domain.ports import EnvironmentInfo, ProviderState
from seatrial.gateway import keyring
from seatrial.gateway.vault import Vault
from seatrial.services.credentials import seal
from seatrial.settings import Settings
from seatrial.store import SqlStore

from .running import Running, SomeEnvironments, SomeProviders, running
from .test_access import operations

NOW = datetime(2026, 1, 1, tzinfo=UTC)
API = "/api/v1"

TOTALS: dict[str, Any] = {"queued": 0, "running": 0, "outcomes": {}, "waits_measured": 0}
"""What Bob, who has no test, reads of the queue."""


class SharedEnvironments(SomeEnvironments):
    """One that Alice's tests use, and one that Bob's use."""

    def __init__(self, owners: dict[str, str]) -> None:
        super().__init__()
        self._of = {
            owner: EnvironmentInfo(f"{name}-key", "3.11", 1, 1, NOW)
            for name, owner in owners.items()
        }

    async def entries(self, owner: str | None = None) -> Sequence[EnvironmentInfo]:
        found = self._of.values() if owner is None else [self._of[owner]]
        return tuple(found)


class InsideProviders(SomeProviders):
    """Services whose addresses and trouble name a host of the operator's network."""

    async def states(self) -> Sequence[ProviderState]:
        return (
            ProviderState("ollama", True, base_url="http://canary-host:1", models=("llama3.2",)),
            ProviderState("openai", False, "Nothing answers at http://canary-host:2.", "x"),
        )


@dataclass(frozen=True)
class Neighbours:
    """A server on which Alice has left something everywhere; Bob has nothing yet."""

    server: Running
    bob: httpx.AsyncClient
    names: dict[str, str]
    canaries: tuple[str, ...]


@pytest_asyncio.fixture
async def neighbours(store: SqlStore, folder: Path) -> AsyncIterator[Neighbours]:
    await Vault(store, keyring.load(None, folder), seal, alone=True).prepare()
    owners = {name: (await store.ensure_user(name)).id for name in ("alice-canary", "bob")}
    parts: dict[str, Any] = {
        "environments": SharedEnvironments(owners),
        "providers": InsideProviders(),
    }
    async with running(store, folder, local_owner=None, socket_owner="me", **parts) as server:
        alice = server.client(await server.token_of("alice-canary"))
        bob = server.client(await server.token_of("bob"))
        async with alice, bob:
            ids = [await left_by(alice, server) for _ in range(2)]
            await finished(server, ids[0])
            names = {
                "test_id": ids[0],
                "name": "canary-credential",
                "label": "canary-label",
                "target": "compose",
            }
            yield Neighbours(server, bob, names, ("canary", *ids, owners["alice-canary"]))


async def left_by(alice: httpx.AsyncClient, server: Running) -> str:
    secret = {
        "provider": "openai",
        "api_key": "sk-canary-key",
        "base_url": "https://canary.example",
    }
    put = await alice.put(f"{API}/credentials/canary-credential", json=secret)
    assert put.status_code in {200, 201}, put.text
    assert (await alice.post(f"{API}/tokens", json={"label": "canary-label"})).status_code == 201
    return await server.submitted(
        alice,
        name="canary name",
        query="canary query",
        model="ollama:canary-model",
        requirements="canary-package==1\n",
        egress=["canary-egress.example:443"],
        webhook="https://canary-webhook.example/x",
    )


async def finished(server: Running, test_id: str) -> None:
    call = ModelCallEvent(provider="ollama", model="canary-model", latency_seconds=0.1)
    log = LogEvent(stream="build", text=" + canary-package==1\n")
    await server.complete(await server.claim(test_id), events=[log, call])


async def read(client: httpx.AsyncClient, path: str, names: dict[str, str]) -> list[httpx.Response]:
    """The route as it is and with every query that widens what is asked for."""
    filled = path.format(**names)
    queries = ("", "?everyone=true", "?user=alice-canary", "?credential=canary-credential", "?q=a")
    return [await client.get(f"{filled}{query}") for query in queries]


def told(answer: httpx.Response) -> str:
    """The answer without what the question itself named."""
    text = answer.text
    for asked in [*answer.request.url.path.split("/"), *dict(answer.request.url.params).values()]:
        text = text.replace(asked, "") if "canary" in asked or len(asked) > 20 else text
    return text


def names_of(path: str, names: dict[str, str]) -> list[dict[str, str]]:
    """What stands in the path: Alice's, and what every user may name."""
    mine = {**names, "name": "ollama"}
    return [names, mine] if "{name}" in path else [names]


async def test_no_route_shows_a_user_anything_of_another(neighbours: Neighbours) -> None:
    paths = [path for method, path, _ in await operations(neighbours.bob) if method == "get"]
    assert len(paths) >= 18
    for path in paths:
        for names in names_of(path, neighbours.names):
            for answer in await read(neighbours.bob, path, names):
                found = [one for one in neighbours.canaries if one in told(answer)]
                assert not found, (path, answer.status_code, found)
                assert answer.status_code < 500, path


async def test_the_counts_of_the_queue_are_the_callers_own(neighbours: Neighbours) -> None:
    queue = (await neighbours.bob.get(f"{API}/queue")).json()
    assert {name: queue[name] for name in TOTALS} == TOTALS
    assert queue["own"] is True
    ready = (await neighbours.bob.get("/readyz")).json()
    assert (ready["queued"], ready["running"]) == (None, None)
    async with neighbours.server.socket_client() as local:
        everything = (await local.get(f"{API}/queue")).json()
    assert (everything["own"], everything["outcomes"]) == (False, {"succeeded": 1})


async def test_metrics_are_the_operators_only(neighbours: Neighbours) -> None:
    refused = await neighbours.bob.get("/metrics")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert "SEATRIAL_OPERATORS" in refused.json()["hint"]
    async with neighbours.server.socket_client() as local:
        assert "seatrial_queue_depth" in (await local.get("/metrics")).text


async def test_a_user_lists_the_environments_of_own_tests(neighbours: Neighbours) -> None:
    found = (await neighbours.bob.get(f"{API}/environments")).json()["environments"]
    assert [one["key"] for one in found] == ["bob-key"]
    async with neighbours.server.socket_client() as local:
        assert len((await local.get(f"{API}/environments")).json()["environments"]) == 2


async def test_the_operators_are_named_by_a_setting(store: SqlStore, folder: Path) -> None:
    settings = Settings(data_dir=folder, port=0, max_cpus=4.0, operators=" eve, bob ")
    parts: dict[str, Any] = {"providers": InsideProviders(), "settings": settings}
    async with running(store, folder, local_owner=None, **parts) as server:
        async with server.client(await server.token_of("bob")) as bob:
            assert (await bob.get("/metrics")).status_code == 200
            assert (await bob.get(f"{API}/queue")).json()["own"] is False
            assert "canary-host" in (await bob.get(f"{API}/providers")).text
            assert (await bob.get(f"{API}/tokens?everyone=true")).status_code == 403
        async with server.client(await server.token_of("bobby")) as bobby:
            assert (await bobby.get("/metrics")).status_code == 403
