"""Roles that are assumed for a test: by whom, under which name, and renewed in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from gateway_doors import container

from seatrial.domain.aws import AwsKeys
from seatrial.domain.credentials import Credential
from seatrial.domain.errors import FailureError
from seatrial.domain.failures import Failure
from seatrial.domain.ports import ResolvedModel
from seatrial.domain.requests import TestRequest
from seatrial.gateway import sigv4
from seatrial.gateway.accounts import AccountProviders
from seatrial.gateway.aws import AwsApi
from seatrial.gateway.gateway import SocketGateway
from seatrial.gateway.roles import AssumedRole, Role
from seatrial.harness.sdk_env import AWS_ACCESS_KEY, PLACEHOLDER
from seatrial.settings import Settings
from seatrial.testing.providers import Mode, ScriptedBedrock, ScriptedSts

NOVA = "eu.amazon.nova-lite-v1:0"
ROLE = "arn:aws:iam::123456789012:role/team/models"
SOURCE = AwsKeys("AKIACANARY0000000003", "canary/role+source0secret0of0forty0chars", "eu-central-1")
DUMMY = AwsKeys(AWS_ACCESS_KEY, PLACEHOLDER, "eu-central-1")
WITH_KEYS = Credential(
    provider="bedrock",
    region="eu-central-1",
    access_key_id=SOURCE.access_key,
    secret_access_key=SOURCE.secret_key,
    role_arn=ROLE,
    external_id="seatrial:ann",
)
WITHOUT_KEYS = WITH_KEYS.model_copy(update={"access_key_id": None, "secret_access_key": None})


class Reader:
    """One stored credential, everybody's."""

    def __init__(self, credential: Credential) -> None:
        self.credential = credential

    async def open(self, owner: str, provider: str, name: str | None) -> Credential | None:
        return self.credential if provider == "bedrock" else None


async def no_test_model() -> str | None:
    return None


@dataclass
class Account:
    """The scripted services, and a gateway that knows where they are."""

    sts: ScriptedSts
    bedrock: ScriptedBedrock

    def providers(self, credential: Credential, *, roles: str = "", **environ: str) -> Any:
        settings = Settings(
            data_dir=Path("unused"), aws_sts_url=self.sts.url, aws_assumable_roles=roles
        )
        places = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self.bedrock.url, **environ}
        return AccountProviders(settings, no_test_model, Reader(credential), environ=places)

    async def resolve(self, credential: Credential, **changes: str) -> ResolvedModel:
        request = TestRequest(files={"agent.py": ""}, query="q", model=f"bedrock:{NOVA}")
        return await self.providers(credential, **changes).resolve(request, "ann", test_id="t42")

    async def failing(self, credential: Credential, **changes: str) -> Failure:
        with pytest.raises(FailureError) as caught:
            await self.resolve(credential, **changes)
        assert "canary" not in caught.value.failure.model_dump_json()
        return caught.value.failure


@asynccontextmanager
async def account(lifetime: float = 3600.0) -> AsyncGenerator[Account]:
    async with ScriptedSts(SOURCE, {ROLE: "seatrial:ann"}, lifetime=lifetime) as sts:
        # The source's own keys cannot call the model: only those of the role can.
        nobody = AwsKeys("AKIANOBODY0000000000", "x" * 40, "eu-central-1")
        async with ScriptedBedrock(nobody, issuer=sts.find) as bedrock:
            yield Account(sts, bedrock)


async def converse(url: str, keys: AwsKeys = DUMMY, prefix: str = "/bedrock") -> int:
    """One signed call, by default as an agent's SDK makes it; its status."""
    path, body = f"{prefix}/model/{NOVA}/converse", b'{"messages": []}'
    signed = sigv4.signed_headers("POST", f"{url}{path}", "application/json", body, keys)
    headers = {"Content-Type": "application/json", **signed}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}{path}", data=body, headers=headers) as answer,
    ):
        await answer.read()
        return answer.status


@pytest.mark.spec("FR-002")
async def test_the_role_is_assumed_in_a_session_that_names_the_test() -> None:
    async with account() as there:
        found = await there.resolve(WITH_KEYS)
        (issued,) = there.sts.issued
        assert issued.session == "seatrial-t42"
        (upstream,) = found.upstreams
        assert upstream.credential is not None
        assert (await upstream.credential.current()).access_key == issued.keys.access_key
        assert len(there.sts.issued) == 1


async def test_a_refused_role_says_who_has_to_allow_what() -> None:
    async with account() as there:
        other = WITH_KEYS.model_copy(update={"external_id": "seatrial:bob"})
        found = await there.failing(other)
        assert found.code == "model.access_denied"
        assert ROLE in found.message
        for word in ("sts:AssumeRole", "trust policy", "external id"):
            assert word in found.what_to_do
        wrong = WITH_KEYS.model_copy(update={"secret_access_key": "x" * 40})
        assert (await there.failing(wrong)).code == "model.auth_failed"
        temporary = AwsKeys("ASIACANARY0000000004", "y" * 40, "eu-central-1", "canary-token-0123")
        there.sts.keys = temporary
        wrong = wrong.model_copy(
            update={
                "access_key_id": temporary.access_key,
                "session_token": temporary.session_token,
            }
        )
        found = await there.failing(wrong)
        assert "x-amz-security-token:***" in found.message
        there.sts.keys = SOURCE
        there.sts.mode = Mode.DROP
        assert (await there.failing(WITH_KEYS)).code == "model.unreachable"


async def test_the_workers_own_identity_assumes_only_roles_that_the_operator_lists() -> None:
    keys = {"AWS_ACCESS_KEY_ID": SOURCE.access_key, "AWS_SECRET_ACCESS_KEY": SOURCE.secret_key}
    async with account() as there:
        found = await there.failing(WITHOUT_KEYS, **keys)
        assert (found.code, ROLE in found.message) == ("model.auth_failed", True)
        assert "SEATRIAL_AWS_ASSUMABLE_ROLES" in found.what_to_do
        assert (await there.failing(WITHOUT_KEYS, roles=ROLE[:-1], **keys)).code == found.code
        assert there.sts.requests == []
        for roles in (ROLE, "arn:aws:iam::1:role/x, arn:aws:iam::123456789012:role/team/*"):
            await there.resolve(WITHOUT_KEYS, roles=roles, **keys)
        assert len(there.sts.issued) == 2
        none = await there.failing(WITHOUT_KEYS, roles=ROLE)
        assert "neither it nor the worker has AWS keys" in none.message


async def test_a_remembered_good_answer_assumes_no_role_before_the_first_call(
    gateway: SocketGateway, tmp_path: Path
) -> None:
    request = TestRequest(files={"agent.py": ""}, query="q", model=f"bedrock:{NOVA}")
    async with account() as there:
        providers = there.providers(WITH_KEYS)
        await providers.resolve(request, "ann", test_id="t1")
        second = await providers.resolve(request, "ann", test_id="t2")
        assert [one.session for one in there.sts.issued] == ["seatrial-t1"]
        async with container(gateway, tmp_path, *second.upstreams) as inside:
            assert await converse(inside.url) == 200
        assert [one.session for one in there.sts.issued] == ["seatrial-t1", "seatrial-t2"]


@pytest.mark.timeout(60)
async def test_keys_are_renewed_while_a_long_test_runs(
    gateway: SocketGateway, tmp_path: Path
) -> None:
    async with account(lifetime=6.0) as there:
        found = await there.resolve(WITH_KEYS)
        async with container(gateway, tmp_path, *found.upstreams) as inside:
            started = datetime.now(UTC)
            while datetime.now(UTC) < started + timedelta(seconds=6.5):
                assert await converse(inside.url) == 200
                await asyncio.sleep(0.2)  # an agent that thinks between its calls
            for issued in there.sts.issued:
                for secret in (issued.keys.secret_key, issued.keys.session_token or ""):
                    assert secret.encode() not in inside.got
        assert len(there.sts.issued) >= 2
        first, last = (there.sts.issued[n].keys for n in (0, -1))
        assert await converse(there.bedrock.url, last, "") == 200
        assert await converse(there.bedrock.url, first, "") == 403


async def test_old_keys_are_used_to_their_end_when_there_are_no_new_ones() -> None:
    now = datetime.now(UTC)

    async def source() -> AwsKeys:
        return SOURCE

    async with account(lifetime=3600) as there:
        role = Role(ROLE, "eu-central-1", "t1", source, (NOVA,), "seatrial:ann")
        keys = AssumedRole(role, AwsApi(), there.sts.url, clock=lambda: now).keys
        first = await keys.current()
        there.sts.mode = Mode.BROKEN
        now += timedelta(minutes=54)
        assert (await first.current()).access_key == first.access_key
        assert len(there.sts.requests) == 1
        now += timedelta(minutes=2)
        assert (await first.current()).access_key == first.access_key
        assert len(there.sts.requests) == 2
        now += timedelta(minutes=5)
        with pytest.raises(FailureError) as caught:
            await first.current()
        assert caught.value.failure.code == "model.access_denied"
        there.sts.mode = Mode.OK
        assert (await first.current()).access_key == there.sts.issued[-1].keys.access_key


async def test_a_roles_keys_can_do_no_more_than_the_test_may() -> None:
    async with account() as there:
        await (await there.resolve(WITH_KEYS)).upstreams[0].credential.current()  # type: ignore[union-attr]
        [issued] = there.sts.issued
        profile = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/"
        assert issued.may("bedrock:InvokeModel", profile + NOVA)
        assert issued.may("bedrock:InvokeModelWithResponseStream", profile + NOVA)
        assert not issued.may("bedrock:InvokeModel", profile + "eu.amazon.nova-pro-v1:0")
        assert not issued.may("s3:GetObject", "arn:aws:s3:::payroll/x.pdf")
        assert not issued.may(
            "bedrock:ApplyGuardrail", "arn:aws:bedrock:eu-central-1:1:guardrail/x"
        )
