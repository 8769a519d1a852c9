"""The model of a request: at a provider that can be used here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from seatrial.domain.errors import FieldProblem
from seatrial.domain.requests import (
    MAX_MODEL_CHARACTERS,
    NO_MODEL,
    TEST_MODEL,
    ModelRef,
    model_names,
)

from .paths import printable

KNOWN_PROVIDERS = frozenset({"ollama", "openai", "anthropic", "bedrock", TEST_MODEL})
"""Every provider that Seatrial has a word for."""

OFFERED_PROVIDERS = frozenset({"ollama", "openai", "anthropic", "bedrock", TEST_MODEL})
"""The providers that can be used in this version."""

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
# Ollama's model/name: host with port, namespace and tag may stand around the name.
_OLLAMA = re.compile(
    rf"({_PART}(:[0-9]{{1,5}})?/)?({_PART}/)*{_PART}(:{_PART})?(@sha256:[0-9a-f]{{64}})?", re.ASCII
)
# Bedrock's Converse, parameter modelId: an id, a profile's id, or an ARN of one of both.
_BEDROCK = re.compile(
    r"arn:aws[a-z-]{0,20}:bedrock:[a-z0-9-]{0,30}:[0-9]{0,12}:[a-z-]{1,40}/[A-Za-z0-9._:/-]+"
    r"|(?!arn:)[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*(:[A-Za-z0-9-]+)*",
    re.ASCII,
)
# Names that services compatible with OpenAI's or Anthropic's give their models: segments that
# no server takes for another path, and that need no escape.
_SEGMENT = r"[^/\\%?#\s\x00-\x1f\x7f-\x9f]+"
_LISTED = re.compile(rf"(?!\.{{1,2}}(?:/|$))(?!.*(?:\.\.|/\.(?:/|$))){_SEGMENT}(?:/{_SEGMENT})*")
_LISTED_FORM = (
    _LISTED,
    "A model's name contains no '..', '//', '%', '?', '#' or backslash, and no slash at its ends.",
)
_FORMS = {
    "openai": _LISTED_FORM,
    "anthropic": _LISTED_FORM,
    "ollama": (_OLLAMA, "A model of Ollama is written like llama3.2 or llama3.2:1b."),
    "bedrock": (
        _BEDROCK,
        "A model of Bedrock is written like amazon.nova-lite-v1:0, us.amazon.nova-lite-v1:0 "
        "or as its ARN.",
    ),
}
"""How the names of a provider's models look, where that is known."""

MAX_MODELS = 8
"""Models that one test may name."""


def model_problems(model: str | None, providers: frozenset[str]) -> Iterator[FieldProblem]:
    """The model is left out, `none`, or names `testmodel` and `provider:model` with commas."""
    if model is None or model == NO_MODEL:
        return
    names = model_names(model)
    if len(names) > MAX_MODELS:
        message = f"The test names {len(names)} models; the limit is {MAX_MODELS}."
        yield FieldProblem("model", message, "too_many")
        return
    if len({*names}) < len(names):
        yield FieldProblem("model", "A model is named more than once.", "duplicate")
    for name in names:
        yield from _name_problems(name, providers)


def _name_problems(model: str, providers: frozenset[str]) -> Iterator[FieldProblem]:
    if len(model) > MAX_MODEL_CHARACTERS:
        message = f"The model's name is too long; the limit is {MAX_MODEL_CHARACTERS} characters."
        yield FieldProblem("model", message, "too_long")
        return
    if not model.isprintable() or " " in model:
        message = "The model's name holds spaces or characters that cannot be printed."
        yield FieldProblem("model", message, "invalid")
        return
    if model != TEST_MODEL:
        yield from _reference_problems(model, providers)
    elif TEST_MODEL not in providers:
        yield _not_offered(TEST_MODEL, providers)


def _reference_problems(model: str, providers: frozenset[str]) -> Iterator[FieldProblem]:
    try:
        ref = ModelRef.parse(model)
    except ValueError:
        message = (
            f"{printable(model)!r} is not of the form provider:model, such as ollama:llama3.2."
        )
        yield FieldProblem("model", message, "invalid")
        return
    provider = ref.provider
    if provider not in KNOWN_PROVIDERS:
        message = f"{printable(provider)!r} is no model provider; known are {_list(providers)}."
        yield FieldProblem("model", message, "unknown_provider")
    elif provider not in providers:
        yield _not_offered(provider, providers)
    elif provider == TEST_MODEL:
        message = f"The test model has no others: write {TEST_MODEL!r} alone."
        yield FieldProblem("model", message, "invalid")
    elif provider in _FORMS:
        form, message = _FORMS[provider]
        if not form.fullmatch(ref.name):
            yield FieldProblem("model", message, "invalid")


def _not_offered(provider: str, providers: frozenset[str]) -> FieldProblem:
    message = f"The provider {provider!r} cannot be used here; offered are {_list(providers)}."
    return FieldProblem("model", message, "provider_not_offered")


def _list(providers: frozenset[str]) -> str:
    return ", ".join(sorted(providers | {NO_MODEL}))
