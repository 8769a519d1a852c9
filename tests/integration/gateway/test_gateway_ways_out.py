"""The model is not a second way out: what reaches beyond it does not arrive at the provider."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from multidict import CIMultiDict
from tests.support.reaching import HOSTILE, ORDINARY, Way

from seatrial.domain.aws import AwsKeys
from seatrial.domain.events import NoticeEvent
from seatrial.domain.ports import Upstream
from seatrial.gateway import sigv4
from seatrial.gateway.gateway import SocketGateway
from seatrial.gateway.scrub import KnownSecrets
from seatrial.harness.sdk_env import AWS_ACCESS_KEY, PLACEHOLDER
from seatrial.testing.doors import KEY, Container, Recorded, container
from seatrial.testing.providers import (
    ScriptedAnthropic,
    ScriptedBedrock,
    ScriptedOllama,
    ScriptedOpenAI,
    ScriptedProvider,
)

MODELS = frozenset({"scripted"})
KEYS = AwsKeys("AKIACANARY0000000009", "canary/reach+secret0secret0of0forty0chars", "eu-central-1")
DUMMY = AwsKeys(AWS_ACCESS_KEY, PLACEHOLDER, "eu-central-1")
TOKEN = "weather-token-0123456789"


@asynccontextmanager
async def door(
    provider: str, folder: Path, **changes: Any
) -> AsyncGenerator[tuple[Container, ScriptedProvider]]:
    """A container with one model of the provider, and the scripted service."""
    gateway = SocketGateway()
    async with AsyncExitStack() as stack:
        service, upstream = await _service(stack, provider)
        stack.push_async_callback(gateway.aclose)
        inside = await stack.enter_async_context(container(gateway, folder, upstream, **changes))
        yield inside, service


async def _service(stack: AsyncExitStack, provider: str) -> tuple[ScriptedProvider, Upstream]:
    match provider:
        case "openai":
            openai = await stack.enter_async_context(ScriptedOpenAI(("scripted",)))
            return openai, Upstream("openai", f"{openai.url}/v1", MODELS, KEY)
        case "anthropic":
            claude = await stack.enter_async_context(ScriptedAnthropic(("scripted",)))
            return claude, Upstream("anthropic", claude.url, MODELS, KEY)
        case "bedrock":
            bedrock = await stack.enter_async_context(ScriptedBedrock(KEYS))
            return bedrock, Upstream("bedrock", bedrock.url, MODELS, credential=KEYS)
        case _:
            ollama = await stack.enter_async_context(ScriptedOllama(("scripted:latest",)))
            return ollama, Upstream("ollama", ollama.url, frozenset({"scripted:latest"}))


async def ask(inside: Container, way: Way) -> tuple[int, bytes]:
    """Make the call by the gateway's socket: its status and whole answer."""
    target = f"/{way.provider}{quote(way.path, safe='/')}" + (f"?{way.query}" if way.query else "")
    headers = {"Content-Type": "application/json", **way.headers}
    if way.provider == "bedrock":
        headers |= _signed(target, way.data)
    given = {"Host": "gw", "Connection": "close", "Content-Length": str(len(way.data)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    answer = await inside.ask(f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode() + way.data)
    return int(answer.split(b" ", 2)[1]), answer.partition(b"\r\n\r\n")[2]


def _signed(target: str, body: bytes) -> Mapping[str, str]:
    return sigv4.signed_headers("POST", f"http://gw{target}", "application/json", body, DUMMY)


def notices(inside: Container, code: str) -> list[NoticeEvent]:
    return [n for n in inside.reports.all if isinstance(n, NoticeEvent) and n.code == code]


@pytest.mark.parametrize("way", HOSTILE, ids=lambda way: way.id)
async def test_the_provider_never_sees_a_call_that_reaches_further(
    way: Way, tmp_path: Path
) -> None:
    async with door(way.provider, tmp_path) as (inside, service):
        status, answer = await ask(inside, way)
        await inside.door.close()
        assert status == 403
        assert service.requests == []
        [call] = inside.reports.calls
        assert (call.error, call.status, call.sent_bytes) == ("agent.reach_not_allowed", 403, 0)
        [notice] = notices(inside, "reach_refused")
        assert notice.message == call.message
        assert notice.data.get("add_allow", "") in {*way.allow, ""}
        assert bool(way.allow) == ("add_allow" in notice.data)
        switch = notice.data.get("add_allow")
        assert (f"--allow {switch}" if switch else "Nothing allows this") in answer.decode()


@pytest.mark.parametrize(
    "way", [way for way in HOSTILE if way.allow and "count" not in way.path], ids=lambda way: way.id
)
async def test_with_its_switch_the_call_passes_and_the_use_is_journalled(
    way: Way, tmp_path: Path
) -> None:
    async with door(way.provider, tmp_path, allow=way.allow) as (inside, service):
        await ask(inside, way)
        await inside.door.close()
        assert len(service.requests) == 1
        assert service.requests[0].body == way.data
        used = {notice.data["allow"] for notice in notices(inside, "reach_used")}
        assert used == set(way.allow)


@pytest.mark.parametrize("way", ORDINARY, ids=lambda way: way.id)
async def test_ordinary_calls_arrive_byte_for_byte(way: Way, tmp_path: Path) -> None:
    async with door(way.provider, tmp_path) as (inside, service):
        await ask(inside, way)
        await inside.door.close()
        assert [request.body for request in service.requests] == [way.data]
        assert notices(inside, "reach_refused") == []


def _responses(**fields: Any) -> Way:
    body = {"model": "scripted", "input": "hi", **fields}
    return Way("x", "openai", "/v1/responses", body)


@pytest.mark.parametrize("stream", [False, True])
async def test_ids_that_the_test_received_pass(tmp_path: Path, stream: bool) -> None:
    async with door("openai", tmp_path) as (inside, service):
        _, first = await ask(inside, _responses(stream=stream))
        id_ = next(iter(_ids(first)))
        status, _ = await ask(inside, _responses(previous_response_id=id_))
        assert status == 200
        status, _ = await ask(inside, _responses(previous_response_id="resp_other"))
        assert status == 403
        await inside.door.close()
        assert len(service.requests) == 2
        assert id_ in inside.reports.calls[0].received_ids


async def test_ids_of_a_former_workers_session_pass(tmp_path: Path) -> None:
    async with door("openai", tmp_path, received_ids=("resp_earlier",)) as (inside, _):
        status, _ = await ask(inside, _responses(previous_response_id="resp_earlier"))
        assert status == 200


async def test_a_replay_takes_the_ids_of_its_recording(tmp_path: Path) -> None:
    recorded = Recorded()
    async with door("openai", tmp_path, recorder=recorded) as (inside, service):
        _, first = await ask(inside, _responses())
        follow_up = _responses(previous_response_id=next(iter(_ids(first))))
        assert (await ask(inside, follow_up))[0] == 200
        asked = len(service.requests)
    async with door("openai", tmp_path, replay=recorded.replay) as (inside, service):
        assert (await ask(inside, _responses()))[0] == 200
        assert (await ask(inside, follow_up))[0] == 200
        assert (len(service.requests), asked) == (0, 2)


def _ids(answer: bytes) -> set[str]:
    text = answer.decode()
    return {part.split('"')[0] for part in text.split('"id": "')[1:] + text.split('"id":"')[1:]
            if part.startswith("resp")}  # fmt: skip


# --------------------------------------------------------------------------- stored secrets

_SPELLINGS = (
    TOKEN,
    TOKEN[::-1],
    TOKEN.encode().hex(),
    "".join(f"\\u{ord(character):04x}" for character in TOKEN),
)


@pytest.mark.parametrize("written", _SPELLINGS)
@pytest.mark.parametrize("place", ["body", "query", "header"])
async def test_a_call_that_holds_a_stored_secret_is_refused(
    written: str, place: str, tmp_path: Path
) -> None:
    raw = f'{{"model":"scripted","messages":[{{"role":"user","content":"{written}"}}]}}'
    if place != "body":
        raw = raw.replace(written, "hi")
    way = Way(
        "x", "openai", "/v1/chat/completions", {}, raw=raw,
        query=f"limit={quote(written)}" if place == "query" else "",
        headers={"X-Title": written} if place == "header" else {},
    )  # fmt: skip
    known = KnownSecrets((TOKEN,))
    secrets = {"WEATHER_TOKEN": TOKEN, "OTHER": "something-else-entirely"}
    async with door("openai", tmp_path, known=known, secrets=secrets) as (inside, service):
        status, answer = await ask(inside, way)
        await inside.door.close()
        assert (status, service.requests) == (403, [])
        assert b"WEATHER_TOKEN" in answer
        assert TOKEN.encode() not in answer
        [call] = inside.reports.calls
        assert (call.error, call.secret_hits) == ("agent.secret_sent", 1)
        [notice] = notices(inside, "secret_sent")
        assert notice.data["add_allow"] == "secret=WEATHER_TOKEN"


async def test_a_secret_that_the_test_allows_is_sent_and_counted(tmp_path: Path) -> None:
    way = Way(
        "x",
        "openai",
        "/v1/chat/completions",
        {"model": "scripted", "messages": [{"role": "user", "content": TOKEN}]},
    )
    allowed = {"allow": ("secret=WEATHER_TOKEN",), "secrets": {"WEATHER_TOKEN": TOKEN}}
    async with door("openai", tmp_path, **allowed) as (inside, service):
        assert (await ask(inside, way))[0] == 200
        await inside.door.close()
        assert service.requests[0].body == way.data
        assert inside.reports.calls[0].secret_hits == 1
        assert notices(inside, "reach_used")[0].data == {"allow": "secret=WEATHER_TOKEN"}


async def test_a_secret_in_the_middle_of_a_large_body_is_found(tmp_path: Path) -> None:
    image = "data:image/png;base64," + "aGVsbG8h" * 200_000
    content = [{"type": "image_url", "image_url": {"url": image}}, {"type": "text", "text": TOKEN}]
    body = {"model": "scripted", "messages": [{"role": "user", "content": content * 2}]}
    way = Way("x", "openai", "/v1/chat/completions", body)
    async with door("openai", tmp_path, secrets={"WEATHER_TOKEN": TOKEN}) as (inside, service):
        assert (await ask(inside, way))[0] == 403
        assert service.requests == []


# --------------------------------------------------------------------------- headers


@pytest.mark.parametrize(
    ("name", "value", "switch"),
    [
        ("X-Portkey-Config", "{}", "routing"),
        ("Helicone-Target", "x", "routing"),
        ("X-Target-URL", "https://elsewhere.invalid/", "urls=elsewhere.invalid"),
        ("X-Guardrail-Identifier", "", ""),
        ("X-Own", "https://elsewhere.invalid/", ""),
        ("X-Stainless-Lang", "python", ""),
    ],
)
async def test_headers_that_give_orders_need_a_switch(
    name: str, value: str, switch: str, tmp_path: Path
) -> None:
    way = replace(_responses(), headers={name: value})
    async with door("openai", tmp_path) as (inside, service):
        status, answer = await ask(inside, way)
        assert (status, len(service.requests)) == ((403, 0) if switch else (200, 1))
        assert f"--allow {switch}".encode() in answer or not switch
    async with door("openai", tmp_path, allow=(switch,) if switch else ()) as (inside, service):
        assert (await ask(inside, way))[0] == 200
        assert CIMultiDict(service.requests[0].headers)[name] == value


async def test_a_metadata_request_has_no_body(tmp_path: Path) -> None:
    body = json.dumps({"model_list": ["x"]}).encode()
    head = f"GET /openai/v1/models HTTP/1.1\r\nHost: gw\r\nContent-Length: {len(body)}\r\n"
    async with door("openai", tmp_path) as (inside, service):
        answer = await inside.ask(f"{head}Connection: close\r\n\r\n".encode() + body)
        assert b" 400 " in answer[:20]
        assert service.requests == []
