"""Credentials over HTTP: written, listed, removed, and never read back or repeated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from seatrial.domain.errors import Conflict
from seatrial.gateway import keyring
from seatrial.gateway.vault import Vault
from seatrial.services.credentials import seal
from seatrial.store import SqlStore

from .running import GOOD, Running, running

HERE = "/api/v1/credentials"
CANARY = "sk-canary-http-77c1"
OPENAI = {"provider": "openai", "api_key": CANARY}


@pytest_asyncio.fixture
async def vault(store: SqlStore, folder: Path) -> Vault:
    made = Vault(store, keyring.load(None, folder), seal, alone=True)
    await made.prepare()
    return made


@pytest_asyncio.fixture
async def guarded_vault(
    store: SqlStore, folder: Path, vault: Vault
) -> AsyncIterator[tuple[Running, Vault]]:
    async with running(
        store, folder, local_owner=None, socket_owner="me", key_rotation=vault
    ) as started:
        yield started, vault


async def test_a_credential_is_written_and_only_the_gateway_reads_it(
    guarded_vault: tuple[Running, Vault],
) -> None:
    server, vault = guarded_vault
    async with server.client(await server.token_of("ann")) as ann:
        answers = [
            await ann.put(f"{HERE}/work", json={**OPENAI, "base_url": "https://x.test/v1"}),
            await ann.get(f"{HERE}/work"),
            await ann.get(HERE),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    info = answers[0].json()
    assert set(info) == {"name", "provider", "base_url", "region", "created_at", "updated_at"}
    assert answers[1].json() == info
    assert answers[2].json() == {"credentials": [info]}
    assert not any("canary" in answer.text for answer in answers)
    owner = (await server.store.ensure_user("ann")).id
    found = await vault.open(owner, "openai", None)
    assert found is not None
    assert found.api_key == CANARY
    assert await vault.open(owner, "anthropic", "work") is None
    written = b"".join(path.read_bytes() for path in server.socket.parent.glob("seatrial.db*"))
    assert b"work" in written
    assert CANARY.encode() not in written


async def test_another_user_finds_and_changes_nothing(
    guarded_vault: tuple[Running, Vault],
) -> None:
    server, vault = guarded_vault
    async with (
        server.client(await server.token_of("ann")) as ann,
        server.client(await server.token_of("bob")) as bob,
    ):
        before = (await ann.put(f"{HERE}/work", json=OPENAI)).json()
        assert (await bob.get(HERE)).json() == {"credentials": []}
        assert (await bob.get(f"{HERE}/work")).status_code == 404
        assert (await bob.delete(f"{HERE}/work")).status_code == 404
        assert (await bob.post(f"{HERE}/rotate")).status_code == 403
        named = await bob.post("/api/v1/tests", json={**GOOD, "credential": "work"})
        assert named.json()["errors"][0]["field"] == "credential"
        assert (await bob.put(f"{HERE}/work", json={**OPENAI, "api_key": "other-key"})).is_success
        assert (await ann.get(f"{HERE}/work")).json() == before
    found = await vault.open((await server.store.ensure_user("ann")).id, "openai", "work")
    assert found is not None
    assert found.api_key == CANARY


@pytest.mark.parametrize(
    "body",
    [
        {**OPENAI, "provider": CANARY},
        {**OPENAI, CANARY: 1},
        {"provider": "openai", "api_key": {"x": CANARY}},
        {"provider": "openai", "api_key": [CANARY]},
        {"provider": "bedrock", "access_key_id": CANARY, "secret_access_key": CANARY},
        {**OPENAI, "base_url": f"https://{CANARY}@x.test"},
        {**OPENAI, "region": CANARY},
        CANARY,
        [CANARY],
    ],
)
async def test_a_refusal_repeats_nothing_of_the_body(
    guarded_vault: tuple[Running, Vault], body: object, caplog: pytest.LogCaptureFixture
) -> None:
    server, _ = guarded_vault
    async with server.socket_client() as client:
        answer = await client.put(f"{HERE}/work", json=body)
        broken = await client.put(f"{HERE}/work", content=f'{{"api_key": "{CANARY}" x')
    assert (answer.status_code, broken.status_code) == (422, 422)
    assert answer.json()["errors"]
    assert "canary" not in answer.text + broken.text + caplog.text


async def test_without_any_gateways_key_nothing_is_taken(server: Running) -> None:
    async with server.client() as client:
        answer = await client.put(f"{HERE}/work", json=OPENAI)
        assert (answer.status_code, answer.json()["code"]) == (503, "platform.setup")
        assert (await client.post(f"{HERE}/rotate")).status_code == 404


async def test_a_test_may_name_a_credential_of_its_models_provider(
    guarded_vault: tuple[Running, Vault],
) -> None:
    server, _ = guarded_vault
    async with server.socket_client() as client:
        await client.put(f"{HERE}/work", json=OPENAI)
        good = {**GOOD, "model": "openai:gpt", "credential": "work"}
        assert (await client.post("/api/v1/tests", json=good)).status_code == 201
        for path in ("/api/v1/tests", "/api/v1/validate"):
            for wrong in ({**good, "credential": "gone"}, {**good, "model": "ollama:x"}):
                answer = await client.post(path, json=wrong)
                assert answer.status_code == 422
                assert [one["field"] for one in answer.json()["errors"]] == ["credential"]


async def test_a_new_key_opens_all_and_the_old_one_opens_nothing(
    guarded_vault: tuple[Running, Vault], folder: Path
) -> None:
    server, vault = guarded_vault
    old = keyring.load(None, folder)
    async with server.socket_client() as client:
        for name in ("a", "b"):
            await client.put(f"{HERE}/{name}", json=OPENAI)
        assert (await client.post(f"{HERE}/rotate")).json() == {"resealed": 2}
        await client.put(f"{HERE}/c", json=OPENAI)
    owner = (await server.store.ensure_user("me")).id
    new = keyring.load(None, folder)
    assert [key.id for key in new.keys] != [key.id for key in old.keys]
    restarted = Vault(server.store, new, seal, alone=True)
    await restarted.prepare()
    for name in ("a", "b", "c"):
        for one in (vault, restarted):
            found = await one.open(owner, "openai", name)
            assert found is not None
            assert found.api_key == CANARY
        assert (await server.store.sealed_credential(owner, name)).key_id == new.current.id


async def test_the_operators_new_key_takes_over_at_the_next_start(
    guarded_vault: tuple[Running, Vault], folder: Path
) -> None:
    server, _ = guarded_vault
    async with server.socket_client() as client:
        await client.put(f"{HERE}/a", json=OPENAI)
    old = keyring.load(None, folder)
    ring = keyring.KeyRing((keyring.fresh(), *old.keys), None)
    vault = Vault(server.store, ring, seal, alone=False)
    await vault.prepare()
    assert (await server.store.gateway_key()) == ring.current.shown
    assert not await server.store.sealed_to_others(ring.current.id)
    with pytest.raises(Conflict):
        await vault.rotate()
