"""Official clients, unmodified, in real containers: each finds its service and its real key.

The services are scripted ones that speak the real protocols; Bedrock's verifies the signature
with the real secret. An agent of each family makes several calls and returns what it read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from seatrial.domain.events import ModelCallEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import Limits, TestRequest
from seatrial.testing.providers import TEXT
from tests.support import scripted
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

WHOLE = "".join(TEXT)
CLAUDE = "eu.anthropic.claude-sonnet-4-6-v1:0"
ARN = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0"
TITAN = "amazon.titan-embed-text-v2:0"
BEDROCK = ",".join(f"bedrock:{model}" for model in (CLAUDE, ARN, TITAN))

BOTO3 = f"""
import base64, json, boto3, botocore.exceptions

CLAUDE, ARN, TITAN = {CLAUDE!r}, {ARN!r}, {TITAN!r}
TURNS = [{{"role": "user", "content": [{{"text": "hello"}}]}}]
NATIVE = json.dumps({{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
                     "messages": [{{"role": "user", "content": "hello"}}]}})

def run(query):
    client = boto3.client("bedrock-runtime")
    found = {{}}
    answer = client.converse(modelId=ARN, messages=TURNS)
    found["converse"] = answer["output"]["message"]["content"][0]["text"]
    events = client.converse_stream(modelId=CLAUDE, messages=TURNS)["stream"]
    found["converse_stream"] = "".join(
        e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e)
    answer = client.invoke_model(modelId=CLAUDE, body=NATIVE)
    found["invoke_model"] = json.loads(answer["body"].read())["content"][0]["text"]
    events = client.invoke_model_with_response_stream(modelId=CLAUDE, body=NATIVE)["body"]
    chunks = [json.loads(e["chunk"]["bytes"]) for e in events]
    found["invoke_stream"] = "".join(c["delta"].get("text", "") for c in chunks if "delta" in c)
    answer = client.invoke_model(modelId=TITAN, body=json.dumps({{"inputText": "hello"}}))
    found["titan"] = json.loads(answer["body"].read())["embedding"]
    try:
        client.converse(modelId="amazon.nova-pro-v1:0", messages=TURNS)
    except botocore.exceptions.ClientError as error:
        found["refused"] = error.response["Error"]["Code"]

    from anthropic import AnthropicBedrock
    bedrock = AnthropicBedrock()
    hello = dict(model=CLAUDE, max_tokens=9, messages=[{{"role": "user", "content": "hello"}}])
    found["anthropic"] = bedrock.messages.create(**hello).content[0].text
    with bedrock.messages.stream(**hello) as stream:
        found["anthropic_stream"] = "".join(stream.text_stream)

    from langchain_aws import ChatBedrockConverse
    found["langchain"] = ChatBedrockConverse(model=CLAUDE).invoke("hello").text
    return json.dumps(found)
"""

OPENAI = """
import json, openai

def run(query):
    client, hello = openai.OpenAI(), [{"role": "user", "content": "hello"}]
    chat, found = client.chat.completions, {}
    found["chat"] = chat.create(model="gpt-x", messages=hello).choices[0].message.content
    parts = chat.create(model="gpt-x", messages=hello, stream=True)
    found["stream"] = "".join(p.choices[0].delta.content or "" for p in parts if p.choices)
    found["responses"] = client.responses.create(model="gpt-x", input="hello").output_text
    found["models"] = [model.id for model in client.models.list()]
    try:
        chat.create(model="gpt-y", messages=hello)
    except openai.PermissionDeniedError as error:
        found["refused"] = error.code

    from langchain_openai import ChatOpenAI
    found["langchain"] = ChatOpenAI(model="gpt-x").invoke("hello").text
    return json.dumps(found)
"""

ANTHROPIC = """
import json, anthropic

def run(query):
    client, found = anthropic.Anthropic(), {}
    hello = dict(model="claude-x", messages=[{"role": "user", "content": "hello"}])
    found["messages"] = client.messages.create(max_tokens=9, **hello).content[0].text
    with client.messages.stream(max_tokens=9, **hello) as stream:
        found["stream"] = "".join(stream.text_stream)
    found["count"] = client.messages.count_tokens(**hello).input_tokens
    try:
        client.messages.create(**{**hello, "model": "claude-y"}, max_tokens=9)
    except anthropic.PermissionDeniedError as error:
        found["refused"] = error.body["error"]["type"]

    from langchain_anthropic import ChatAnthropic
    found["langchain"] = ChatAnthropic(model="claude-x").invoke("hello").text
    return json.dumps(found)
"""

OLLAMA = """
import json, ollama

def run(query):
    hello, found = [{"role": "user", "content": "hello"}], {}
    found["chat"] = ollama.chat("scripted", hello).message.content
    parts = ollama.chat("scripted", hello, stream=True)
    found["stream"] = "".join(part.message.content for part in parts)
    found["embed"] = list(ollama.embed("scripted", "hello").embeddings[0])
    written = ollama.Client(host="http://localhost:11434")
    found["hard_coded"] = written.generate("scripted", "hello").response
    try:
        ollama.chat("other", hello)
    except ollama.ResponseError as error:
        found["refused"] = error.status_code

    from langchain_ollama import ChatOllama
    found["langchain"] = ChatOllama(model="scripted").invoke("hello").text
    return json.dumps(found)
"""

LITELLM = f"""
import json, litellm

def run(query):
    found = {{}}
    for model in ("ollama_chat/scripted", "openai/gpt-x", "anthropic/claude-x",
                  "bedrock/converse/{CLAUDE}"):
        hello = [{{"role": "user", "content": "hello"}}]
        answer = litellm.completion(model=model, messages=hello)
        found[model] = answer.choices[0].message.content
    return json.dumps(found)
"""

FAMILIES = {
    "bedrock": ("boto3\nanthropic[bedrock]\nlangchain-aws\n", BOTO3, BEDROCK, 9),
    "openai": ("openai\nlangchain-openai\n", OPENAI, "openai:gpt-x", 5),
    "anthropic": ("anthropic\nlangchain-anthropic\n", ANTHROPIC, "anthropic:claude-x", 4),
    "ollama": ("ollama\nlangchain-ollama\n", OLLAMA, "ollama:scripted", 6),
    "litellm": (
        "litellm\nboto3\n",
        LITELLM,
        f"ollama:scripted,openai:gpt-x,anthropic:claude-x,bedrock:{CLAUDE}",
        4,
    ),
}
OTHERWISE = {
    "titan": [0.5, 0.25],
    "embed": [0.5, 0.25],
    "models": ["gpt-x"],
    "count": 11,
}
REFUSED = {
    "bedrock": "AccessDeniedException",
    "openai": "model_not_allowed",
    "anthropic": "permission_error",
    "ollama": 403,
}


@pytest.fixture(scope="module")
def served(docker_socket: str) -> Iterator[Serving]:
    """A server whose model services are the scripted ones.

    What it does with them is the same on every engine, so one is enough.
    """
    with scripted.services() as services:
        process = Serving({"docker_host": docker_socket}, extra_environment=services.environment)
        yield process.start()
        process.close()


@pytest.mark.spec("US1-2", "US1-4", "FR-002", "FR-008", "FR-013")
@pytest.mark.parametrize("family", FAMILIES)
def test_official_clients_run_unmodified_and_never_hold_the_real_key(
    served: Serving, family: str
) -> None:
    requirements, source, model, calls = FAMILIES[family]
    request = TestRequest(
        files={"agent.py": source},
        requirements=requirements,
        query="go",
        model=model,
        limits=Limits(memory_mb=1536),
    )
    with served.client() as client:
        done = client.wait(client.submit(request).id)
        events = list(client.events(done.id, follow=False))

    assert done.outcome is Outcome.SUCCEEDED, (done.failure, served.log[-2000:])
    assert done.result is not None
    found = json.loads(done.result.response)
    expected = {**dict.fromkeys(found, WHOLE), **OTHERWISE, "refused": REFUSED.get(family)}
    assert found == {name: expected[name] for name in found}
    made = [event.data for event in events if isinstance(event.data, ModelCallEvent)]
    refused = [call for call in made if call.error == "model.not_allowed"]
    assert len(refused) == (family in REFUSED)
    assert [call.error for call in made if call not in refused] == [None] * len(
        made[len(refused) :]
    )
    assert len(made) >= calls
    kept = repr(events) + served.log
    assert not [secret for secret in scripted.SECRETS if secret in kept]
