"""Scripted model services in a thread of their own, for tests that run the whole product."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass

from seatrial.domain.aws import AwsKeys
from seatrial.testing.providers import (
    Departure,
    ScriptedAnthropic,
    ScriptedBedrock,
    ScriptedOllama,
    ScriptedOpenAI,
    ScriptedProvider,
)

KEY = "sk-canary-e2e-7f3b1c5d"
AWS = AwsKeys("AKIACANARY0000000002", "canary/e2e+secret0of0forty0characters0ok", "eu-central-1")
SECRETS = (KEY, AWS.access_key, AWS.secret_key)
"""What must never be in a container, a journal or a log."""


@dataclass(frozen=True)
class Services:
    """One service of each kind."""

    ollama: ScriptedOllama
    openai: ScriptedOpenAI
    anthropic: ScriptedAnthropic
    bedrock: ScriptedBedrock
    loop: asyncio.AbstractEventLoop

    def release(self, service: ScriptedProvider, pieces: int) -> None:
        """Let so many more pieces of the service's gated streams through."""
        for _ in range(pieces):
            self.loop.call_soon_threadsafe(service.release.release)

    def until_abandoned(self, service: ScriptedProvider) -> None:
        """Wait until a caller of the service has gone away before its answer ended."""
        asyncio.run_coroutine_threadsafe(service.abandoned.wait(), self.loop).result(30)

    @property
    def departures(self) -> Sequence[Departure]:
        """The calls of all services whose caller went away, in the order in which they did."""
        every = (self.ollama, self.openai, self.anthropic, self.bedrock)
        return sorted((left for one in every for left in one.departures), key=lambda left: left.at)

    @property
    def environment(self) -> Mapping[str, str]:
        """What the server's process needs to find them, with the real keys."""
        return {
            "OLLAMA_HOST": self.ollama.url,
            "OPENAI_BASE_URL": f"{self.openai.url}/v1",
            "OPENAI_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": self.anthropic.url,
            "ANTHROPIC_API_KEY": KEY,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.bedrock.url,
            "AWS_ACCESS_KEY_ID": AWS.access_key,
            "AWS_SECRET_ACCESS_KEY": AWS.secret_key,
            "AWS_REGION": AWS.region,
        }


@contextmanager
def services() -> Generator[Services]:
    """Start them; they end with the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="scripted services")
    thread.start()
    stack = AsyncExitStack()
    try:
        yield asyncio.run_coroutine_threadsafe(_start(stack), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(stack: AsyncExitStack) -> Services:
    anthropic = ScriptedAnthropic(("claude-x",))
    anthropic.key = KEY
    return Services(
        await stack.enter_async_context(ScriptedOllama(("scripted:latest", "vectors:latest"))),
        await stack.enter_async_context(ScriptedOpenAI(("gpt-x", "vectors-x"))),
        await stack.enter_async_context(anthropic),
        await stack.enter_async_context(ScriptedBedrock(AWS)),
        asyncio.get_running_loop(),
    )
