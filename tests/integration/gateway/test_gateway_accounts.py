"""Whose key goes where: a user's own stands in for the operator's, and for no other provider's."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.domain.credentials import Credential
from seatrial.domain.errors import FailureError, NotFound
from seatrial.domain.requests import TestRequest
from seatrial.gateway.accounts import AccountProviders
from seatrial.settings import Settings
from seatrial.testing.providers import ScriptedOllama, ScriptedOpenAI

OPERATORS = "sk-operator-0001"
ANNS = "sk-ann-00000002"


class Reader:
    """Stored credentials by owner and provider; asked by name, only `work` is there."""

    def __init__(self, **stored: Credential) -> None:
        self.stored = stored

    async def open(self, owner: str, provider: str, name: str | None) -> Credential | None:
        if name not in {None, "work"}:
            raise NotFound(f"You have no credential {name!r}.")
        return self.stored.get(provider) if owner == "ann" else None


async def no_test_model() -> str | None:
    return None


def asking(model: str, credential: str | None = None) -> TestRequest:
    return TestRequest(files={"agent.py": ""}, query="q", model=model, credential=credential)


def accounts(openai_url: str, **stored: Credential) -> AccountProviders:
    settings = Settings(data_dir=Path("unused"), openai_base_url=openai_url)
    environ = {"OPENAI_API_KEY": OPERATORS, "OLLAMA_HOST": "http://127.0.0.1:9"}
    return AccountProviders(settings, no_test_model, Reader(**stored), environ=environ)


async def test_an_owner_uses_their_own_key_and_others_the_operators(
    openai_service: ScriptedOpenAI,
) -> None:
    openai = Credential(provider="openai", api_key=ANNS)
    local = accounts(openai_service.url, openai=openai)
    for owner, key in (("ann", ANNS), ("bob", OPERATORS)):
        found = await local.resolve(asking("openai:scripted"), owner, test_id="t1")
        assert [up.key for up in found.upstreams] == [key]
        assert openai_service.requests[-1].headers["Authorization"] == f"Bearer {key}"


async def test_a_users_address_gets_the_users_key_alone(
    openai_service: ScriptedOpenAI, ollama_service: ScriptedOllama
) -> None:
    box = Credential(provider="ollama", base_url=ollama_service.url)
    found = await accounts(openai_service.url, ollama=box).resolve(
        asking("ollama:scripted"), "ann", test_id="t1"
    )
    assert [(up.base_url, up.key) for up in found.upstreams] == [
        (ollama_service.url, None),
        (f"{ollama_service.url}/v1", None),
    ]
    assert OPERATORS not in str([seen.headers for seen in ollama_service.requests])
    guarded = Credential(provider="ollama", base_url=ollama_service.url, api_key="a-bearer-token")
    found = await accounts("", ollama=guarded).resolve(
        asking("ollama:scripted"), "ann", test_id="t1"
    )
    assert {up.key for up in found.upstreams} == {"a-bearer-token"}
    assert ollama_service.requests[-1].headers["Authorization"] == "Bearer a-bearer-token"


async def test_a_stored_aws_credential_signs_in_its_own_region() -> None:
    aws = Credential(
        provider="bedrock",
        access_key_id="AKIAIOSFODNN7EXAMPLE",
        secret_access_key="x" * 40,
        region="eu-central-1",
    )
    asked = asking("bedrock:amazon.nova")
    found = await accounts("", bedrock=aws).resolve(asked, "ann", test_id="t1", checked=False)
    (upstream,) = found.upstreams
    assert "eu-central-1" in upstream.base_url
    assert upstream.credential is not None
    assert upstream.credential.access_key == "AKIAIOSFODNN7EXAMPLE"


async def test_a_name_that_is_gone_and_a_forbidden_address_end_the_test() -> None:
    openai = Credential(provider="openai", api_key=ANNS, base_url="http://169.254.169.254/v1")
    local = accounts("", openai=openai)
    with pytest.raises(FailureError) as gone:
        await local.resolve(asking("openai:x", "gone"), "ann", test_id="t1")
    assert gone.value.failure.code == "model.auth_failed"
    with pytest.raises(FailureError) as refused:
        await local.resolve(asking("openai:x", "work"), "ann", test_id="t1")
    assert refused.value.failure.code == "model.unreachable"
    assert "metadata" in refused.value.failure.message
