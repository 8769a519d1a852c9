"""What a request's model means on this machine, and what is said when it means nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from gateway_doors import KEY

from seatrial.domain.errors import FailureError
from seatrial.domain.failures import Failure
from seatrial.domain.ports import ResolvedModel
from seatrial.domain.requests import TestRequest
from seatrial.gateway.discovery import LocalProviders
from seatrial.settings import Settings
from seatrial.testing.providers import Mode, ScriptedOllama, ScriptedOpenAI

NOWHERE = "http://127.0.0.1:9"


def asking(model: str | None) -> TestRequest:
    return TestRequest(files={"agent.py": ""}, query="q", model=model)


def url_of(url: str | None) -> Callable[[], Awaitable[str | None]]:
    async def give() -> str | None:
        return url

    return give


def providers(
    *,
    ollama: str = NOWHERE,
    openai: str | None = None,
    default: str | None = None,
    testmodel: str | None = None,
    key: str = "",
) -> LocalProviders:
    settings = Settings(
        data_dir=Path("unused"),
        ollama_url=ollama,
        openai_base_url=openai,
        default_model=default,
        preflight_cache_seconds=0,
    )
    return LocalProviders(settings, url_of(testmodel), environ={"OPENAI_API_KEY": key})


async def failing(local: LocalProviders, model: str | None) -> Failure:
    with pytest.raises(FailureError) as error:
        await local.resolve(asking(model), "owner")
    return error.value.failure


def summary(found: ResolvedModel) -> tuple[str, bool, bool]:
    return str(found.ref), found.named_by_request, found.fallback


async def test_a_named_model_of_ollama_is_offered_on_both_of_its_apis(
    ollama_service: ScriptedOllama,
) -> None:
    found = await providers(ollama=ollama_service.url).resolve(asking("ollama:scripted"), "owner")
    assert summary(found) == ("ollama:scripted", True, False)
    assert [(up.provider, up.base_url, up.key) for up in found.upstreams] == [
        ("ollama", ollama_service.url, None),
        ("openai", f"{ollama_service.url}/v1", None),
    ]
    assert {up.models for up in found.upstreams} == {frozenset({"scripted", "scripted:latest"})}


async def test_a_model_that_is_not_pulled_is_named_with_the_command_that_pulls_it(
    ollama_service: ScriptedOllama,
) -> None:
    local = providers(ollama=ollama_service.url, testmodel="http://unused")
    found = await failing(local, "ollama:llama3.2")
    assert found.code == "model.not_found"
    assert "ollama pull llama3.2" in found.what_to_do
    assert "seatrial providers pull llama3.2" in found.what_to_do
    assert "scripted:latest" in found.message
    assert found.fix == {"pull_model": "llama3.2"}
    elsewhere = await failing(local, "ollama:hf.co/x/y")
    assert (elsewhere.code, elsewhere.fix) == ("model.not_found", {})


async def test_a_named_model_never_falls_back() -> None:
    local = providers(testmodel="http://unused")
    found = await failing(local, "ollama:llama3.2")
    assert found.code == "model.unreachable"
    assert NOWHERE in found.message
    assert (await failing(local, "nobody:nova")).code == "model.not_found"
    assert (await failing(local, "llama3.2")).code == "model.not_found"


async def test_none_offers_none() -> None:
    found = await providers(testmodel="http://unused").resolve(asking("none"), "owner")
    assert (found.ref, found.upstreams, found.named_by_request) == (None, (), True)


async def test_the_test_model_is_offered_under_its_own_name() -> None:
    found = await providers(testmodel="http://box:1").resolve(asking("testmodel"), "owner")
    assert summary(found) == ("testmodel:smollm2:135m", True, False)
    assert [(up.provider, up.base_url) for up in found.upstreams] == [
        ("ollama", "http://box:1"),
        ("openai", "http://box:1/v1"),
    ]
    assert (await failing(providers(), "testmodel")).code == "model.unreachable"


async def test_a_request_without_a_model_takes_the_default_then_ollama_then_the_test_model(
    ollama_service: ScriptedOllama,
) -> None:
    testmodel = "http://unused"
    local = providers(ollama=ollama_service.url, default="ollama:other", testmodel=testmodel)
    assert summary(await local.resolve(asking(None), "owner")) == ("ollama:other", False, False)
    local = providers(ollama=ollama_service.url, testmodel=testmodel)
    assert summary(await local.resolve(asking(None), "owner")) == (
        "ollama:scripted:latest",
        False,
        False,
    )
    fallback = ("testmodel:smollm2:135m", False, True)
    assert summary(await providers(testmodel=testmodel).resolve(asking(None), "owner")) == fallback
    local = providers(default="ollama:other", testmodel=testmodel)
    assert summary(await local.resolve(asking(None), "owner")) == fallback


async def test_without_any_model_the_failure_says_what_to_do() -> None:
    found = await failing(providers(), None)
    assert found.code == "model.unreachable"
    assert "ollama pull" in found.what_to_do


async def test_a_named_model_of_openai_gets_the_operators_key(
    openai_service: ScriptedOpenAI,
) -> None:
    local = providers(openai=f"{openai_service.url}/v1", key=KEY)
    found = await local.resolve(asking("openai:scripted"), "owner")
    assert summary(found) == ("openai:scripted", True, False)
    assert [(up.provider, up.models, up.key) for up in found.upstreams] == [
        ("openai", frozenset({"scripted"}), KEY)
    ]
    assert KEY not in repr(found)
    assert openai_service.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    openai_service.mode = Mode.UNAUTHORIZED
    assert (await failing(local, "openai:scripted")).code == "model.auth_failed"


async def test_openai_without_key_and_address_asks_for_the_key() -> None:
    found = await failing(providers(), "openai:gpt")
    assert found.code == "model.auth_failed"
    assert "OPENAI_API_KEY" in found.what_to_do


async def test_states_say_what_can_be_used_and_why_not(
    ollama_service: ScriptedOllama, openai_service: ScriptedOpenAI
) -> None:
    local = providers(
        ollama=ollama_service.url, openai=f"{openai_service.url}/v1", testmodel="http://box:1"
    )
    openai_service.mode = Mode.BROKEN
    states = await local.states()
    assert [(state.name, state.reachable) for state in states] == [
        ("ollama", True),
        ("openai", False),
        ("testmodel", True),
    ]
    assert states[0].models == ("scripted:latest", "other:latest")
    assert "500" in states[1].reason
    assert [state.name for state in await providers().states()] == ["ollama", "testmodel"]


async def test_a_provider_that_hangs_is_given_up_after_two_seconds(
    ollama_service: ScriptedOllama, openai_service: ScriptedOpenAI
) -> None:
    ollama_service.mode = openai_service.mode = Mode.HANG
    local = providers(ollama=ollama_service.url, openai=openai_service.url)
    async with asyncio.timeout(20):
        states = await local.states()
    assert [state.reason for state in states[:2]] == [
        f"{ollama_service.url} did not answer in time.",
        f"{openai_service.url} did not answer in time.",
    ]
