"""Ollama's request bodies, parsed strictly.

Fields this server knows are checked; fields it does not know are ignored, as Ollama does, so
that newer clients keep working. A bad body becomes `ApiError` 400.
Source of the shapes: Ollama's API reference and its official Python client.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from .errors import ApiError
from .json_values import JsonObject


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Options(_Body):
    """Sampling options. None means llama.cpp's default; others (`num_ctx`, …) are ignored."""

    temperature: float | None = None
    seed: int | None = None
    num_predict: int | None = None
    """Most tokens to generate; negative means until the model stops or the context is full."""
    stop: str | tuple[str, ...] | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    typical_p: float | None = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


class ModelRequest(_Body):
    """A request that names a model. `name` is the older spelling of `model`."""

    model: str = ""
    name: str = ""

    def named(self) -> str:
        """The model asked for. Raises `ApiError` 400 when there is none."""
        name = self.model or self.name
        if not name:
            raise ApiError(400, "model is required")
        return name


class Message(_Body):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    images: list[JsonValue] | None = None
    tool_calls: list[JsonObject] | None = None


class _Generation(ModelRequest):
    stream: bool = True
    options: Options | None = None
    format: Literal["", "json"] | JsonObject | None = None
    think: bool | str | None = None
    keep_alive: float | str | None = None


class ChatRequest(_Generation):
    """POST /api/chat. Tools are accepted and not used: this model cannot call them."""

    messages: list[Message] = Field(default_factory=list[Message])
    tools: list[JsonValue] | None = None


class GenerateRequest(_Generation):
    """POST /api/generate."""

    prompt: str = ""
    system: str | None = None
    raw: bool | None = None
    images: list[JsonValue] | None = None
    suffix: str | None = None
    template: str | None = None
    context: list[int] | None = None


class EmbedRequest(ModelRequest):
    """POST /api/embed."""

    input: str | list[str]
    dimensions: Annotated[int, Field(ge=1)] | None = None

    def texts(self) -> list[JsonValue]:
        """The texts to embed, in order."""
        return [self.input] if isinstance(self.input, str) else list(self.input)


class EmbeddingsRequest(ModelRequest):
    """POST /api/embeddings, the older form of `/api/embed`: one text."""

    prompt: str


class PullRequest(ModelRequest):
    """POST /api/pull."""

    stream: bool = True


_B = TypeVar("_B", bound=_Body)


def parse(body: bytes, shape: type[_B]) -> _B:
    """`body` as a `shape`. Raises `ApiError` 400 that names the first field that is wrong."""
    if not body.strip():
        raise ApiError(400, "missing request body")
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        raise ApiError(400, _first_problem(error)) from error


def _first_problem(error: ValidationError) -> str:
    first: dict[str, Any] = dict(error.errors(include_url=False)[0])
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
