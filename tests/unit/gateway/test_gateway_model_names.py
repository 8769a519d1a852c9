"""A model's name is never a path: not in what a user may name, nor in what is asked for it."""

from __future__ import annotations

import pytest

from seatrial.domain.ports import Upstream
from seatrial.domain.validation.models import OFFERED_PROVIDERS, model_problems
from seatrial.gateway import admission
from seatrial.gateway.providers.registry import PROVIDERS

ODD = [
    "../files",
    "..",
    ".",
    "a/../../files",
    "a/..",
    "a/./b",
    "./a",
    "a/.",
    "%2e%2e%2ffiles",
    "a%2Fb",
    "a?b=c",
    "a#b",
    "a//b",
    "/a",
    "a/",
    "a\\b",
    "a\x00b",
    "a\x7fb",
    "a\x85b",
    "a\nb",
]
REAL = {
    "openai": ["gpt-4o", "ft:gpt-4o-mini:org::ab12", "meta-llama/Llama-3.1-8B-Instruct", "a@b+c"],
    "anthropic": ["claude-sonnet-4-20250514", "claude-3-5-haiku-latest"],
    "ollama": ["llama3.2", "llama3.2:1b", "hf.co/a/b:q4"],
    "bedrock": ["amazon.nova-lite-v1:0", "us.amazon.nova-lite-v1:0"],
}
PATHS = {
    "openai": ["/models/{}", "/v1/models/{}"],
    "anthropic": ["/v1/models/{}"],
    "ollama": ["/v1/models/{}"],
    "bedrock": ["/model/{}/converse", "/model/{}/invoke"],
}


def problems(provider: str, name: str) -> list[str]:
    return [one.code for one in model_problems(f"{provider}:{name}", OFFERED_PROVIDERS)]


@pytest.mark.parametrize("provider", sorted(PATHS))
@pytest.mark.parametrize("name", ODD)
def test_no_test_can_name_a_model_that_reads_as_a_path(provider: str, name: str) -> None:
    assert problems(provider, name)


@pytest.mark.parametrize(("provider", "name"), [(p, n) for p, names in REAL.items() for n in names])
def test_real_names_pass(provider: str, name: str) -> None:
    assert not problems(provider, name)


def test_every_provider_has_its_form_and_its_paths() -> None:
    assert set(PATHS) == {name for name in PROVIDERS if name in OFFERED_PROVIDERS}


@pytest.mark.parametrize(("provider", "path"), [(p, path) for p in PATHS for path in PATHS[p]])
@pytest.mark.parametrize("name", ["../files", "%2e%2e%2ffiles", "a%2F..%2Fb", "a?b", "a%23b", "."])
def test_a_call_for_a_model_asks_for_one_segment(provider: str, path: str, name: str) -> None:
    """Also where such a name was allowed, say by an older version."""
    kind = PROVIDERS[provider]
    operation = kind.find("POST" if "/model/" in path else "GET", path.format(name))
    if operation is None or operation.path_model is None:
        return
    offered = Upstream(provider, "http://box", frozenset({"allowed"}))
    refusal, _ = admission.check_models(kind, offered, operation, admission.Body())
    assert refusal is not None
    segments = operation.path.split("/")
    assert len(segments) == len(path.split("/")) - path.count("v1/") * (provider == "openai")
    if provider != "bedrock":  # its path is signed as it was sent, and holds one segment
        assert "?" not in operation.path
        assert "%2e" not in operation.path.lower().replace("%252e", "")
