"""The built-in model behind a door: a real model's streams end as the gateway expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ollama
import openai
import pytest
from gateway_doors import container

from seatrial.domain.requests import TestRequest
from seatrial.gateway.discovery import LocalProviders
from seatrial.gateway.gateway import SocketGateway
from seatrial.settings import Settings
from seatrial.testmodel import TestModelProcess, available

pytestmark = [pytest.mark.model, pytest.mark.spec("US1-3")]
QUESTION: Any = [{"role": "user", "content": "Name the capital of France."}]


@pytest.mark.skipif(not available(), reason="the extra `testmodel` is not installed")
async def test_both_official_clients_reach_the_built_in_model_and_their_tokens_are_counted(
    gateway: SocketGateway, tmp_path: Path
) -> None:
    model = TestModelProcess()
    url = await model.start()

    async def testmodel_url() -> str:
        return url

    try:
        local = LocalProviders(Settings(data_dir=tmp_path), testmodel_url, environ={})
        request = TestRequest(files={"agent.py": ""}, query="q", model="testmodel")
        found = await local.resolve(request, "owner")
        async with container(gateway, tmp_path, *found.upstreams) as inside:
            theirs: Any = ollama.AsyncClient(inside.url)
            options: Any = {"num_predict": 16}
            parts = [
                part.message.content
                async for part in await theirs.chat(
                    "smollm2", QUESTION, stream=True, options=options
                )
            ]
            client = openai.AsyncOpenAI(base_url=inside.openai, api_key="dummy", max_retries=0)
            stream = await client.chat.completions.create(
                model="smollm2:135m", messages=QUESTION, stream=True, max_tokens=16
            )
            chunks = [chunk async for chunk in stream]
            events = [await inside.reports.call(), await inside.reports.call()]
            vectors = (await theirs.embed("smollm2", ["one", "two"])).embeddings
            same = await client.embeddings.create(model="smollm2:135m", input="one")
            embedded = [await inside.reports.call(), await inside.reports.call()]
    finally:
        await model.stop()
    assert "".join(parts)
    assert chunks
    assert [event.error for event in events] == [None, None]
    assert events[0].input_tokens
    assert events[0].output_tokens
    assert [len(vector) for vector in vectors] == [576, 576]
    assert same.data[0].embedding == pytest.approx(vectors[0], abs=1e-3)
    assert [event.error for event in embedded] == [None, None]
    assert all(event.input_tokens and not event.output_tokens for event in embedded)
