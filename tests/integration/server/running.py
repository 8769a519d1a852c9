"""A real server of the API on a loopback port and a Unix socket, over a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from seatrial.domain.events import EventData, LogEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.ports import (
    Environment,
    EnvironmentInfo,
    EnvironmentRequest,
    ProviderState,
    ResolvedModel,
)
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Claim, Completion
from seatrial.server import ServerDeps, create_app
from seatrial.server.listen import serve, tcp_socket, unix_socket
from seatrial.services.users import create_token
from seatrial.settings import Settings
from seatrial.store import SqlStore

GOOD: dict[str, Any] = {
    "files": {"agent.py": "def run(query):\n    return query\n"},
    "model": "none",
    "query": "hello",
}
LEASE_SECONDS = 3600.0


class SomeProviders:
    """Two providers, of which one does not answer."""

    async def states(self) -> Sequence[ProviderState]:
        return (
            ProviderState("ollama", True, base_url="http://127.0.0.1:11434", models=("llama3.2",)),
            ProviderState("openai", False, reason="Nothing answers at http://127.0.0.1:1."),
        )

    async def listed(self, owner: str, provider: str, credential: str) -> ProviderState:
        return ProviderState(provider, True, models=(f"{credential}-of-{provider}",))

    async def resolve(
        self, request: TestRequest, owner: str, *, test_id: str, checked: bool = True
    ) -> ResolvedModel:
        return ResolvedModel(ref=None, upstreams=(), named_by_request=bool(request.model))


class SomeEnvironments:
    """A cache of one environment of 1000 bytes."""

    def __init__(self) -> None:
        used = datetime(2026, 1, 1, tzinfo=UTC)
        self.kept = [EnvironmentInfo("k1", "3.11", size_bytes=1000, packages=3, last_used=used)]

    async def prepare(self, request: EnvironmentRequest, log: object) -> Environment:
        raise NotImplementedError(request, log)

    async def entries(self, owner: str | None = None) -> Sequence[EnvironmentInfo]:
        return tuple(self.kept)

    async def prune(self, *, keep_bytes: int = 0) -> int:
        freed = sum(entry.size_bytes for entry in self.kept) if keep_bytes < 1000 else 0
        if freed:
            self.kept.clear()
        return freed


@dataclass(frozen=True)
class Running:
    """The server, its store, and a folder of its own."""

    deps: ServerDeps
    store: SqlStore
    port: int
    socket: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A client of the loopback port."""
        given = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(base_url=self.url, headers={**given, **headers}, timeout=30)

    def socket_client(self) -> httpx.AsyncClient:
        """A client of the Unix socket."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket))
        return httpx.AsyncClient(base_url="http://seatrial", transport=transport, timeout=30)

    async def token_of(self, name: str) -> str:
        return (await create_token(self.store, name, "test"))[1]

    async def claim(self, test_id: str) -> Claim:
        """Take that test as a worker would."""
        claims = await self.store.claim(
            "w", lease_seconds=LEASE_SECONDS, max_per_user=100, max_total=100, count=100
        )
        return next(claim for claim in claims if claim.test_id == test_id)

    async def complete(
        self,
        claim: Claim,
        *,
        outcome: Outcome = Outcome.SUCCEEDED,
        events: Sequence[EventData] = (),
    ) -> None:
        await self.store.complete(claim.test_id, claim.attempt, Completion(outcome=outcome), events)

    async def submitted(self, client: httpx.AsyncClient, **fields: object) -> str:
        """The id of a new test, for which a slot is free."""
        await self.store.renew("w", [], lease_seconds=LEASE_SECONDS, slots=100)
        answer = await client.post("/api/v1/tests", json={**GOOD, **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def completed(
        self, client: httpx.AsyncClient, *, logs: int = 0, outcome: Outcome = Outcome.SUCCEEDED
    ) -> str:
        """The id of a new test that is over, after so many log events."""
        test_id = await self.submitted(client)
        claim = await self.claim(test_id)
        await self.complete(claim, outcome=outcome, events=log_events(logs))
        return test_id


def log_events(count: int, size: int = 0) -> list[EventData]:
    return [LogEvent(stream="stdout", text=f"line {n}\n{'x' * size}") for n in range(count)]


@asynccontextmanager
async def running(store: SqlStore, folder: Path, **changes: Any) -> AsyncGenerator[Running]:
    """The server while the block runs. `changes` are fields of `ServerDeps`."""
    settings = Settings(data_dir=folder, port=0, max_cpus=4.0)
    deps = ServerDeps(
        store=store,
        settings=settings,
        providers=SomeProviders(),
        environments=SomeEnvironments(),
        local_owner="me",
    )
    deps = replace(deps, **changes)
    if deps.local_owner is None and deps.local_token is None:
        accounts = deps.settings.model_copy(update={"require_token": True})
        deps = replace(deps, settings=accounts)
    tcp, unix = tcp_socket("127.0.0.1", 0), unix_socket(folder / "s.sock")
    port: int = tcp.getsockname()[1]
    started = asyncio.Event()
    served = asyncio.create_task(serve(create_app(deps), deps, [tcp, unix], started=started))
    try:
        async with asyncio.timeout(20):
            await started.wait()
        yield Running(deps, store, port, folder / "s.sock")
    finally:
        deps.stopping.set()
        async with asyncio.timeout(20):
            await served


@dataclass(frozen=True)
class Sent:
    """One event as it stood on the wire."""

    id: int
    event: str
    data: dict[str, Any]


async def sent_events(lines: AsyncGenerator[str] | Any) -> AsyncGenerator[Sent]:
    """The events of a stream's lines, as the server writes them: no more of the standard."""
    fields: dict[str, str] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            if "id" in fields:
                yield Sent(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}
