"""Whether the packages of agents as people write them build, boot and answer without a change.

    python benchmarks/packages.py [--engine docker|podman] [--all] [--target NAME] [--only TEXT]

For each provider, framework and target: a real test with the official client against a scripted
service, its package, and the worker's own trial of it: the image built with the Dockerfile as
shipped, started read-only without root, asked the tested query (answered from the test's recording)
and stopped. Without --all a selection in which every provider, framework and target is. Exits with
1 unless every one works and each package is made within a second.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from served import Served, engine, exit_code_of

from seatrial.client import AsyncClient
from seatrial.domain.aws import AwsKeys
from seatrial.domain.packages import TARGETS, Rehearsal, Target
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import Limits, TestRequest
from seatrial.domain.tests import Test
from seatrial.testing.providers import (
    ScriptedAnthropic,
    ScriptedBedrock,
    ScriptedOllama,
    ScriptedOpenAI,
)

KEY = "a-key-of-the-benchmark"
AWS = AwsKeys("AKIABENCHMARK0000001", "a/secret+key0of0forty0characters0for0it0", "eu-central-1")
CLAUDE = "eu.anthropic.claude-sonnet-4-6-v1:0"
MODELS = {
    "none": "none",
    "ollama": "ollama:scripted",
    "openai": "openai:gpt-x",
    "anthropic": "anthropic:claude-x",
    "bedrock": f"bedrock:{CLAUDE}",
}
MODEL = 'import os\nMODEL = os.environ["SEATRIAL_MODEL"]\n'
SECONDS = 1.0
"""In which a package has to be made."""
_TRIAL_SECONDS = 1800.0

ASK = {
    "none": ("", "def ask(query):\n    return 'echo: ' + query\n"),
    "ollama": (
        "ollama",
        "import ollama\ndef ask(query):\n"
        "    said = [{'role': 'user', 'content': query}]\n"
        "    return ollama.chat(model=MODEL, messages=said).message.content\n",
    ),
    "openai": (
        "openai",
        "import openai\ndef ask(query):\n"
        "    return openai.OpenAI().responses.create(model=MODEL, input=query).output_text\n",
    ),
    "anthropic": (
        "anthropic",
        "import anthropic\ndef ask(query):\n"
        "    said = [{'role': 'user', 'content': query}]\n"
        "    client = anthropic.Anthropic()\n"
        "    done = client.messages.create(model=MODEL, max_tokens=64, messages=said)\n"
        "    return done.content[0].text\n",
    ),
    "bedrock": (
        "boto3",
        "import boto3\ndef ask(query):\n"
        "    said = [{'role': 'user', 'content': [{'text': query}]}]\n"
        "    done = boto3.client('bedrock-runtime').converse(modelId=MODEL, messages=said)\n"
        "    return done['output']['message']['content'][0]['text']\n",
    ),
}
"""Each provider's own client: requirements and a function."""

STRANDS = {
    "ollama": ("ollama", "ollama", "OllamaModel(None, model_id=MODEL)"),
    "openai": ("openai", "openai", "OpenAIModel(model_id=MODEL)"),
    "anthropic": ("anthropic", "anthropic", "AnthropicModel(model_id=MODEL, max_tokens=64)"),
    "bedrock": ("", "bedrock", "BedrockModel(model_id=MODEL)"),
}
LANGCHAIN = {
    "ollama": ("ollama", "ChatOllama"),
    "openai": ("openai", "ChatOpenAI"),
    "anthropic": ("anthropic", "ChatAnthropic"),
    "bedrock": ("aws", "ChatBedrockConverse"),
}


@dataclass(frozen=True)
class Combination:
    """An agent as people write it."""

    provider: str
    framework: str
    requirements: str
    source: str

    def __str__(self) -> str:
        """Its name in the table."""
        return f"{self.provider} {self.framework}"


@dataclass
class Found:
    """What came out."""

    works: int = 0
    all: int = 0
    longest: float = 0.0
    wrong: list[str] = field(default_factory=list[str])

    def note(self, name: str, why: str) -> None:
        """One combination for one target; `why` it does not work, or empty."""
        self.all += 1
        self.works += not why
        if why:
            self.wrong.append(f"{name}: {why}")
        print(f"{'works' if not why else 'FAILS'}  {name}{': ' if why else ''}{why}", flush=True)


def combinations() -> list[Combination]:
    """Every framework with every provider that it speaks to."""
    found: list[Combination] = []
    for provider, (requirements, code) in ASK.items():
        head = MODEL if provider != "none" else ""
        script = f"{head}{code}import sys\nprint(ask(sys.argv[1]))\n"
        found += [
            Combination(provider, "function", requirements, f"{head}{code}run = ask\n"),
            Combination(provider, "script", requirements, script),
        ]
    found += [_strands(provider) for provider in STRANDS]
    found += [_langgraph(provider) for provider in LANGCHAIN]
    found += [_pydantic(provider) for provider in LANGCHAIN]
    return [*found, *(_openai_agents(provider) for provider in ("openai", "ollama"))]


def _strands(provider: str) -> Combination:
    requirement, module, model = STRANDS[provider]
    name = model.partition("(")[0]
    source = (
        f"{MODEL}from strands import Agent\nfrom strands.models.{module} import {name}\n"
        f"agent = Agent(model={model}, callback_handler=None)\n"
    )
    return Combination(provider, "strands", f"strands-agents\n{requirement}", source)


def _langgraph(provider: str) -> Combination:
    package, kind = LANGCHAIN[provider]
    source = (
        f"{MODEL}from langchain.agents import create_agent\n"
        f"from langchain_{package} import {kind}\ngraph = create_agent({kind}(model=MODEL), [])\n"
    )
    return Combination(provider, "langgraph", f"langchain\nlangchain-{package}", source)


def _pydantic(provider: str) -> Combination:
    extra = "openai" if provider == "ollama" else provider
    source = f"{MODEL}from pydantic_ai import Agent\nagent = Agent('{provider}:' + MODEL)\n"
    return Combination(provider, "pydantic_ai", f"pydantic-ai-slim[{extra}]", source)


def _openai_agents(provider: str) -> Combination:
    chat = (
        "from agents import Agent, OpenAIChatCompletionsModel\nfrom openai import AsyncOpenAI\n"
        "model = OpenAIChatCompletionsModel(MODEL, AsyncOpenAI())\n"
    )
    source = f"{MODEL}{chat}assistant = Agent(name='a', model=model)\n"
    return Combination(provider, "openai_agents", "openai-agents", source)


SELECTION: tuple[tuple[str, str, Target], ...] = (
    ("none", "script", "compose"),
    ("ollama", "strands", "fargate"),
    ("openai", "openai_agents", "lambda"),
    ("openai", "pydantic_ai", "compose"),
    ("anthropic", "langgraph", "lambda"),
    ("bedrock", "function", "agentcore"),
)


def chosen(given: argparse.Namespace) -> list[tuple[Combination, list[Target]]]:
    """What is run, with the targets of each."""
    picked: dict[tuple[str, str], list[Target]] = {}
    for provider, framework, target in SELECTION:
        picked.setdefault((provider, framework), []).append(target)
    found: list[tuple[Combination, list[Target]]] = []
    for one in combinations():
        targets = list(TARGETS) if given.all else picked.get((one.provider, one.framework), [])
        targets = [target for target in targets if given.target in {None, target}]
        if targets and given.only in str(one):
            found.append((one, targets))
    return found


async def try_out(
    client: AsyncClient, found: Found, one: Combination, targets: list[Target]
) -> None:
    """One test and its packages."""
    started = time.perf_counter()
    submitted = await client.submit(
        TestRequest(
            files={"agent.py": one.source},
            requirements=one.requirements,
            query="Name the capital of France.",
            model=MODELS[one.provider],
            record=True,
            limits=Limits(memory_mb=1024),
        )
    )
    test = await client.wait(submitted.id)
    print(f"       {one}: tested in {time.perf_counter() - started:.0f} s", flush=True)
    if test.outcome is not Outcome.SUCCEEDED:
        why = test.failure.message if test.failure else str(test.outcome)
        for target in targets:
            found.note(f"{one} {target}", f"the test itself: {why}")
        return
    for target in targets:
        found.note(f"{one} {target}", await _package(client, found, test, target))


async def _package(client: AsyncClient, found: Found, test: Test, target: Target) -> str:
    """Make it and wait for its trial; why it does not work, or empty."""
    started = time.perf_counter()
    await client.build_package(test.id, target)
    found.longest = max(found.longest, time.perf_counter() - started)
    trial = await _trial(client, test.id, target)
    bad = [one for one in trial.checks if one.result != "passed"]
    if not bad and trial.state == "passed":
        return ""
    return "; ".join(f"{one.name}: {one.result} {one.detail[-300:]}" for one in bad) or trial.state


async def _trial(client: AsyncClient, test_id: str, target: Target) -> Rehearsal:
    async with asyncio.timeout(_TRIAL_SECONDS):
        while True:
            made = {one.target: one for one in (await client.packages(test_id)).packages}
            if made[target].rehearsal.state not in {"waiting", "running"}:
                return made[target].rehearsal
            await asyncio.sleep(0.5)


async def services(stack: AsyncExitStack) -> Mapping[str, str]:
    """Scripted model services; the variables by which the server finds them."""
    anthropic = ScriptedAnthropic(("claude-x",))
    anthropic.key = KEY
    await stack.enter_async_context(anthropic)
    ollama = await stack.enter_async_context(ScriptedOllama(("scripted:latest",)))
    openai = await stack.enter_async_context(ScriptedOpenAI(("gpt-x",)))
    bedrock = await stack.enter_async_context(ScriptedBedrock(AWS))
    return {
        "OLLAMA_HOST": ollama.url,
        "OPENAI_BASE_URL": f"{openai.url}/v1",
        "OPENAI_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": anthropic.url,
        "ANTHROPIC_API_KEY": KEY,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
        "AWS_ACCESS_KEY_ID": AWS.access_key,
        "AWS_SECRET_ACCESS_KEY": AWS.secret_key,
        "AWS_REGION": AWS.region,
    }


async def run(given: argparse.Namespace) -> bool:
    """Everything; whether every combination works and every package was made in time."""
    found = Found()
    print(f"{given.engine}, load {os.getloadavg()[0]:.1f} at the start", flush=True)
    async with engine(given.engine, given.socket) as url, AsyncExitStack() as stack:
        also = await services(stack)
        served = await stack.enter_async_context(Served({"docker_host": url}, also=also))
        client = await stack.enter_async_context(served.client())
        for one, targets in chosen(given):
            await try_out(client, found, one, targets)
    good, quick = found.works == found.all > 0, found.longest < SECONDS
    print(f"works unchanged: {found.works} of {found.all} (goal: all): {_verdict(good)}")
    print(f"longest making: {found.longest:.2f} s (goal: {SECONDS:.0f} s): {_verdict(quick)}")
    return good and quick


def _verdict(kept: bool) -> str:
    return "kept" if kept else "MISSED"


def main() -> None:
    """Read the options; the exit code tells whether all is kept."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=("docker", "podman"), default="docker")
    parser.add_argument("--socket", help="url of the engine's socket; without it a private engine")
    parser.add_argument("--all", action="store_true", help="every combination for every target")
    parser.add_argument("--target", choices=TARGETS, help="this target alone")
    parser.add_argument("--only", default="", help="part of a name: `openai strands`, for example")
    raise SystemExit(exit_code_of(run(parser.parse_args())))


if __name__ == "__main__":
    main()
