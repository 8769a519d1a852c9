"""The worker's own AWS identity as AWS's default chain finds it: container and role credentials."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from seatrial.domain.aws import AwsKeys
from seatrial.domain.errors import FailureError
from seatrial.gateway.discovery import LocalProviders
from seatrial.gateway.keys import OperatorKeys, default_chain
from seatrial.settings import Settings
from seatrial.testing.providers import ScriptedSts

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
ROLE = "arn:aws:iam::123456789012:role/operator"
SOURCE = AwsKeys("AKIACANARY0000000011", "canary/chain+secret0of0forty0characters0", "eu-central-1")


@pytest.fixture(autouse=True)
def nothing_of_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*KEYS, "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


class Agent:
    """The credentials endpoint of a container's task role: each answer is a new, short key."""

    def __init__(self) -> None:
        self.given = 0
        self.tokens: list[str] = []
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.given += 1
        self.tokens.append(request.headers.get("Authorization", ""))
        expires = datetime.now(UTC) + timedelta(minutes=2)
        return web.json_response(
            {
                "AccessKeyId": f"ASIATASK{self.given:012d}",
                "SecretAccessKey": "x" * 40,
                "Token": f"token-{self.given}",
                "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )


@pytest.fixture
async def agent() -> AsyncGenerator[Agent]:
    made = Agent()
    runner = web.ServerRunner(web.Server(made.answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/role"
    yield made
    await runner.cleanup()


async def test_a_containers_role_is_refusedand_its_keys_are_renewed(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.url, "AWS_REGION": "eu-west-1"}
    for name, value in {**named, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let-me-in"}.items():
        monkeypatch.setenv(name, value)
    found = await OperatorKeys(named).aws()
    assert found is not None
    assert (found.region, found.access_key[:8]) == ("eu-west-1", "ASIATASK")
    assert set(agent.tokens) == {"let-me-in"}
    before = agent.given
    later = await found.current()
    assert agent.given > before, "keys that are about to expire are asked for again"
    assert later.session_token == f"token-{agent.given}"


async def test_a_profile_that_assumes_a_role_is_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credentials").write_text(
        f"[base]\naws_access_key_id={SOURCE.access_key}\naws_secret_access_key={SOURCE.secret_key}\n"
    )
    (tmp_path / "config").write_text(
        f"[profile work]\nrole_arn={ROLE}\nsource_profile=base\nregion=eu-central-1\n"
        "external_id=seatrial-op\n"
    )
    async with ScriptedSts(SOURCE, {ROLE: "seatrial-op"}) as sts:
        monkeypatch.setenv("AWS_PROFILE", "work")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        found = await asyncio.to_thread(default_chain, None)
        assert found is not None
        (issued,) = sts.issued
        assert found.access_key == issued.keys.access_key
        assert found.session_token == issued.keys.session_token
        assert found.region == "eu-central-1"
        sts.roles = {}
        with pytest.raises(FailureError) as caught:
            await asyncio.to_thread(default_chain, None)
        refused = caught.value.failure
        assert refused.code == "model.access_denied"
        assert f"Allow sts:AssumeRole on {ROLE}" in refused.what_to_do
        environ = {"AWS_PROFILE": "work", "OLLAMA_HOST": "http://127.0.0.1:9"}
        local = LocalProviders(Settings(data_dir=tmp_path, test_model=False), none, environ=environ)
        states = {state.name: state for state in await local.states()}
        assert not states["bedrock"].reachable
        assert "sts:AssumeRole" in states["bedrock"].reason


async def none() -> str | None:
    return None
