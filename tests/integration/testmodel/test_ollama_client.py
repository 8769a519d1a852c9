"""Ollama's official client, unmodified, against the real model.

The model is small: it is asked only what it knows (it answers "Name the capital of France."
and fails at "What is the capital of France?").
"""

# The client's own annotations leave some types open:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import ollama
import pytest

MODEL = "smollm2:135m"
SHORT = {"temperature": 0.0, "seed": 7, "num_predict": 24}
LONG = {"num_predict": 1500, "temperature": 1.0}
QUESTION = [{"role": "user", "content": "Name the capital of France."}]
PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


async def test_the_list_holds_exactly_the_one_model(ollama_client: ollama.AsyncClient) -> None:
    models = (await ollama_client.list()).models
    assert [model.model for model in models] == [MODEL]
    assert models[0].size == 98_362_432
    assert models[0].details is not None
    assert models[0].details.parameter_size == "134.52M"


async def test_show_does_not_claim_that_the_model_can_call_tools(
    ollama_client: ollama.AsyncClient,
) -> None:
    shown = await ollama_client.show("smollm2")
    assert shown.capabilities == ["completion"]
    assert shown.modelinfo is not None
    assert shown.modelinfo["llama.context_length"] == 8192
    assert shown.template is not None
    assert "<|im_start|>" in shown.template


async def test_the_model_is_always_loaded(ollama_client: ollama.AsyncClient) -> None:
    running = (await ollama_client.ps()).models
    assert [model.name for model in running] == [MODEL]
    assert running[0].context_length == 2048


async def test_a_chat_is_answered_from_the_models_knowledge_with_full_counts(
    ollama_client: ollama.AsyncClient,
) -> None:
    answer = await ollama_client.chat(MODEL, QUESTION, options=SHORT)
    assert "Paris" in (answer.message.content or "")
    assert answer.done_reason in {"stop", "length"}
    _assert_measured(answer)


async def test_a_streamed_chat_says_the_same_as_one_that_is_not_streamed(
    ollama_client: ollama.AsyncClient,
) -> None:
    parts = [
        part async for part in await ollama_client.chat(MODEL, QUESTION, options=SHORT, stream=True)
    ]
    assert len(parts) > 3
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    assert "Paris" in "".join(part.message.content or "" for part in parts)
    _assert_measured(parts[-1])


async def test_num_predict_ends_an_answer_by_length(ollama_client: ollama.AsyncClient) -> None:
    answer = await ollama_client.chat(MODEL, QUESTION, options={"num_predict": 3})
    assert answer.done_reason == "length"
    assert answer.eval_count == 3


async def test_a_stop_word_is_not_in_the_answer(ollama_client: ollama.AsyncClient) -> None:
    answer = await ollama_client.chat(MODEL, QUESTION, options={**SHORT, "stop": ["Paris"]})
    assert answer.message.content
    assert "Paris" not in answer.message.content
    assert answer.done_reason == "stop"


async def test_generate_answers_a_prompt(ollama_client: ollama.AsyncClient) -> None:
    answer = await ollama_client.generate(
        MODEL, "Name the capital of France.", system="Be brief.", options=SHORT
    )
    assert "Paris" in (answer.response or "")
    _assert_measured(answer)


async def test_a_streamed_generate_ends_with_counts(ollama_client: ollama.AsyncClient) -> None:
    stream = await ollama_client.generate(MODEL, "Say hello.", options=SHORT, stream=True)
    parts = [part async for part in stream]
    assert "".join(part.response or "" for part in parts)
    _assert_measured(parts[-1])


async def test_a_raw_prompt_is_continued_without_the_chat_template(
    ollama_client: ollama.AsyncClient,
) -> None:
    answer = await ollama_client.generate(MODEL, "One, two, three,", raw=True, options=SHORT)
    assert "four" in (answer.response or "")
    assert answer.prompt_eval_count is not None
    assert answer.prompt_eval_count < 10  # with the template it would be 30 more


async def test_an_answer_keeps_to_a_json_schema(ollama_client: ollama.AsyncClient) -> None:
    answer = await ollama_client.chat(
        MODEL,
        [{"role": "user", "content": "Describe a person as JSON."}],
        format=PERSON,
        options={"temperature": 0.0, "num_predict": 200},
    )
    person = json.loads(answer.message.content or "")
    assert set(person) == {"name", "age"}
    assert isinstance(person["age"], int)


async def test_a_raw_answer_keeps_to_a_json_schema(ollama_client: ollama.AsyncClient) -> None:
    answer = await ollama_client.generate(
        MODEL, "A person: ", raw=True, format=PERSON, options={"num_predict": 200}
    )
    assert set(json.loads(answer.response or "")) == {"name", "age"}


async def test_the_json_format_starts_an_object(ollama_client: ollama.AsyncClient) -> None:
    answer = await ollama_client.chat(MODEL, QUESTION, format="json", options=SHORT)
    assert (answer.message.content or "").lstrip().startswith("{")


async def test_offered_tools_are_accepted_and_answered_with_text(
    ollama_client: ollama.AsyncClient,
) -> None:
    def get_weather(city: str) -> str:
        """Tell the weather.

        Args:
            city: where
        """
        return city

    answer = await ollama_client.chat(MODEL, QUESTION, tools=[get_weather], options=SHORT)
    assert "Paris" in (answer.message.content or "")
    assert answer.message.tool_calls is None


async def test_a_conversation_with_a_tools_result_is_accepted(
    ollama_client: ollama.AsyncClient,
) -> None:
    call = {"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_name": "get_weather", "content": "21 degrees, sunny"},
    ]
    answer = await ollama_client.chat(MODEL, messages, options=SHORT)
    assert answer.message.content


async def test_embeddings_tell_near_texts_from_far_ones(
    ollama_client: ollama.AsyncClient,
) -> None:
    texts = ["The cat sat on the mat.", "The cat sat on a mat.", "import numpy as np"]
    cat, cat_again, code = (await ollama_client.embed(MODEL, texts)).embeddings
    assert len(cat) == 576
    assert _dot(cat, cat) == pytest.approx(1.0, abs=1e-3)
    assert _dot(cat, cat_again) > _dot(cat, code)


async def test_the_older_embeddings_call_gives_one_vector(
    ollama_client: ollama.AsyncClient,
) -> None:
    assert len((await ollama_client.embeddings(MODEL, "hello")).embedding) == 576


async def test_pulling_the_one_model_succeeds(ollama_client: ollama.AsyncClient) -> None:
    assert (await ollama_client.pull(MODEL)).status == "success"
    steps = [step.status async for step in await ollama_client.pull(MODEL, stream=True)]
    assert steps[-1] == "success"


UNKNOWN: dict[str, Callable[[ollama.AsyncClient], Awaitable[object]]] = {
    "chat": lambda client: client.chat("nope", QUESTION),
    "generate": lambda client: client.generate("nope", "hi"),
    "show": lambda client: client.show("nope"),
    "pull": lambda client: client.pull("nope"),
    "embed": lambda client: client.embed("nope", "hi"),
    "embeddings": lambda client: client.embeddings("nope", "hi"),
    "another tag": lambda client: client.chat("smollm2:latest", QUESTION),
}


@pytest.mark.parametrize("call", UNKNOWN.values(), ids=UNKNOWN.keys())
async def test_an_unknown_model_is_not_found(
    ollama_client: ollama.AsyncClient, call: Callable[[ollama.AsyncClient], Awaitable[object]]
) -> None:
    with pytest.raises(ollama.ResponseError, match=r"model '.+' not found") as caught:
        await call(ollama_client)
    assert caught.value.status_code == 404


async def test_a_streamed_chat_with_an_unknown_model_is_not_found(
    ollama_client: ollama.AsyncClient,
) -> None:
    with pytest.raises(ollama.ResponseError) as caught:
        async for _ in await ollama_client.chat("nope", QUESTION, stream=True):
            pass
    assert caught.value.status_code == 404


async def test_a_prompt_beyond_the_context_is_refused_with_the_limit(
    ollama_client: ollama.AsyncClient,
) -> None:
    with pytest.raises(ollama.ResponseError, match="2048") as caught:
        await ollama_client.generate(MODEL, "hi there " * 2000)
    assert caught.value.status_code == 400


async def test_twelve_chats_at_once_are_all_answered(ollama_client: ollama.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(ollama_client.chat(MODEL, QUESTION, options=SHORT) for _ in range(12))
    )
    assert all("Paris" in (answer.message.content or "") for answer in answers)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_callers_who_hang_up_free_the_model_for_the_next_one(
    ollama_client: ollama.AsyncClient, model_url: str, *, stream: bool
) -> None:
    """Eight long answers would hold all slots for minutes if they were not cancelled."""
    if stream:
        for _ in range(8):
            await _hang_up_after_the_first_part(model_url)
    else:
        await _hang_up_while_waiting(model_url, 8)
    async with asyncio.timeout(90):
        answer = await ollama_client.chat(MODEL, QUESTION, options=SHORT)
    assert "Paris" in (answer.message.content or "")


async def _hang_up_after_the_first_part(url: str) -> None:
    async with ollama.AsyncClient(host=url) as client:
        stream: AsyncIterator[ollama.GenerateResponse] = await client.generate(
            MODEL, "Count: 1, 2, 3,", raw=True, options=LONG, stream=True
        )
        await anext(stream)


async def _hang_up_while_waiting(url: str, count: int) -> None:
    async def ask() -> None:
        async with ollama.AsyncClient(host=url) as client:
            await client.generate(MODEL, "Count: 1, 2, 3,", raw=True, options=LONG)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.gather(*(ask() for _ in range(count)))


def _assert_measured(answer: ollama.ChatResponse | ollama.GenerateResponse) -> None:
    assert answer.done is True
    assert (answer.prompt_eval_count or 0) > 3
    assert (answer.eval_count or 0) > 1
    assert (answer.load_duration or 0) > 0
    parts = (answer.prompt_eval_duration or 0) + (answer.eval_duration or 0)
    assert 0 < parts <= (answer.total_duration or 0)


def _dot(left: Any, right: Any) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))
