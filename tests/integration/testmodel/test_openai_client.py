"""OpenAI's official client, unmodified, against the real model under `/v1`."""

from __future__ import annotations

from typing import Any, cast

import openai
import pytest

MODEL = "smollm2:135m"
QUESTION: Any = [{"role": "user", "content": "Name the capital of France."}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}


async def test_the_list_holds_exactly_the_one_model(openai_client: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in openai_client.models.list()] == [MODEL]
    assert (await openai_client.models.retrieve(MODEL)).id == MODEL


async def test_a_chat_is_answered_with_usage(openai_client: openai.AsyncOpenAI) -> None:
    answer = await openai_client.chat.completions.create(
        model=MODEL, messages=QUESTION, temperature=0, max_completion_tokens=24
    )
    assert "Paris" in (answer.choices[0].message.content or "")
    assert answer.model == MODEL
    assert answer.usage is not None
    assert answer.usage.total_tokens > answer.usage.completion_tokens > 0


async def test_a_streamed_chat_arrives_in_parts_with_usage(
    openai_client: openai.AsyncOpenAI,
) -> None:
    stream = await openai_client.chat.completions.create(
        model="smollm2",
        messages=QUESTION,
        temperature=0,
        max_tokens=24,
        stream=True,
        stream_options={"include_usage": True},
    )
    parts = [part async for part in stream]
    texts = [part.choices[0].delta.content or "" for part in parts if part.choices]
    assert len(texts) > 3
    assert "Paris" in "".join(texts)
    assert parts[-1].usage is not None


async def test_offered_and_even_demanded_tools_are_answered_with_text(
    openai_client: openai.AsyncOpenAI,
) -> None:
    answer = await openai_client.chat.completions.create(
        model=MODEL,
        messages=QUESTION,
        temperature=0,
        max_tokens=24,
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    )
    assert "Paris" in (answer.choices[0].message.content or "")
    assert not answer.choices[0].message.tool_calls


async def test_a_text_completion_continues_the_prompt(openai_client: openai.AsyncOpenAI) -> None:
    answer = await openai_client.completions.create(
        model=MODEL, prompt="One, two, three,", temperature=0, max_tokens=8
    )
    assert "four" in answer.choices[0].text


async def test_a_response_is_answered(openai_client: openai.AsyncOpenAI) -> None:
    answer = await openai_client.responses.create(
        model=MODEL, input="Name the capital of France.", temperature=0, max_output_tokens=24
    )
    assert "Paris" in answer.output_text


async def test_an_embedding_has_the_models_width(openai_client: openai.AsyncOpenAI) -> None:
    answer = await openai_client.embeddings.create(
        model=MODEL, input="hello", encoding_format="float"
    )
    assert len(answer.data[0].embedding) == 576


async def test_an_unknown_model_is_not_found(openai_client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="model 'nope' not found"):
        await openai_client.chat.completions.create(model="nope", messages=QUESTION)
    with pytest.raises(openai.NotFoundError):
        await openai_client.models.retrieve("nope")


async def test_a_missing_model_is_a_bad_request(openai_client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="model is required") as caught:
        await openai_client.chat.completions.create(model="", messages=QUESTION)
    assert cast("dict[str, str]", caught.value.body)["type"] == "invalid_request_error"
