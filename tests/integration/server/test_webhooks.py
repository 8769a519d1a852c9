"""Webhooks over real connections, checked with the library that receivers use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx
import pytest
import pytest_asyncio
from standardwebhooks import Webhook
from tests.support.receiver import Message, Receiver, receiving

from seatrial.domain.phases import Outcome
from seatrial.server import webhooks
from seatrial.server.webhooks import WebhookSender
from seatrial.store import SqlStore

from .running import Running

State = Literal["waiting", "due", "delivered", "failed"]


@pytest_asyncio.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as started:
        yield started


@asynccontextmanager
async def sending(server: Running, *, may_be_private: bool = True) -> AsyncGenerator[None]:
    sender = WebhookSender(server.store, server.deps.webhook_key, may_be_private=may_be_private)
    task = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other without a pause."""

    def pause_after(attempt: int) -> float | None:
        return 0.0 if attempt < 4 else None

    monkeypatch.setattr(webhooks, "pause_after", pause_after)


async def ended(server: Running, client: httpx.AsyncClient, url: str) -> str:
    test_id = await server.submitted(client, webhook=url)
    await server.complete(await server.claim(test_id), outcome=Outcome.SUCCEEDED)
    return test_id


async def told(client: httpx.AsyncClient, test_id: str, state: State) -> dict[str, Any]:
    """The test's webhook, once it is in that state."""
    async with asyncio.timeout(60):
        while True:
            webhook = (await client.get(f"/api/v1/tests/{test_id}")).json()["webhook"]
            if webhook["state"] == state:
                return webhook
            await asyncio.sleep(0.05)


async def verified(client: httpx.AsyncClient, message: Message) -> dict[str, Any]:
    secret = (await client.get("/api/v1/webhooks/secret")).json()["secret"]
    return Webhook(secret).verify(message.body, message.headers)


async def test_the_end_of_a_test_is_told_signed_and_once(
    server: Running, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    async with sending(server):
        test_id = await ended(server, client, receiver.url)
        message = await receiver.next()
        assert message.line == "POST /hook?who=me HTTP/1.1"
        assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
        said = await verified(client, message)
        assert said["data"]["id"] == message.headers["webhook-id"] == test_id
        assert said["data"]["outcome"] == "succeeded"
        assert "files" not in said["data"]["request"]
        webhook = await told(client, test_id, "delivered")
        assert (webhook["attempts"], webhook["status"], webhook["message"]) == (1, 204, "")
    assert receiver.messages.empty()


async def test_users_messages_are_signed_with_secrets_of_their_own(guarded: Running) -> None:
    secrets: set[str] = set()
    for name in ("ann", "bob", "ann"):
        async with guarded.client(await guarded.token_of(name)) as client:
            secrets.add((await client.get("/api/v1/webhooks/secret")).json()["secret"])
    assert len(secrets) == 2


@pytest.mark.usefixtures("at_once")
async def test_a_back_end_that_fails_is_told_again_with_the_same_id(
    server: Running, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.statuses = [500, 429]
    async with sending(server):
        test_id = await ended(server, client, receiver.url)
        messages = [await receiver.next() for _ in range(3)]
        assert {message.headers["webhook-id"] for message in messages} == {test_id}
        assert (await told(client, test_id, "delivered"))["attempts"] == 3


@pytest.mark.usefixtures("at_once")
async def test_it_is_given_up_after_the_last_attempt(
    server: Running, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.statuses = [503] * 10
    async with sending(server):
        test_id = await ended(server, client, receiver.url)
        webhook = await told(client, test_id, "failed")
    assert (webhook["attempts"], webhook["status"]) == (4, 503)
    assert webhook["message"] == "It answered with status 503."


async def test_a_back_end_that_is_gone_is_left_alone(
    server: Running, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.statuses = [410]
    async with sending(server):
        test_id = await ended(server, client, receiver.url)
        assert (await told(client, test_id, "failed"))["attempts"] == 1


async def test_no_redirect_is_followed(
    server: Running, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.statuses, receiver.location = [307], receiver.url
    async with sending(server):
        test_id = await ended(server, client, receiver.url)
        await receiver.next()
        async with asyncio.timeout(60):
            while (await client.get(f"/api/v1/tests/{test_id}")).json()["webhook"]["status"] != 307:
                await asyncio.sleep(0.05)
    assert receiver.messages.empty()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1"])
async def test_private_addresses_are_told_only_where_the_operator_lets_them(
    server: Running, client: httpx.AsyncClient, receiver: Receiver, host: str
) -> None:
    async with sending(server, may_be_private=False):
        test_id = await ended(server, client, f"http://{host}:{receiver.port}/")
        webhook = await told(client, test_id, "failed")
    assert "may not" in webhook["message"]
    assert "SEATRIAL_PRIVATE_BASE_URLS=1" in webhook["message"]
    assert receiver.messages.empty()


async def test_a_host_that_is_not_there_is_due_again(
    server: Running, client: httpx.AsyncClient
) -> None:
    async with sending(server):
        test_id = await ended(server, client, "http://127.0.0.1:1/")
        async with asyncio.timeout(60):
            while not (webhook := (await client.get(f"/api/v1/tests/{test_id}")).json()["webhook"])[
                "message"
            ]:
                await asyncio.sleep(0.05)
    assert (webhook["state"], webhook["attempts"]) == ("due", 1)
    assert webhook["next_at"] is not None


async def test_what_was_due_while_no_server_ran_is_told_by_the_next(
    server: Running, client: httpx.AsyncClient, receiver: Receiver
) -> None:
    test_id = await ended(server, client, receiver.url)
    async with sending(server):
        assert (await receiver.next()).headers["webhook-id"] == test_id
        await told(client, test_id, "delivered")


async def test_a_message_that_the_servers_end_cut_off_is_told_again(
    server: Running,
    client: httpx.AsyncClient,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhooks, "_HOLD_SECONDS", 0.0)
    receiver.silent = True
    async with sending(server):
        test_id = await ended(server, client, receiver.url)
        await receiver.next()
    receiver.silent = False
    async with sending(server):
        assert (await receiver.next()).headers["webhook-id"] == test_id
        assert (await told(client, test_id, "delivered"))["attempts"] >= 2


async def test_a_slow_back_end_holds_up_no_other(
    server: Running, client: httpx.AsyncClient, receiver: Receiver, store: SqlStore
) -> None:
    async with receiving() as slow, sending(server):
        slow.silent = True
        for _ in range(3):
            await ended(server, client, slow.url)
        await slow.next()
        test_id = await ended(server, client, receiver.url)
        assert (await receiver.next()).headers["webhook-id"] == test_id


async def test_an_address_that_cannot_be_told_is_refused_at_submission(
    client: httpx.AsyncClient,
) -> None:
    from .running import GOOD

    answer = await client.post("/api/v1/tests", json={**GOOD, "webhook": "http://169.254.169.254"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "webhook"
