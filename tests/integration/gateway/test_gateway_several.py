"""Several models and providers in one test, and where the operator's keys come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
import pytest
from gateway_doors import KEY, container

from seatrial.domain.aws import AwsKeys
from seatrial.domain.ports import Upstream
from seatrial.gateway.gateway import SocketGateway
from seatrial.gateway.keys import OperatorKeys, default_chain
from seatrial.testing.providers import ScriptedOllama, ScriptedOpenAI

HELLO: Any = [{"role": "user", "content": "hello"}]
WRITTEN = {"AWS_ACCESS_KEY_ID": "AKIAX", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}


async def test_a_call_goes_to_the_first_service_of_its_kind_that_has_the_model(
    gateway: SocketGateway,
    ollama_service: ScriptedOllama,
    openai_service: ScriptedOpenAI,
    tmp_path: Path,
) -> None:
    upstreams = (
        Upstream("openai", f"{openai_service.url}/v1", frozenset({"gpt-x"}), KEY),
        Upstream("openai", f"{ollama_service.url}/v1", frozenset({"scripted"})),
    )
    async with container(gateway, tmp_path, *upstreams) as inside:
        client = openai.AsyncOpenAI(base_url=inside.openai, api_key="x", max_retries=0)
        await client.embeddings.create(model="gpt-x", input="hello", encoding_format="float")
        assert (len(openai_service.requests), len(ollama_service.requests)) == (1, 0)
        async for _ in await client.chat.completions.create(
            model="gpt-x", messages=HELLO, stream=True
        ):
            pass
        assert (len(openai_service.requests), len(ollama_service.requests)) == (2, 0)
        with pytest.raises(openai.PermissionDeniedError, match="gpt-x, scripted"):
            await client.chat.completions.create(model="other", messages=HELLO)
        await client.chat.completions.create(model="scripted", messages=HELLO)
        assert (len(openai_service.requests), len(ollama_service.requests)) == (2, 1)
    assert KEY not in repr([seen.headers for seen in ollama_service.requests])


async def test_keys_of_the_environment_need_no_chain() -> None:
    def never(region: str | None) -> AwsKeys | None:
        raise AssertionError

    keys = OperatorKeys({**WRITTEN, "AWS_REGION": "eu-west-1"}, chain=never)
    assert await keys.aws() == AwsKeys("AKIAX", "s", "eu-west-1", "t")
    chosen = OperatorKeys(WRITTEN, region="eu-north-1", chain=never)
    assert await chosen.aws() == AwsKeys("AKIAX", "s", "eu-north-1", "t")
    assert await OperatorKeys({}, chain=never).aws() is None
    assert await OperatorKeys({"ANTHROPIC_API_KEY": " k "}).key("anthropic") == "k"


async def test_the_chain_is_asked_once_where_something_of_aws_is_set_up() -> None:
    asked: list[str | None] = []

    def chain(region: str | None) -> AwsKeys | None:
        asked.append(region)
        return None

    keys = OperatorKeys({"AWS_DEFAULT_REGION": "eu-west-1"}, chain=chain)
    assert await keys.aws() is None
    assert await keys.aws() is None
    assert asked == ["eu-west-1"]


async def test_keys_that_expire_are_asked_for_before_each_call() -> None:
    given = iter(("first", "second"))

    async def refresh() -> AwsKeys:
        return AwsKeys("AKIAX", next(given), "eu-west-1")

    keys = AwsKeys("AKIAX", "old", "eu-west-1", refresh=refresh)
    assert [(await keys.current()).secret_key for _ in range(2)] == ["first", "second"]
    assert "old" not in repr(keys)
    assert "AKIAX" not in repr(keys)


def test_a_profile_is_found_by_the_default_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = "[profile dev]\nregion = eu-south-1\n"
    (tmp_path / "config").write_text(profile)
    (tmp_path / "credentials").write_text(
        "[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = hidden\n"
    )
    for name in (*WRITTEN, "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "dev")
    found = default_chain(None)
    assert found is not None
    assert (found.access_key, found.secret_key, found.region) == ("AKIADEV", "hidden", "eu-south-1")
