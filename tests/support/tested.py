"""Succeeded tests of every provider, as packages are made of them."""

from __future__ import annotations

from datetime import UTC, datetime

from seatrial.domain.builds import Build, UsedService
from seatrial.domain.events import ModelCallEvent
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Durations, Metrics, Result, Test
from seatrial.packages import Tested

AGENT = 'def run(query):\n    return "echo: " + query\n'

LOCK = (
    "six==1.17.0 \\\n"
    "    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274 \\\n"
    "    --hash=sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81\n"
)

MODELS = {
    "bedrock": "bedrock:us.amazon.nova-lite-v1:0",
    "openai": "openai:gpt-test",
    "anthropic": "anthropic:claude-test",
    "ollama": "ollama:llama3.2",
    "none": None,
}

_SERVICES = {
    "bedrock": (
        UsedService(
            provider="bedrock",
            base_url="https://bedrock-runtime.us-east-1.amazonaws.com",
            models=("us.amazon.nova-lite-v1:0",),
            region="us-east-1",
            has_key=True,
        ),
    ),
    "openai": (
        UsedService(
            provider="openai",
            base_url="https://models.example/v1",
            models=("gpt-test",),
            has_key=True,
        ),
    ),
    "anthropic": (
        UsedService(
            provider="anthropic",
            base_url="https://api.anthropic.com",
            models=("claude-test",),
            has_key=True,
        ),
    ),
    "ollama": (
        UsedService(provider="ollama", base_url="http://127.0.0.1:11434", models=("llama3.2",)),
        UsedService(provider="openai", base_url="http://127.0.0.1:11434/v1", models=("llama3.2",)),
    ),
    "none": (),
}


def succeeded(
    provider: str = "none",
    *,
    lock: str = "",
    request: TestRequest | None = None,
    hosts: tuple[str, ...] = (),
    entry_point: str = "agent.py:run",
    framework: str = "function",
    python: str = "3.11",
    peak_mib: int = 60,
    wall_seconds: float = 2.0,
) -> Tested:
    """A test that succeeded with that provider."""
    model = MODELS[provider]
    asked = request or TestRequest(files={"agent.py": AGENT}, query="What is the sea?", model=model)
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    test = Test(
        id="01test0000000000000abcdefg",
        owner="me",
        request=asked,
        phase=Phase.COMPLETED,
        outcome=Outcome.SUCCEEDED,
        attempt=1,
        result=Result(
            response="echo: What is the sea?",
            exit_code=0,
            entry_point=entry_point,
            framework=framework,
            model=model,
        ),
        metrics=Metrics(
            wall_seconds=wall_seconds,
            cpu_seconds=0.4,
            memory_peak_bytes=peak_mib * 2**20,
            model_calls=1,
            durations=Durations(running=wall_seconds),
        ),
        created_at=at,
        started_at=at,
        completed_at=at,
    )
    kind, _, name = (model or "").partition(":")
    call = ModelCallEvent(provider=kind, model=name, status=200, latency_seconds=1.0)
    build = Build(
        python=python,
        architecture="x86_64",
        image="sha256:0123",
        lock=lock,
        services=_SERVICES[provider],
    )
    return Tested(test=test, build=build, calls=(call,) if model else (), hosts=hosts)
