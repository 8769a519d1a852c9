"""A user's address is checked when it is connected to, not only when it was named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from gateway_doors import KEY, container

from seatrial.domain.credentials import Credential
from seatrial.domain.errors import FailureError
from seatrial.domain.ports import Upstream
from seatrial.domain.requests import TestRequest
from seatrial.gateway import addresses
from seatrial.gateway.accounts import AccountProviders
from seatrial.gateway.gateway import SocketGateway
from seatrial.settings import Settings
from seatrial.testing.providers import ScriptedOllama, ScriptedOpenAI

PUBLIC, LOOPBACK = "93.184.215.14", "127.0.0.1"
CHAT: dict[str, Any] = {"model": "scripted", "messages": []}


class Names:
    """A name service whose answers change: the last one stands."""

    def __init__(self, answers: Sequence[str]) -> None:
        self._answers = list(answers)

    async def lookup(self, host: str, port: int) -> list[str]:
        assert host == "rebinding.test"
        return [self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]]


class Stored:
    """One user's credential."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    async def open(self, owner: str, provider: str, name: str | None) -> Credential | None:
        return self._credential if provider == self._credential.provider else None


def renamed(url: str) -> str:
    """The same service under a name of its user's."""
    return url.replace("127.0.0.1", "rebinding.test")


def accounts(credential: Credential, *, private: bool) -> AccountProviders:
    async def no_test_model() -> str | None:
        return None

    settings = Settings(data_dir=Path("unused"), private_base_urls=private)
    return AccountProviders(settings, no_test_model, Stored(credential), environ={})


def names(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    monkeypatch.setattr(addresses, "_lookup", Names(answers).lookup)


@pytest.mark.parametrize("model", ["openai:scripted", "ollama:scripted", None])
async def test_a_name_that_changes_after_its_check_is_not_asked_about_a_model(
    openai_service: ScriptedOpenAI,
    ollama_service: ScriptedOllama,
    monkeypatch: pytest.MonkeyPatch,
    model: str | None,
) -> None:
    names(monkeypatch, PUBLIC, LOOPBACK)
    credential = (
        Credential(provider="openai", api_key=KEY, base_url=renamed(f"{openai_service.url}/v1"))
        if model == "openai:scripted"
        else Credential(provider="ollama", api_key=KEY, base_url=renamed(ollama_service.url))
    )
    request = TestRequest(files={"agent.py": ""}, query="q", model=model)
    with pytest.raises(FailureError) as caught:
        await accounts(credential, private=False).resolve(request, "ann", test_id="t1")
    assert caught.value.failure.whose == "model"
    assert openai_service.requests == ollama_service.requests == []


async def test_private_addresses_are_closed_where_users_have_accounts_unless_allowed(
    ollama_service: ScriptedOllama,
) -> None:
    credential = Credential(provider="ollama", base_url=ollama_service.url)
    request = TestRequest(files={"agent.py": ""}, query="q", model="ollama:scripted")

    async def resolved(**settings: bool) -> tuple[bool | None, ...]:
        made = AccountProviders(
            Settings(data_dir=Path("unused"), **settings),  # pyright: ignore[reportArgumentType]
            _no_test_model,
            Stored(credential),
            environ={},
        )
        found = await made.resolve(request, "ann", test_id="t1")
        return tuple(up.may_be_private for up in found.upstreams)

    assert True in await resolved()
    assert True in await resolved(require_token=False)
    assert True in await resolved(require_token=True, private_base_urls=True)
    asked = len(ollama_service.requests)
    for closed in ({"require_token": True}, {"private_base_urls": False}):
        with pytest.raises(FailureError, match="SEATRIAL_PRIVATE_BASE_URLS=1"):
            await resolved(**closed)
    assert len(ollama_service.requests) == asked


async def _no_test_model() -> str | None:
    return None


async def test_no_call_follows_a_name_into_a_network_that_users_may_not_name(
    gateway: SocketGateway,
    openai_service: ScriptedOpenAI,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names(monkeypatch, LOOPBACK)
    url = renamed(f"{openai_service.url}/v1")
    for private, status, asked in ((False, 502, 0), (True, 200, 1), (False, 502, 1)):
        upstream = Upstream("openai", url, frozenset({"scripted"}), KEY, may_be_private=private)
        async with container(gateway, tmp_path, upstream) as inside:
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{inside.openai}/chat/completions", json=CHAT) as answer,
            ):
                told = await answer.text()
                assert answer.status == status, told
            await inside.door.close()
            assert ("loopback" in told) is not private
            assert len(openai_service.requests) == asked
            assert [call.error for call in inside.door.calls] == [
                None if private else "model.unreachable"
            ]


async def test_the_calls_of_a_resolved_model_carry_what_its_user_may_name(
    ollama_service: ScriptedOllama,
) -> None:
    users = Credential(provider="ollama", base_url=ollama_service.url)
    request = TestRequest(files={"agent.py": ""}, query="q", model="ollama:scripted")
    found = await accounts(users, private=True).resolve(request, "ann", test_id="t1")
    assert [up.may_be_private for up in found.upstreams] == [True, True]
    operators = Credential(provider="ollama", api_key=KEY)
    local = accounts(operators, private=True)
    found = await local.resolve(request, "ann", test_id="t1", checked=False)
    assert [up.may_be_private for up in found.upstreams] == [None, None]
