"""From Ollama's API to llama.cpp's and back: pure functions, no input or output.

llama.cpp's server takes OpenAI-shaped bodies with a few fields of its own. Everything is asked
of it as a stream, also where the caller wants one answer: then a caller who hangs up stops the
generation in both cases, and there is one shape to translate.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast

from pydantic import JsonValue

from .describe import timestamp
from .errors import ApiError
from .json_values import JsonObject, as_count, as_object
from .requests import ChatRequest, GenerateRequest, Message, Options
from .weights import MODEL_NAME

CHAT_PATH = "/v1/chat/completions"
TEXT_PATH = "/v1/completions"

_OPTION_NAMES = {
    "temperature": "temperature",
    "seed": "seed",
    "num_predict": "max_tokens",
    "stop": "stop",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "typical_p": "typical_p",
    "repeat_penalty": "repeat_penalty",
    "repeat_last_n": "repeat_last_n",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
"""Ollama's option → llama.cpp's field."""

_TOOL_FIELDS = ("tools", "tool_choice", "parallel_tool_calls", "functions", "function_call")

_NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class EngineCall:
    """One generation to ask of llama.cpp: where to post which body."""

    path: str
    body: JsonObject


@dataclass(frozen=True)
class Piece:
    """What one message of llama.cpp's stream says; every part may be absent."""

    text: str = ""
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_ns: int | None = None
    completion_ns: int | None = None


@dataclass(frozen=True)
class Durations:
    """Times of a request on our side, in nanoseconds."""

    total: int
    load: int


@dataclass
class Tally:
    """Adds the pieces of one generation up to what Ollama reports at its end."""

    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_ns: int = 0
    completion_ns: int = 0
    texts: list[str] = field(default_factory=list[str])

    def add(self, piece: Piece) -> None:
        """Take `piece` in; call in the order of the stream."""
        self.texts.append(piece.text)
        self.finish_reason = piece.finish_reason or self.finish_reason
        self.prompt_tokens = piece.prompt_tokens or self.prompt_tokens
        self.completion_tokens = piece.completion_tokens or self.completion_tokens
        self.prompt_ns = piece.prompt_ns or self.prompt_ns
        self.completion_ns = piece.completion_ns or self.completion_ns

    def text(self) -> str:
        """Everything the model has said so far."""
        return "".join(self.texts)

    def done_fields(self, durations: Durations) -> JsonObject:
        """The fields of Ollama's last chunk; durations in nanoseconds."""
        return {
            "done": True,
            "done_reason": "length" if self.finish_reason == "length" else "stop",
            "total_duration": durations.total,
            "load_duration": durations.load,
            "prompt_eval_count": self.prompt_tokens,
            "prompt_eval_duration": self.prompt_ns,
            "eval_count": self.completion_tokens,
            "eval_duration": self.completion_ns,
        }


def chat_call(request: ChatRequest) -> EngineCall:
    """What to ask llama.cpp for `request`. Raises `ApiError` 400 for what the model cannot do."""
    _refuse_thinking(request.think)
    body = _generation_body(request.options)
    body["messages"] = [_engine_message(message) for message in request.messages]
    body.update(_chat_format(request.format))
    return EngineCall(CHAT_PATH, body)


def generate_call(request: GenerateRequest) -> EngineCall:
    """What to ask llama.cpp for `request`. Raises `ApiError` 400 for what the model cannot do.

    Without `raw` the prompt becomes a user message, put through the model's chat template.
    """
    _refuse_thinking(request.think)
    _refuse_unsupported(request)
    body = _generation_body(request.options)
    if request.raw:
        body["prompt"] = request.prompt
        body.update(_text_format(request.format))
        return EngineCall(TEXT_PATH, body)
    system = [Message(role="system", content=request.system)] if request.system else []
    messages = [*system, Message(role="user", content=request.prompt)]
    body["messages"] = [_engine_message(message) for message in messages]
    body.update(_chat_format(request.format))
    return EngineCall(CHAT_PATH, body)


def engine_options(options: Options) -> JsonObject:
    """Ollama's options in llama.cpp's words; options that are not set are left out."""
    given = cast("JsonObject", options.model_dump(mode="json", exclude_none=True))
    if (options.num_predict or 0) < 0:
        # Ollama's -1 and -2 both mean "no limit of mine", which here is the context's end.
        del given["num_predict"]
    return {_OPTION_NAMES[name]: value for name, value in given.items()}


def _generation_body(options: Options | None) -> JsonObject:
    body: JsonObject = {"stream": True, "stream_options": {"include_usage": True}}
    return body | (engine_options(options) if options else {})


def _chat_format(wanted: str | JsonObject | None) -> JsonObject:
    if not wanted:
        return {}
    if isinstance(wanted, str):
        return {"response_format": {"type": "json_object"}}
    return {"response_format": {"type": "json_schema", "json_schema": {"schema": wanted}}}


def _text_format(wanted: str | JsonObject | None) -> JsonObject:
    if not wanted:
        return {}
    return {"json_schema": {"type": "object"} if isinstance(wanted, str) else wanted}


def _engine_message(message: Message) -> JsonObject:
    if message.images:
        raise ApiError(400, f"{MODEL_NAME} does not support images")
    content = message.content or ""
    if message.tool_calls and not content:
        # The model's template has no place for tool calls, and the model must see them somehow.
        content = json.dumps(message.tool_calls)
    return {"role": message.role, "content": content}


def _refuse_thinking(think: bool | str | None) -> None:
    if think:
        raise ApiError(400, f'"{MODEL_NAME}" does not support thinking')


def _refuse_unsupported(request: GenerateRequest) -> None:
    for name in ("images", "suffix", "template", "context"):
        if getattr(request, name):
            raise ApiError(400, f"{MODEL_NAME} does not support {name}")


def read_piece(event: JsonObject) -> Piece:
    """One message of llama.cpp's stream. Raises `ApiError` when it reports an error."""
    if "error" in event:
        raise engine_error(500, event)
    choices = event.get("choices")
    choice = as_object(choices[0]) if isinstance(choices, list) and choices else {}
    delta = as_object(choice.get("delta"))
    text = delta.get("content", choice.get("text"))
    finish = choice.get("finish_reason")
    usage, timings = as_object(event.get("usage")), as_object(event.get("timings"))
    return Piece(
        text=text if isinstance(text, str) else "",
        finish_reason=finish if isinstance(finish, str) else None,
        prompt_tokens=as_count(usage.get("prompt_tokens")),
        completion_tokens=as_count(usage.get("completion_tokens")),
        prompt_ns=_nanoseconds(timings.get("prompt_ms")),
        completion_ns=_nanoseconds(timings.get("predicted_ms")),
    )


def engine_error(status: int, body: JsonObject) -> ApiError:
    """llama.cpp's error body as ours; its own status code inside the body wins over `status`."""
    error = as_object(body.get("error"))
    code, message = error.get("code"), error.get("message")
    return ApiError(
        code if isinstance(code, int) and 400 <= code <= 599 else status,
        message if isinstance(message, str) else "the inference engine failed",
    )


def _nanoseconds(milliseconds: JsonValue) -> int | None:
    return round(milliseconds * _NS_PER_MS) if isinstance(milliseconds, int | float) else None


def chunk(
    kind: Literal["chat", "generate"], model: str, now: datetime, text: str, rest: JsonObject
) -> JsonObject:
    """One object of Ollama's stream; `rest` is `{"done": False}` or the last chunk's fields."""
    said: JsonObject = (
        {"message": {"role": "assistant", "content": text}}
        if kind == "chat"
        else {"response": text}
    )
    return {"model": model, "created_at": timestamp(now), **said, **rest}


def without_tools(body: JsonObject) -> JsonObject:
    """An OpenAI body without what offers tools.

    llama.cpp would force their syntax on a model that was never taught to call them.
    """
    return {name: value for name, value in body.items() if name not in _TOOL_FIELDS}


def embed_answer(body: JsonObject) -> tuple[list[JsonValue], int]:
    """The vectors, in the order of the texts, and the count of prompt tokens."""
    data = body.get("data")
    vectors = (
        [as_object(entry).get("embedding") for entry in data] if isinstance(data, list) else []
    )
    if not vectors:
        raise ApiError(500, "the inference engine sent no embedding")
    return vectors, as_count(as_object(body.get("usage")).get("prompt_tokens")) or 0
