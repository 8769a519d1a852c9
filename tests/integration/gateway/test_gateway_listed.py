"""A stored credential's models: asked with its key at its address; nothing secret comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from test_gateway_accounts import OPERATORS, Reader, no_test_model

from seatrial.domain.credentials import Credential
from seatrial.domain.ports import ProviderState
from seatrial.gateway import addresses, stored_listing
from seatrial.gateway.accounts import AccountProviders
from seatrial.settings import Settings
from seatrial.testing.providers import Mode, ScriptedAnthropic, ScriptedOllama, ScriptedOpenAI

CANARY = "sk-canary-listed-55d0a1"

pytestmark = pytest.mark.timeout(60)


def accounts(*, private: bool = True, **stored: Credential) -> AccountProviders:
    settings = Settings(data_dir=Path("unused"), private_base_urls=private)
    environ = {"OPENAI_API_KEY": OPERATORS, "OLLAMA_HOST": "http://127.0.0.1:9"}
    return AccountProviders(settings, no_test_model, Reader(**stored), environ=environ)


def of_openai(url: str, key: str = CANARY) -> Credential:
    return Credential(provider="openai", api_key=key, base_url=url)


async def listed(providers: AccountProviders, provider: str = "openai") -> ProviderState:
    return await providers.listed("ann", provider, "work")


async def test_each_provider_is_asked_with_the_stored_key_at_the_stored_address(
    openai_service: ScriptedOpenAI, ollama_service: ScriptedOllama
) -> None:
    async with ScriptedAnthropic(("claude-x",)) as anthropic_service:
        stored: dict[str, Any] = {
            "openai": of_openai(f"{openai_service.url}/v1"),
            "anthropic": Credential(
                provider="anthropic", api_key=CANARY, base_url=anthropic_service.url
            ),
            "ollama": Credential(provider="ollama", api_key=CANARY, base_url=ollama_service.url),
        }
        providers = accounts(**stored)
        found = {name: await listed(providers, name) for name in stored}
        assert {name: state.models for name, state in found.items()} == {
            "openai": ("scripted", "other"),
            "anthropic": ("claude-x",),
            "ollama": ("scripted:latest", "other:latest"),
        }
        asked = (openai_service, anthropic_service, ollama_service)
        sent = [service.requests[0].headers for service in asked]
        assert [CANARY in str(dict(headers)) for headers in sent] == [True] * 3
        assert OPERATORS not in str(sent)
        assert CANARY not in repr(found)


async def test_a_service_that_repeats_the_key_brings_it_back_to_nobody() -> None:
    async with ScriptedOpenAI(("gpt-x", f"gpt-{CANARY}", CANARY)) as service:
        state = await listed(accounts(openai=of_openai(f"{service.url}/v1")))
        assert state.models[0] == "gpt-x"
        assert CANARY not in repr(state)


@pytest.mark.parametrize(
    ("mode", "reason"),
    [(Mode.UNAUTHORIZED, "refused"), (Mode.BROKEN, "500"), (Mode.DROP, "closed the connection")],
)
async def test_a_service_that_lists_nothing_says_why(
    openai_service: ScriptedOpenAI, mode: Mode, reason: str
) -> None:
    openai_service.mode = mode
    state = await listed(accounts(openai=of_openai(f"{openai_service.url}/v1")))
    assert state.models == ()
    assert reason in state.reason
    assert CANARY not in repr(state)


async def test_a_service_that_hangs_is_given_up_soon(openai_service: ScriptedOpenAI) -> None:
    openai_service.mode = Mode.HANG
    async with asyncio.timeout(20):
        state = await listed(accounts(openai=of_openai(openai_service.url)))
    assert "in time" in state.reason


async def test_an_answer_stands_for_a_moment_and_for_that_key_and_owner_alone(
    openai_service: ScriptedOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(openai=of_openai(openai_service.url))
    settings = Settings(data_dir=Path("unused"))
    providers = AccountProviders(settings, no_test_model, reader, environ={})
    for _ in range(3):
        await listed(providers)
    assert len(openai_service.requests) == 1
    reader.stored["openai"] = of_openai(openai_service.url, "sk-another-key-0001")
    await listed(providers)
    assert len(openai_service.requests) == 2
    monkeypatch.setattr(stored_listing, "KEPT_SECONDS", 0)
    reader.stored["openai"] = of_openai(openai_service.url, "sk-another-key-0002")
    for _ in range(2):
        await listed(providers)
    assert len(openai_service.requests) == 4


async def test_no_address_leads_into_the_operators_network_where_that_is_switched_off(
    openai_service: ScriptedOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = accounts(private=False, openai=of_openai(openai_service.url))
    assert "loopback" in (await listed(written)).reason

    answers = iter(["93.184.215.14", "127.0.0.1", "127.0.0.1"])

    async def rebinding(host: str, port: int) -> list[str]:
        return [next(answers)]

    monkeypatch.setattr(addresses, "_lookup", rebinding)
    port = openai_service.url.rpartition(":")[2]
    named = accounts(private=False, openai=of_openai(f"http://rebinding.test:{port}"))
    state = await listed(named)
    assert (state.reachable, state.models) == (False, ())
    assert openai_service.requests == []


async def test_no_address_of_a_clouds_metadata_is_asked_even_where_private_ones_are() -> None:
    state = await listed(accounts(openai=of_openai("http://169.254.169.254/v1")))
    assert "metadata" in state.reason


async def test_the_operators_own_address_may_be_private_whatever_users_may_be(
    openai_service: ScriptedOpenAI,
) -> None:
    url = openai_service.url.replace("127.0.0.1", "localhost")
    settings = Settings(data_dir=Path("unused"), private_base_urls=False, openai_base_url=url)
    reader = Reader(openai=Credential(provider="openai", api_key=CANARY))
    providers = AccountProviders(settings, no_test_model, reader, environ={})
    assert (await listed(providers)).models == ("scripted", "other")


async def test_what_lists_no_models_says_so() -> None:
    aws = Credential(provider="bedrock", region="eu-central-1", access_key_id="AKIA")
    state = await listed(accounts(bedrock=aws), "bedrock")
    assert "type the name" in state.reason
