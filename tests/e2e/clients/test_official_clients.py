"""Official clients, unmodified, in real containers, through the whole path to their service.

The services are scripted and say so; they speak the real protocols, and Bedrock's verifies the
signature with the real secret and the parameters against AWS's own description. An agent of each
family makes all calls of its clients and returns what came of them.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from seatrial.domain.events import ModelCallEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import Limits, TestRequest
from seatrial.testing.providers import INPUT_TOKENS, TEXT, VECTOR, Departure, Mode, cue
from tests.support import scripted
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
CLAUDE = "eu.anthropic.claude-sonnet-4-6-v1:0"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0"
MODELS = (
    "ollama:scripted",
    "ollama:vectors",
    "openai:gpt-x",
    "openai:vectors-x",
    "anthropic:claude-x",
    f"bedrock:{CLAUDE}",
    f"bedrock:{ARN}",
    "bedrock:amazon.titan-embed-text-v2:0",
)
COHERE = "bedrock:cohere.embed-multilingual-v3"
FAMILIES = (
    "bedrock_sdks",
    "ollama_sdks",
    "openai_agents",
    "strands_agents",
    "openai_sdks",
    "anthropic_sdks",
    "langgraph_agents",
    "pydantic_agents",
    "litellm_calls",
)
REPRESENTATIVE = FAMILIES[:4]
"""What runs on Podman too when not everything does: each provider's wire is among it."""

GONE_SECONDS = 10.0
"""An upstream's connection is closed this soon after its client left, on a busy machine."""

EXPECTED: Mapping[str, object] = {
    "answer": "".join(TEXT),
    "stream": list(TEXT),
    "tool": "The tool said: 21 degrees in Paris.",
}
SHOWN = {
    "refused": "this test may use",
    "refused_embedding": "this test may use",
    "error": "a message has no content",
}
"""What a client shows of our refusal of another model, and of its service's own error."""

EMBEDDING = "embed"
"""What the name of a call's model or operation has in it when it makes vectors."""

Found = dict[str, dict[str, Any]]
"""What an agent returns: by client and kind of call, what came of it."""


def request(family: str) -> TestRequest:
    agents = HERE / "agents"
    bedrock = [model for model in MODELS if model.startswith("bedrock:")]
    models = [*bedrock, COHERE] if family == "bedrock_sdks" else MODELS
    requirements = "requirements-litellm.txt" if "litellm" in family else "requirements.txt"
    return TestRequest(
        files={
            "agent.py": (agents / f"{family}.py").read_text(),
            "probe.py": (agents / "probe.py").read_text(),
        },
        requirements=(HERE / requirements).read_text(),
        query="go",
        entry_point="agent.py:run",
        model=",".join(models),
        limits=Limits(memory_mb=1536, cpus=2),
        timeout_seconds=600,
    )


HALF = FAMILIES if os.environ.get("SEATRIAL_TEST_FULL") else REPRESENTATIVE


@pytest.mark.spec("US1-2", "US1-4", "FR-002", "FR-008", "FR-013")
@pytest.mark.parametrize("engine_url", ["docker"], indirect=True, scope="session")
@pytest.mark.parametrize("family", FAMILIES)
def test_official_clients_run_unmodified_and_never_hold_the_real_key(
    served: Serving, services: scripted.Services, family: str
) -> None:
    _check(served, services, family)


@pytest.mark.spec("US1-2", "US1-4", "FR-002", "FR-008", "FR-013")
@pytest.mark.parametrize("engine_url", ["podman"], indirect=True, scope="session")
@pytest.mark.parametrize("family", HALF)
def test_official_clients_run_unmodified_on_podman_too(
    served: Serving, services: scripted.Services, family: str
) -> None:
    _check(served, services, family)


def _check(served: Serving, services: scripted.Services, family: str) -> None:
    before = len(services.departures)
    with served.client() as client:
        done = client.wait(client.submit(request(family)).id)
        events = list(client.events(done.id, follow=False))

    assert done.outcome is Outcome.SUCCEEDED, (done.failure, served.log[-2000:])
    assert done.result is not None
    found: Found = json.loads(done.result.response)
    assert not {
        (name, kind): value
        for name, kinds in found.items()
        for kind, value in kinds.items()
        if not _is_right(kind, value)
    }
    _check_departures(found, services.departures[before:])
    _check_journal(found, [e.data for e in events if isinstance(e.data, ModelCallEvent)])
    kept = repr(events) + served.log
    assert not [secret for secret in scripted.SECRETS if secret in kept]


def _is_right(kind: str, value: Any) -> bool:
    """Whether that is what the kind of call must come to; what is not named is a vector."""
    if kind in SHOWN:
        return isinstance(value, str) and SHOWN[kind] in value
    if kind == "gone":
        return isinstance(value, float)
    return value == EXPECTED.get(kind, list(VECTOR))


def _check_departures(found: Found, departures: Sequence[Departure]) -> None:
    """Each service saw the client go that left it, soon after it went."""
    for name, kinds in found.items():
        if "gone" in kinds:
            asked = f"for {name} {cue(Mode.GATED)}".encode()
            waited = [left.at - kinds["gone"] for left in departures if asked in left.seen.body]
            assert waited, f"{name} went away and its service was not told"
            assert max(waited) < GONE_SECONDS, name


def _check_journal(found: Found, calls: Sequence[ModelCallEvent]) -> None:
    """Every refusal and every error is there once, nothing else failed, and usage is counted."""
    kinds = Counter(kind for kinds in found.values() for kind in kinds)
    # LiteLLM asks Ollama about a model before it calls it, and is refused there too.
    errors = Counter(call.error for call in calls if call.operation != "show")
    assert errors["model.not_allowed"] == kinds["refused"] + kinds["refused_embedding"]
    assert errors["model.bad_request"] == kinds["error"]
    assert set(errors) == {None, "model.not_allowed", "model.bad_request"}
    left = [call for call in calls if "agent closed the connection" in call.message]
    assert len(left) == kinds["gone"]
    for call in calls:
        if call.error is None and EMBEDDING in call.model + call.operation:
            told = (call.provider, call.operation) != ("ollama", "embeddings")
            assert call.input_tokens == (INPUT_TOKENS if told else None), call
            assert call.output_tokens is None, call
