"""The official clients, unmodified, through a door to services that speak the protocols."""

from __future__ import annotations

from typing import Any

import ollama
import openai
import pytest
from gateway_doors import KEY, Container

from seatrial.domain.events import ModelCallEvent
from seatrial.testing.providers import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    TEXT,
    Mode,
    ScriptedOllama,
    ScriptedOpenAI,
)

HELLO: Any = [{"role": "user", "content": "hello"}]
WHOLE = "".join(TEXT)


def ollama_client(url: str) -> Any:
    """Its overloads are only partly typed."""
    return ollama.AsyncClient(url)


def openai_client(inside: Container) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=inside.openai, api_key="dummy", max_retries=0)


def tokens(event: ModelCallEvent) -> tuple[int | None, int | None]:
    return event.input_tokens, event.output_tokens


@pytest.mark.spec("US1-3", "FR-002")
async def test_ollamas_client_chats_and_streams(inside: Container) -> None:
    client = ollama_client(inside.ollama)
    answer = await client.chat("scripted", HELLO)
    assert answer.message.content == WHOLE
    parts = [part async for part in await client.chat("scripted:latest", HELLO, stream=True)]
    assert tuple(part.message.content for part in parts) == (*TEXT, "")
    for event in (await inside.reports.call(), await inside.reports.call()):
        assert (event.provider, event.operation, event.status) == ("ollama", "chat", 200)
        assert tokens(event) == (INPUT_TOKENS, OUTPUT_TOKENS)
        assert event.error is None
        assert event.first_byte_seconds is not None
        assert 0 < event.first_byte_seconds <= event.latency_seconds


async def test_the_port_that_ollama_code_has_written_in_needs_no_prefix(inside: Container) -> None:
    client = ollama_client(inside.url)
    assert (await client.generate("scripted", "hello")).response == WHOLE
    assert (await client.embed("scripted", "hello")).prompt_eval_count == INPUT_TOKENS
    assert tokens(await inside.reports.call()) == (INPUT_TOKENS, OUTPUT_TOKENS)
    assert tokens(await inside.reports.call()) == (INPUT_TOKENS, None)


async def test_lists_show_only_the_models_of_the_test_and_are_no_calls(inside: Container) -> None:
    client = ollama_client(inside.ollama)
    assert [model.model for model in (await client.list()).models] == ["scripted:latest"]
    assert [model.model for model in (await client.ps()).models] == ["scripted:latest"]
    await client.show("scripted")
    assert [model.id async for model in openai_client(inside).models.list()] == ["scripted"]
    await inside.door.close()
    assert inside.reports.all == []


@pytest.mark.spec("US1-4", "FR-002")
async def test_openais_client_chats_streams_and_responds(
    inside: Container, openai_service: ScriptedOpenAI
) -> None:
    client = openai_client(inside)
    answer = await client.chat.completions.create(model="scripted", messages=HELLO)
    assert answer.choices[0].message.content == WHOLE
    response = await client.responses.create(model="scripted", input="hello")
    assert response.output_text == WHOLE
    vectors = await client.embeddings.create(
        model="scripted", input="hello", encoding_format="float"
    )
    assert vectors.data[0].embedding == [0.5, 0.25]
    operations = [await inside.reports.call() for _ in range(3)]
    assert [event.operation for event in operations] == [
        "chat/completions",
        "responses",
        "embeddings",
    ]
    assert [tokens(event) for event in operations] == [
        (INPUT_TOKENS, OUTPUT_TOKENS),
        (INPUT_TOKENS, OUTPUT_TOKENS),
        (INPUT_TOKENS, None),
    ]
    assert {seen.headers["Authorization"] for seen in openai_service.requests} == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("asked", "known"), [(True, (INPUT_TOKENS, OUTPUT_TOKENS)), (False, (None, None))]
)
async def test_usage_of_a_stream_is_known_only_when_the_agent_asked_for_it(
    inside: Container, asked: bool, known: tuple[int | None, int | None]
) -> None:
    options: Any = {"stream_options": {"include_usage": True}} if asked else {}
    stream = await openai_client(inside).chat.completions.create(
        model="scripted", messages=HELLO, stream=True, **options
    )
    text = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(text) == WHOLE
    assert tokens(await inside.reports.call()) == known


async def test_a_streamed_response_of_openai_has_usage(inside: Container) -> None:
    stream = await openai_client(inside).responses.create(
        model="scripted", input="hello", stream=True
    )
    kinds = [event.type async for event in stream]
    assert kinds[-1] == "response.completed"
    assert tokens(await inside.reports.call()) == (INPUT_TOKENS, OUTPUT_TOKENS)


async def test_another_model_is_refused_in_the_shape_that_each_client_shows(
    inside: Container, ollama_service: ScriptedOllama, openai_service: ScriptedOpenAI
) -> None:
    with pytest.raises(ollama.ResponseError, match="--model ollama:other") as theirs:
        await ollama_client(inside.ollama).chat("other", HELLO)
    assert theirs.value.status_code == 403
    with pytest.raises(openai.PermissionDeniedError, match=r"'other'.*scripted"):
        await openai_client(inside).chat.completions.create(model="other", messages=HELLO)
    for _ in range(2):
        event = await inside.reports.call()
        assert (event.error, event.model, event.status) == ("model.not_allowed", "other", 403)
    assert ollama_service.requests == openai_service.requests == []


async def test_pulling_a_model_is_refused_with_one_notice(
    inside: Container, ollama_service: ScriptedOllama
) -> None:
    client = ollama_client(inside.ollama)
    for _ in range(2):
        with pytest.raises(ollama.ResponseError, match="not available to agents"):
            await client.pull("scripted")
    assert (await inside.reports.notice()).code == "endpoint_refused"
    await inside.door.close()
    assert len(inside.reports.all) == 1
    assert ollama_service.requests == []


@pytest.mark.spec("edge-4")
@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [
        (Mode.RATE_LIMITED, 429, "model.rate_limited"),
        (Mode.BUSY, 503, "model.rate_limited"),
        (Mode.QUOTA, 429, "model.quota"),
        (Mode.UNAUTHORIZED, 401, "model.auth_failed"),
        (Mode.FORBIDDEN, 403, "model.access_denied"),
        (Mode.MISSING, 404, "model.not_found"),
        (Mode.BAD_REQUEST, 400, "model.bad_request"),
        (Mode.BROKEN, 500, "model.server_error"),
    ],
)
async def test_the_services_own_errors_pass_unchanged_and_are_named(
    inside: Container,
    ollama_service: ScriptedOllama,
    openai_service: ScriptedOpenAI,
    mode: Mode,
    status: int,
    code: str,
) -> None:
    ollama_service.mode = openai_service.mode = mode
    with pytest.raises(ollama.ResponseError) as theirs:
        await ollama_client(inside.ollama).chat("scripted", HELLO)
    assert theirs.value.status_code == status
    with pytest.raises(openai.APIStatusError) as error:
        await openai_client(inside).chat.completions.create(model="scripted", messages=HELLO)
    assert error.value.status_code == status
    for _ in range(2):
        event = await inside.reports.call()
        assert (event.status, event.error) == (status, code)
        assert theirs.value.error in event.message


async def test_the_gateway_tries_nothing_again(
    inside: Container, openai_service: ScriptedOpenAI
) -> None:
    openai_service.mode = Mode.RATE_LIMITED
    with pytest.raises(openai.RateLimitError):
        await openai_client(inside).chat.completions.create(model="scripted", messages=HELLO)
    assert len(openai_service.requests) == 1
