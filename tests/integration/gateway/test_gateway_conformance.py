"""Every provider's official client, held to the one suite."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from typing import Any, ClassVar, cast

import anthropic
import boto3
import ollama
import openai
import pytest
from anthropic.lib.bedrock import AsyncAnthropicBedrock
from botocore.config import Config
from botocore.exceptions import ClientError
from gateway_doors import KEY

from seatrial.domain.aws import AwsKeys
from seatrial.domain.ports import Upstream
from seatrial.gateway import sigv4
from seatrial.harness.sdk_env import AWS_ACCESS_KEY, PLACEHOLDER
from seatrial.testing.provider_conformance import ProviderCase, ProviderConformance
from seatrial.testing.providers import (
    ScriptedAnthropic,
    ScriptedBedrock,
    ScriptedOllama,
    ScriptedOpenAI,
)

HELLO: Any = [{"role": "user", "content": "hello"}]
AWS = AwsKeys(
    "AKIACANARY0000000001",
    "canary/secret+of0Seatrial0and0forty0chars",
    "eu-central-1",
    session_token="canary-token-" + "x" * 40,
)
AWS_SECRETS = (AWS.access_key, AWS.secret_key, str(AWS.session_token))
DUMMY = AwsKeys(AWS_ACCESS_KEY, PLACEHOLDER, "us-west-2")
NOVA = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0"
CLAUDE = "eu.anthropic.claude-sonnet-4-6-v1:0"


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


class OllamaCase(ProviderCase):
    refused = unauthorized = limited = ollama.ResponseError

    async def ask(self, url: str, model: str) -> str:
        client: Any = ollama.AsyncClient(f"{url}/ollama")
        return (await client.chat(model, HELLO)).message.content

    async def stream(self, url: str, model: str) -> Sequence[str]:
        client: Any = ollama.AsyncClient(f"{url}/ollama")
        return [part.message.content async for part in await client.chat(model, HELLO, stream=True)]

    def raw(self, host: str) -> tuple[str, dict[str, str], bytes]:
        return "/ollama/api/chat", {}, dumped({"model": self.model, "messages": HELLO})


class OpenAICase(ProviderCase):
    refused = openai.PermissionDeniedError
    unauthorized = openai.AuthenticationError
    limited = openai.RateLimitError

    def client(self, url: str) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{url}/openai/v1", api_key=PLACEHOLDER)

    async def ask(self, url: str, model: str) -> str:
        done = await self.client(url).chat.completions.create(model=model, messages=HELLO)
        return done.choices[0].message.content or ""

    async def stream(self, url: str, model: str) -> Sequence[str]:
        chunks = await self.client(url).chat.completions.create(
            model=model, messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        return [c.choices[0].delta.content or "" async for c in chunks if c.choices]

    def raw(self, host: str) -> tuple[str, dict[str, str], bytes]:
        body = {"model": self.model, "messages": HELLO, "stream": True}
        return "/openai/v1/chat/completions", {}, dumped(body)


class AnthropicCase(ProviderCase):
    refused: ClassVar[type[Exception]] = anthropic.PermissionDeniedError
    unauthorized: ClassVar[type[Exception]] = anthropic.AuthenticationError
    limited: ClassVar[type[Exception]] = anthropic.RateLimitError

    def client(self, url: str) -> Any:
        return anthropic.AsyncAnthropic(base_url=f"{url}/anthropic", api_key=PLACEHOLDER)

    async def ask(self, url: str, model: str) -> str:
        client = self.client(url)
        done = await client.messages.create(model=model, max_tokens=9, messages=HELLO)
        return done.content[0].text

    async def stream(self, url: str, model: str) -> Sequence[str]:
        client = self.client(url)
        async with client.messages.stream(model=model, max_tokens=9, messages=HELLO) as events:
            return [text async for text in events.text_stream]

    def raw(self, host: str) -> tuple[str, dict[str, str], bytes]:
        body = {"model": self.model, "max_tokens": 9, "messages": HELLO, "stream": True}
        headers = {"x-api-key": "mine", "anthropic-version": "2023-06-01"}
        return "/anthropic/v1/messages", headers, dumped(body)


class AnthropicBedrockCase(AnthropicCase):
    unauthorized = anthropic.PermissionDeniedError

    def client(self, url: str) -> Any:
        return AsyncAnthropicBedrock(
            base_url=f"{url}/bedrock",
            aws_access_key=DUMMY.access_key,
            aws_secret_key=DUMMY.secret_key,
            aws_region=DUMMY.region,
        )

    def raw(self, host: str) -> tuple[str, dict[str, str], bytes]:
        path = f"/bedrock/model/{self.model}/invoke-with-response-stream"
        body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": HELLO}
        return signed(host, path, dumped(body))


class Boto3Case(ProviderCase):
    refused = unauthorized = limited = ClientError

    async def ask(self, url: str, model: str) -> str:
        client = boto3_client(url)
        done = await asyncio.to_thread(client.converse, modelId=model, messages=TURNS)
        return done["output"]["message"]["content"][0]["text"]

    async def stream(self, url: str, model: str) -> Sequence[str]:
        client = boto3_client(url)

        def read() -> list[str]:
            answer = client.converse_stream(modelId=model, messages=TURNS)
            deltas = [event.get("contentBlockDelta") for event in answer["stream"]]
            return [delta["delta"]["text"] for delta in deltas if delta]

        return await asyncio.to_thread(read)

    def raw(self, host: str) -> tuple[str, dict[str, str], bytes]:
        model = self.model.replace(":", "%3A").replace("/", "%2F")
        return signed(host, f"/bedrock/model/{model}/converse-stream", dumped({"messages": TURNS}))


TURNS: Any = [{"role": "user", "content": [{"text": "hello"}]}]


def boto3_client(url: str) -> Any:
    make = cast("Any", boto3).client
    return make(
        "bedrock-runtime",
        endpoint_url=f"{url}/bedrock",
        region_name=DUMMY.region,
        aws_access_key_id=DUMMY.access_key,
        aws_secret_access_key=DUMMY.secret_key,
        config=Config(retries={"mode": "standard", "max_attempts": 2}),
    )


def signed(host: str, path: str, body: bytes) -> tuple[str, dict[str, str], bytes]:
    kind = "application/json"
    made = sigv4.signed_headers("POST", f"http://{host}{path}", kind, body, DUMMY)
    return path, {"Content-Type": kind, **made}, body


class TestOllama(ProviderConformance):
    @pytest.fixture
    async def case(self) -> AsyncGenerator[ProviderCase]:
        async with ScriptedOllama() as service:
            yield OllamaCase(service, Upstream("ollama", service.url, frozenset({"scripted"})))


class TestOpenAI(ProviderConformance):
    @pytest.fixture
    async def case(self) -> AsyncGenerator[ProviderCase]:
        async with ScriptedOpenAI() as service:
            upstream = Upstream("openai", f"{service.url}/v1", frozenset({"scripted"}), KEY)
            yield OpenAICase(service, upstream, (KEY,))


class TestAnthropic(ProviderConformance):
    @pytest.fixture
    async def case(self) -> AsyncGenerator[ProviderCase]:
        async with ScriptedAnthropic() as service:
            service.key = KEY
            upstream = Upstream("anthropic", service.url, frozenset({"claude-x"}), KEY)
            yield AnthropicCase(service, upstream, (KEY,))


class TestBedrockConverse(ProviderConformance):
    @pytest.fixture
    async def case(self) -> AsyncGenerator[ProviderCase]:
        async with ScriptedBedrock(AWS) as service:
            upstream = Upstream("bedrock", service.url, frozenset({NOVA}), credential=AWS)
            yield Boto3Case(service, upstream, AWS_SECRETS)


class TestBedrockOfAnthropic(ProviderConformance):
    @pytest.fixture
    async def case(self) -> AsyncGenerator[ProviderCase]:
        async with ScriptedBedrock(AWS) as service:
            upstream = Upstream("bedrock", service.url, frozenset({CLAUDE}), credential=AWS)
            yield AnthropicBedrockCase(service, upstream, AWS_SECRETS)
