"""Packages over the API: made of green tests only, downloaded, gone with their test."""

from __future__ import annotations

import hashlib
import io
import time
import zipfile

import httpx
import pytest

from seatrial.domain.builds import Build
from seatrial.domain.errors import StoreFull
from seatrial.domain.events import ModelCallEvent, NoticeEvent
from seatrial.domain.packages import NewPackage, PackageInfo
from seatrial.domain.phases import Outcome
from seatrial.domain.receipts import Receipt
from seatrial.domain.tests import Completion, Result
from seatrial.store import SqlStore

from .running import GOOD, Running

TESTS = "/api/v1/tests"
BUILD = Build(python="3.11", architecture="x86_64", image="sha256:1")


async def green(
    server: Running, client: httpx.AsyncClient, *, build: Build | None = BUILD, leaked: bool = False
) -> str:
    test_id = await server.submitted(client)
    claim = await server.claim(test_id)
    store = server.store
    await store.start_running(test_id, claim.attempt, environment=None, build=build)
    call = ModelCallEvent(provider="openai", model="m", status=200, latency_seconds=1)
    used = NoticeEvent(
        code="egress_used", message="", data={"host": "a.example", "port": 443, "bytes": 1}
    )
    await store.append(test_id, claim.attempt, [call, used])
    receipt = Receipt(leaked_artifacts=("request",)) if leaked else None
    result = Result(response="hello", entry_point="agent.py:run", framework="function")
    end = Completion(outcome=Outcome.SUCCEEDED, result=result, receipt=receipt)
    await store.complete(test_id, claim.attempt, end, [])
    return test_id


@pytest.mark.spec("US2-1", "FR-005")
async def test_a_package_is_made_listed_and_downloaded(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await green(server, client)
    before = (await client.get(f"{TESTS}/{test_id}/packages")).json()
    made = await client.post(f"{TESTS}/{test_id}/packages", json={"target": "compose"})
    info = made.json()
    download = await client.get(info["download"])
    after = (await client.get(f"{TESTS}/{test_id}/packages")).json()

    assert before["refused"] is None
    assert before["packages"] == []
    assert [(one["target"], one["default"]) for one in before["targets"]] == [
        *(("agentcore", False), ("lambda", True), ("fargate", False), ("compose", False)),
    ]
    assert made.status_code == 201
    assert made.headers["location"] == info["download"]
    assert download.headers["content-type"] == "application/zip"
    assert info["file_name"] in download.headers["content-disposition"]
    assert hashlib.sha256(download.content).hexdigest() == info["sha256"]
    with zipfile.ZipFile(io.BytesIO(download.content)) as archive:
        root = f"seatrial-{test_id}-compose"
        assert archive.read(f"{root}/agent/app/agent.py").decode() == GOOD["files"]["agent.py"]
        assert b"a.example:443" in archive.read(f"{root}/README.md")
    assert after["packages"] == [info]


@pytest.mark.spec("SC-004")
async def test_a_package_is_there_within_five_seconds_of_its_tests_end(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await green(server, client)
    started = time.monotonic()
    info = (await client.post(f"{TESTS}/{test_id}/packages")).json()
    download = await client.get(info["download"])
    assert len(download.content) == info["size_bytes"]
    assert time.monotonic() - started < 5


@pytest.mark.spec("edge-9")
async def test_a_test_that_is_not_green_has_no_package_and_says_why(
    server: Running, client: httpx.AsyncClient
) -> None:
    running = await server.submitted(client)
    claim = await server.claim(running)
    answer = await client.post(f"{TESTS}/{running}/packages")
    assert (answer.status_code, answer.json()["code"]) == (409, "package.refused")
    assert "not ended" in answer.json()["detail"]
    await server.store.complete(running, claim.attempt, Completion(outcome=Outcome.FAILED), [])
    failed = await client.post(f"{TESTS}/{running}/packages")
    assert (failed.status_code, failed.json()["code"]) == (409, "package.refused")
    listed = (await client.get(f"{TESTS}/{running}/packages")).json()
    assert listed["refused"] == failed.json()["detail"]
    assert listed["targets"] == []


async def test_a_test_with_a_secret_in_it_or_without_its_build_has_no_package(
    server: Running, client: httpx.AsyncClient
) -> None:
    leaky = await green(server, client, leaked=True)
    answer = await client.post(f"{TESTS}/{leaky}/packages")
    assert answer.status_code == 409
    assert "A secret stands in what would be packed (request)" in answer.json()["detail"]
    old = await green(server, client, build=None)
    answer = await client.post(f"{TESTS}/{old}/packages")
    assert answer.status_code == 409
    assert "retry" in answer.json()["hint"]


async def test_unknown_targets_tests_and_packages_are_told_apart(
    server: Running, client: httpx.AsyncClient, guarded: Running
) -> None:
    test_id = await green(server, client)
    unknown = await client.post(f"{TESTS}/{test_id}/packages", json={"target": "moon"})
    assert unknown.status_code == 422
    assert (await client.get(f"{TESTS}/{test_id}/packages/moon.zip")).status_code == 422
    assert (await client.get(f"{TESTS}/{test_id}/packages/lambda.zip")).status_code == 404
    assert (await client.post(f"{TESTS}/no-such-test/packages")).status_code == 404
    bob = await guarded.token_of("bob")
    async with guarded.client(bob) as other:
        await client.post(f"{TESTS}/{test_id}/packages", json={"target": "lambda"})
        for path in ("packages", "packages/lambda.zip"):
            assert (await other.get(f"{TESTS}/{test_id}/{path}")).status_code == 404
        assert (await other.post(f"{TESTS}/{test_id}/packages")).status_code == 404


@pytest.mark.spec("edge-9")
async def test_a_package_that_cannot_be_kept_leaves_the_test_as_it_is_and_can_be_retried(
    server: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    test_id = await green(server, client)
    before = (await client.get(f"{TESTS}/{test_id}")).json()

    async def full(self: SqlStore, owner: str, test_id: str, package: NewPackage) -> PackageInfo:
        raise StoreFull("The disk of the database is full.", hint="Free some.")

    with monkeypatch.context() as patched:
        patched.setattr(SqlStore, "keep_package", full)
        failed = await client.post(f"{TESTS}/{test_id}/packages")
    assert failed.status_code == 503
    assert "disk" in failed.json()["detail"]
    assert (await client.get(f"{TESTS}/{test_id}")).json() == before
    assert (await client.get(f"{TESTS}/{test_id}/packages")).json()["packages"] == []
    assert (await client.post(f"{TESTS}/{test_id}/packages")).status_code == 201
    assert (await client.get(f"{TESTS}/{test_id}")).json() == before


async def test_packages_go_with_their_test(server: Running, client: httpx.AsyncClient) -> None:
    test_id = await green(server, client)
    download = (await client.post(f"{TESTS}/{test_id}/packages")).json()["download"]
    assert (await client.delete(f"{TESTS}/{test_id}")).status_code == 204
    assert (await client.get(download)).status_code == 404
