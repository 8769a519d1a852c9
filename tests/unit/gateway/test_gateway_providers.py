"""Providers are pure: which paths an agent may use, names of models, usage, errors."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.gateway.providers import ollama, openai
from seatrial.gateway.providers.base import Reading
from seatrial.gateway.providers.registry import PROVIDERS, split_prefix


@pytest.mark.parametrize(
    ("raw", "provider", "path"),
    [
        ("/ollama/api/chat", "ollama", "/api/chat"),
        ("/openai/v1/chat/completions", "openai", "/v1/chat/completions"),
        ("/openai", "openai", "/"),
        ("/api/chat", "ollama", "/api/chat"),
        ("/v1/chat/completions", "ollama", "/v1/chat/completions"),
        ("/", "ollama", "/"),
        ("/OpenAI/v1/models", "ollama", "/OpenAI/v1/models"),
    ],
)
def test_a_prefix_names_the_provider_and_none_means_ollama(
    raw: str, provider: str, path: str
) -> None:
    found, rest = split_prefix(raw)
    assert (found.name, rest) == (provider, path)


@pytest.mark.parametrize(
    ("method", "path", "name", "counted"),
    [
        ("POST", "/api/chat", "chat", True),
        ("POST", "/api/generate", "generate", True),
        ("POST", "/api/embed", "embed", True),
        ("POST", "/api/embeddings", "embeddings", True),
        ("POST", "/v1/chat/completions", "chat/completions", True),
        ("POST", "/v1/completions", "completions", True),
        ("POST", "/v1/embeddings", "embeddings", True),
        ("GET", "/api/tags", "tags", False),
        ("GET", "/api/ps", "ps", False),
        ("GET", "/api/version", "version", False),
        ("POST", "/api/show", "show", False),
        ("GET", "/", "", False),
        ("HEAD", "/", "", False),
        ("GET", "/v1/models", "models", False),
    ],
)
def test_ollama_offers(method: str, path: str, name: str, counted: bool) -> None:
    operation = ollama.find(method, path)
    assert operation is not None
    assert (operation.name, operation.counted, operation.path) == (name, counted, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/pull"),
        ("DELETE", "/api/delete"),
        ("POST", "/api/create"),
        ("POST", "/api/push"),
        ("POST", "/api/copy"),
        ("POST", "/api/blobs/sha256:0"),
        ("HEAD", "/api/blobs/sha256:0"),
        ("GET", "/api/chat"),
        ("POST", "/api//chat"),
        ("POST", "/api/chat/"),
        ("POST", "/api/./chat"),
        ("POST", "/api/show/../pull"),
        ("POST", "/api/%63hat"),
        ("POST", "/v1/v1/chat/completions"),
        ("POST", "/API/chat"),
    ],
)
def test_ollama_offers_no_other_path_in_any_spelling(method: str, path: str) -> None:
    assert ollama.find(method, path) is None


@pytest.mark.parametrize("path", ["/chat/completions", "/responses", "/completions", "/embeddings"])
@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_openai_offers_its_calls_with_and_without_v1(prefix: str, path: str) -> None:
    operation = openai.find("POST", prefix + path)
    assert operation is not None
    assert operation.path == path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/files"),
        ("POST", "/files"),
        ("POST", "/fine_tuning/jobs"),
        ("GET", "/chat/completions"),
        ("DELETE", "/models/ft:mine"),
        ("GET", "/responses/resp_1"),
        ("GET", "/organization/users"),
    ],
)
def test_openai_offers_nothing_that_acts_on_the_account(method: str, path: str) -> None:
    assert openai.find(method, path) is None


def test_a_retrieved_model_is_named_by_the_path() -> None:
    operation = openai.find("GET", "/v1/models/org%2Fname")
    assert operation is not None
    assert operation.path_model == "org/name"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("llama3.2", "llama3.2:latest", True),
        ("llama3.2", "llama3.2:1b", False),
        ("host:5000/team/model", "host:5000/team/model:latest", True),
    ],
)
def test_ollama_names_without_a_tag_mean_latest(one: str, other: str, same: bool) -> None:
    assert (ollama.canonical(one) == ollama.canonical(other)) is same


@pytest.mark.parametrize(
    ("value", "reading"),
    [
        ({"done": False, "response": "x"}, Reading()),
        (
            {"done": True, "prompt_eval_count": 4, "eval_count": 9},
            Reading(input_tokens=4, output_tokens=9, complete=True),
        ),
        ({"done": True, "eval_count": "9"}, Reading(complete=True)),
        ({"done": True, "eval_count": -1, "prompt_eval_count": True}, Reading(complete=True)),
        ({"error": "no"}, Reading(error="no")),
    ],
)
def test_ollama_usage_is_read_and_never_guessed(value: Any, reading: Reading) -> None:
    assert ollama.read(value) == reading


@pytest.mark.parametrize(
    ("value", "reading"),
    [
        (
            {"usage": {"prompt_tokens": 5, "completion_tokens": 6}},
            Reading(input_tokens=5, output_tokens=6),
        ),
        ({"usage": {"input_tokens": 5, "output_tokens": 6}}, Reading(5, 6)),
        (
            {"type": "response.completed", "response": {"usage": {"input_tokens": 1}}},
            Reading(input_tokens=1, complete=True),
        ),
        ({"choices": [{"finish_reason": None}]}, Reading()),
        ({"choices": [{"finish_reason": "stop"}]}, Reading(complete=True)),
        ({"choices": "?", "usage": []}, Reading()),
        ({"choices": ["?"]}, Reading()),
        ({"type": "error", "message": "no"}, Reading(error="no")),
        ({"error": {"message": "no"}}, Reading(error="no")),
        ({"error": None}, Reading()),
    ],
)
def test_openai_usage_is_read_and_never_guessed(value: Any, reading: Reading) -> None:
    assert openai.read(value) == reading


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("box", "http://box:11434"),
        ("box:4000", "http://box:4000"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:4000", "http://127.0.0.1:4000"),
        (":4000", "http://127.0.0.1:4000"),
        ("http://box", "http://box:80"),
        ("https://box", "https://box:443"),
        ("https://box:8443/ollama/", "https://box:8443/ollama"),
        ("http://user:secret@box:1", "http://user:secret@box:1"),
        ("[::1]:4000", "http://[::1]:4000"),
        ("::1", "http://[::1]:11434"),
        ("[::]", "http://[::1]:11434"),
        (' "box" ', "http://box:11434"),
        ("box:port", "http://box:11434"),
    ],
)
def test_the_address_is_read_as_ollama_reads_it(given: str, url: str) -> None:
    assert ollama.address(given) == url


@pytest.mark.spec("edge-4")
@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"error": {"message": "m", "code": "rate_limit_exceeded"}}, "model.rate_limited"),
        ({"error": {"message": "m", "code": "insufficient_quota"}}, "model.quota"),
        ({"type": "error", "message": "m", "code": "rate_limit_exceeded"}, "model.rate_limited"),
        (
            {
                "type": "response.failed",
                "response": {"error": {"code": "rate_limit_exceeded", "message": "m"}},
            },
            "model.rate_limited",
        ),
        ({"error": {"message": "m", "code": "server_error"}}, None),
        ({"error": {"message": "m", "code": 7}}, None),
        ({"error": {"message": "m"}}, None),
    ],
)
def test_an_error_within_a_stream_of_openai_is_told_by_its_code(
    value: Any, code: str | None
) -> None:
    reading = openai.read(value)
    assert (reading.error, reading.error_code) == ("m", code)


def test_every_provider_is_registered_under_its_own_name() -> None:
    assert {name: provider.name for name, provider in PROVIDERS.items()} == {
        "ollama": "ollama",
        "openai": "openai",
        "anthropic": "anthropic",
        "bedrock": "bedrock",
    }


def test_errors_under_v1_of_ollama_have_the_shape_of_openai() -> None:
    assert ollama.error_body("/api/chat", "no", "c")["error"] == "no"
    assert ollama.error_body("/v1/chat/completions", "no", "c")["error"]["message"] == "no"
