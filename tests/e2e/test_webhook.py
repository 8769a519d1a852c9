"""A back end that holds no stream is told of the result by the real server."""

from __future__ import annotations

import asyncio

import pytest
from standardwebhooks import Webhook

from seatrial.client import AsyncClient
from tests.support import agents
from tests.support.receiver import receiving
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.mark.spec("FR-010")
async def test_a_back_end_is_told_the_result_of_a_test(serving: Serving) -> None:
    async with receiving() as receiver, AsyncClient(serving.url, token=serving.token) as client:
        test = await client.submit(
            files=agents.files("def run(query):\n    return query.upper()\n"),
            query="hello",
            model="none",
            webhook=receiver.url,
        )
        message = await receiver.next()
        printed = await asyncio.to_thread(serving.cli, "webhooks", "secret")
    said = Webhook(printed.stdout.strip()).verify(message.body, message.headers)
    assert said["data"]["id"] == test.id
    assert said["data"]["outcome"] == "succeeded"
    assert said["data"]["result"]["response"] == "HELLO"
