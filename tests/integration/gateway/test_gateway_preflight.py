"""What is asked before a container starts, what the answers mean, and how long they stand."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import web

from seatrial.domain.aws import AwsKeys
from seatrial.domain.errors import FailureError
from seatrial.domain.failures import Failure
from seatrial.domain.ports import Upstream
from seatrial.gateway.places import Places
from seatrial.gateway.preflight import Preflight
from seatrial.settings import Settings
from seatrial.testing.providers import (
    Mode,
    ScriptedAnthropic,
    ScriptedBedrock,
    ScriptedBedrockControl,
    ScriptedOllama,
    ScriptedOpenAI,
    ScriptedSts,
    SeenRequest,
)

KEY = "sk-canary-preflight-1d5e"
AWS = AwsKeys("AKIACANARY0000000009", "canary/preflight+secret0of0forty0chars00", "eu-central-1")
NOVA, CLAUDE = "amazon.nova-lite-v1:0", "anthropic.claude-x-v1:0"
NOWHERE = "http://127.0.0.1:9"
NOBODY = "http://nobody.invalid"


def preflight(environ: Mapping[str, str] | None = None, **kept: float) -> Preflight:
    places = Places(Settings(data_dir=Path("unused")), environ or {})
    return Preflight(places, kept.get("seconds", 60.0))


async def failing(upstream: Upstream, model: str, asking: Preflight | None = None) -> Failure:
    with pytest.raises(FailureError) as caught:
        await (asking or preflight()).check("ann", "account", upstream, model)
    assert "canary" not in caught.value.failure.model_dump_json()
    return caught.value.failure


async def passing(upstream: Upstream, model: str, asking: Preflight | None = None) -> None:
    await (asking or preflight()).check("ann", "account", upstream, model)


class Strange(ScriptedOpenAI):
    """A service with an answer of its own to every GET."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        super().__init__(("scripted",))
        self.answers = list(answers)

    def metadata(self, seen: SeenRequest) -> web.Response:
        status, text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, text=text)


def openai(url: str) -> Upstream:
    return Upstream("openai", f"{url}/v1", frozenset({"scripted"}), KEY)


@pytest.fixture
async def anthropic_service() -> AsyncGenerator[ScriptedAnthropic]:
    async with ScriptedAnthropic(("claude-x",)) as service:
        service.key = KEY
        yield service


async def test_openai_and_anthropic_are_asked_for_the_model_with_the_key(
    openai_service: ScriptedOpenAI, anthropic_service: ScriptedAnthropic
) -> None:
    await passing(openai(openai_service.url), "scripted")
    (seen,) = openai_service.requests
    assert (seen.method, seen.path) == ("GET", "/v1/models/scripted")
    assert seen.headers["Authorization"] == f"Bearer {KEY}"
    upstream = Upstream("anthropic", anthropic_service.url, frozenset({"claude-x"}), KEY)
    await passing(upstream, "claude-x")
    assert [seen.path for seen in anthropic_service.requests] == ["/v1/models/claude-x"]

    for at, model in ((openai(openai_service.url), "gpt-9"), (upstream, "claude-9")):
        found = await failing(at, model)
        assert (found.code, model in found.message) == ("model.not_found", True)
    found = await failing(replace(upstream, key="sk-canary-wrong-0000"), "claude-x")
    assert found.code == "model.auth_failed"
    assert "seatrial credentials set default --provider anthropic" in found.what_to_do
    assert "ANTHROPIC_API_KEY" in found.what_to_do


async def test_a_refused_key_is_told_without_repeating_it_even_when_the_service_does() -> None:
    async with Strange((401, f'{{"error": {{"message": "Incorrect key {KEY}"}}}}')) as service:
        found = await failing(openai(service.url), "scripted")
    assert found.code == "model.auth_failed"
    assert "Incorrect key ***" in found.evidence


async def test_a_model_of_another_project_is_access_that_is_denied() -> None:
    said = (
        '{"error": {"message": "Project p has no access to scripted", "code": "model_not_found"}}'
    )
    async with Strange((403, said)) as service:
        found = await failing(openai(service.url), "scripted")
    assert found.code == "model.access_denied"


@pytest.mark.parametrize(
    "answers",
    [
        [(404, '{"detail": "Not Found"}')],
        [(404, "<html>nothing</html>"), (404, "")],
        [(404, '{"error": {"message": "Invalid URL (GET /v1/models/scripted)"}}')],
        [(501, ""), (200, '{"data": []}')],
        [(403, '{"error": {"message": "Missing scopes: api.model.read"}}')],
        [(429, '{"error": {"message": "slow down"}}')],
        [(200, "not json")],
    ],
)
async def test_what_a_service_does_not_tell_fails_no_test(answers: list[tuple[int, str]]) -> None:
    async with Strange(*answers) as service:
        await passing(openai(service.url), "scripted")


async def test_a_service_without_descriptions_still_has_its_key_checked() -> None:
    async with Strange((404, ""), (401, "no")) as service:
        assert (await failing(openai(service.url), "scripted")).code == "model.auth_failed"


@pytest.mark.parametrize("mode", [Mode.DROP, Mode.BROKEN, Mode.BUSY])
async def test_a_service_that_cannot_answer_is_unreachable(
    openai_service: ScriptedOpenAI, ollama_service: ScriptedOllama, mode: Mode
) -> None:
    openai_service.mode = ollama_service.mode = mode
    found = await failing(openai(openai_service.url), "scripted")
    assert found.code == "model.unreachable"
    assert "OPENAI_BASE_URL" in found.what_to_do
    upstream = Upstream("ollama", ollama_service.url, frozenset({"scripted"}))
    found = await failing(upstream, "scripted")
    assert (found.code, "ollama serve" in found.what_to_do) == ("model.unreachable", True)
    assert (await failing(openai(NOBODY), "scripted")).code == "model.unreachable"


async def test_ollama_decides_by_its_own_word_what_it_has(ollama_service: ScriptedOllama) -> None:
    upstream = Upstream("ollama", ollama_service.url, frozenset(), "a-canary-token")
    await passing(upstream, "scripted")
    assert len(ollama_service.requests) == 1
    found = await failing(upstream, "llama3.2")
    assert found.code == "model.not_found"
    assert "ollama pull llama3.2" in found.what_to_do
    assert "scripted:latest" in found.message
    assert ollama_service.requests[-1].path == "/api/show"
    ollama_service.mode = Mode.UNAUTHORIZED
    assert (await failing(upstream, "scripted")).code == "model.auth_failed"
    ollama_service.mode = Mode.MISSING
    await passing(upstream, "whatever")


async def test_a_good_answer_stands_for_a_while_for_that_owner_credential_and_model(
    openai_service: ScriptedOpenAI,
) -> None:
    now = 0.0
    asking = Preflight(Places(Settings(data_dir=Path("unused")), {}), 60.0, clock=lambda: now)
    upstream = openai(openai_service.url)

    async def calls(owner: str, account: str, model: str) -> int:
        before = len(openai_service.requests)
        await asking.check(owner, account, upstream, model)
        return len(openai_service.requests) - before

    assert [await calls("ann", "a", "scripted") for _ in range(3)] == [1, 0, 0]
    assert await calls("bob", "a", "scripted") == 1
    assert await calls("ann", "b", "scripted") == 1
    assert await calls("ann", "a", "other") == 1
    now = 59.9
    assert await calls("ann", "a", "scripted") == 0
    now = 60.1
    assert await calls("ann", "a", "scripted") == 1
    for _ in range(2):
        await failing(upstream, "missing", asking)
    assert [seen.path for seen in openai_service.requests[-2:]] == ["/v1/models/missing"] * 2


# ---------------------------------------------------------------------- Bedrock


@dataclass
class Aws:
    """The three services of AWS that are asked, and what knows where they are."""

    runtime: ScriptedBedrock
    control: ScriptedBedrockControl
    sts: ScriptedSts

    @property
    def environ(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.runtime.url,
            "AWS_ENDPOINT_URL_BEDROCK": self.control.url,
            "AWS_ENDPOINT_URL_STS": self.sts.url,
        }

    @property
    def upstream(self) -> Upstream:
        return Upstream("bedrock", self.runtime.url, frozenset(), credential=AWS)


@pytest.fixture
async def aws() -> AsyncGenerator[Aws]:
    async with (
        ScriptedBedrock(AWS) as runtime,
        ScriptedBedrockControl(AWS, (NOVA, CLAUDE)) as control,
        ScriptedSts(AWS, {}) as sts,
    ):
        yield Aws(runtime, control, sts)


ARN = f"arn:aws:bedrock:eu-central-1::foundation-model/{NOVA}"
PROFILE = f"arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.{NOVA}"


@pytest.mark.parametrize("model", [NOVA, f"eu.{NOVA}", ARN, PROFILE])
async def test_bedrock_is_asked_about_keys_model_and_access(aws: Aws, model: str) -> None:
    await passing(aws.upstream, model, preflight(aws.environ))
    assert b"GetCallerIdentity" in aws.sts.requests[0].body
    assert [seen.method for seen in aws.control.requests] == ["GET", "GET"]
    assert aws.control.requests[-1].path.startswith("/foundation-model-availability/")


async def test_bedrock_says_what_is_wrong_with_keys_model_and_access(aws: Aws) -> None:
    asking = preflight(aws.environ)
    wrong = replace(aws.upstream, credential=replace(AWS, secret_key=f"canary/{'x' * 33}"))
    found = await failing(wrong, NOVA, asking)
    assert (found.code, "SignatureDoesNotMatch" in found.message) == ("model.auth_failed", True)
    for model in ("amazon.nothing-v1:0", "eu.amazon.nothing-v1:0", ARN.replace("lite", "none")):
        found = await failing(aws.upstream, model, asking)
        assert (found.code, "eu-central-1" in found.message) == ("model.not_found", True)
        assert "list-foundation-models" in found.what_to_do
    aws.control.closed.add(CLAUDE)
    for model in (CLAUDE, f"eu.{CLAUDE}"):
        found = await failing(aws.upstream, model, asking)
        assert found.code == "model.access_denied"
        assert CLAUDE in found.message
        assert "Model access" in found.what_to_do
    aws.control.by_profile.add(NOVA)
    found = await failing(aws.upstream, NOVA, asking)
    assert f"bedrock:us.{NOVA}" in found.what_to_do
    await passing(aws.upstream, f"eu.{NOVA}", asking)


async def test_keys_that_may_not_ask_about_models_fail_no_test(aws: Aws) -> None:
    aws.control.forbidden |= {"GetFoundationModel", "GetInferenceProfile"}
    await passing(aws.upstream, "amazon.nothing-v1:0", preflight(aws.environ))
    aws.control.forbidden = {"GetFoundationModelAvailability"}
    aws.control.closed.add(CLAUDE)
    await passing(aws.upstream, CLAUDE, preflight(aws.environ))


async def test_only_bedrocks_runtime_must_be_reachable(aws: Aws) -> None:
    closed = {"AWS_ENDPOINT_URL_BEDROCK": NOWHERE, "AWS_ENDPOINT_URL_STS": NOWHERE}
    await passing(aws.upstream, NOVA, preflight({**aws.environ, **closed}))
    aws.sts.mode = aws.control.mode = Mode.BROKEN
    await passing(aws.upstream, NOVA, preflight(aws.environ))
    alone = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": aws.runtime.url}
    await passing(aws.upstream, NOVA, preflight(alone))
    nowhere = replace(aws.upstream, base_url=NOWHERE)
    found = await failing(nowhere, NOVA, preflight(alone))
    assert (found.code, NOWHERE in found.message) == ("model.unreachable", True)
