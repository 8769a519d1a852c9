"""`GET /providers/{name}/models?credential=`: one's own credentials, and nobody's key."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest

from seatrial.gateway import AccountProviders, keyring
from seatrial.gateway.vault import Vault
from seatrial.services.credentials import seal
from seatrial.settings import Settings
from seatrial.store import SqlStore
from seatrial.testing.providers import Mode, ScriptedOpenAI

from .running import running
from .test_problems import checked

CANARY = "sk-canary-models-41be77"
OPENAI = "/api/v1/providers/openai/models"
GUARDED = {"local_owner": None, "socket_owner": "me"}

pytestmark = pytest.mark.timeout(60)


async def no_test_model() -> str | None:
    return None


async def store_one(client: httpx.AsyncClient, name: str, base_url: str) -> None:
    body = {"provider": "openai", "api_key": CANARY, "base_url": base_url}
    answer = await client.put(f"/api/v1/credentials/{name}", json=body)
    assert answer.status_code == 200, answer.text


async def vault_of(store: SqlStore, folder: Path) -> Vault:
    made = Vault(store, keyring.load(None, folder), seal, alone=True)
    await made.prepare()
    return made


async def test_models_are_listed_with_a_key_that_appears_nowhere(
    store: SqlStore, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vault = await vault_of(store, folder)
    settings = Settings(data_dir=folder, port=0)
    providers = AccountProviders(settings, no_test_model, vault, environ={})
    async with (
        ScriptedOpenAI(("gpt-x", f"echo-{CANARY}")) as service,
        running(store, folder, providers=providers, **GUARDED) as server,
        server.client(await server.token_of("ann")) as ann,
        server.client(await server.token_of("bob")) as bob,
    ):
        await store_one(ann, "work", f"{service.url}/v1")
        answers = [await ann.get(OPENAI, params={"credential": "work"})]
        assert answers[0].json()["models"][0] == "gpt-x"
        assert answers[0].json()["reason"] == ""
        assert service.requests[0].headers["Authorization"] == f"Bearer {CANARY}"
        service.mode = Mode.UNAUTHORIZED
        await store_one(ann, "other", f"{service.url}/v1/")
        answers.append(await ann.get(OPENAI, params={"credential": "other"}))
        assert answers[1].json() == {"models": [], "reason": "the key was refused"}
        for asking, name, path in (
            (bob, "work", OPENAI),
            (ann, "gone", OPENAI),
            (ann, "work", OPENAI.replace("openai", "anthropic")),
            (ann, "work", OPENAI.replace("openai", "secret")),
        ):
            answers.append(await asking.get(path, params={"credential": name}))
            checked(answers[-1], 404, "not_found")
        nobody = await httpx.AsyncClient().get(f"{server.url}{OPENAI}?credential=work")
        assert nobody.status_code == 401
    assert not any(CANARY in answer.text for answer in answers)
    assert CANARY not in caplog.text
    written = b"".join(path.read_bytes() for path in folder.glob("seatrial.db*"))
    assert CANARY.encode() not in written


async def test_a_server_without_a_worker_says_that_it_can_list_none(
    store: SqlStore, folder: Path
) -> None:
    await vault_of(store, folder)
    async with running(store, folder, providers=None) as server, server.client() as client:
        await store_one(client, "work", "https://models.test/v1")
        answer = await client.get(OPENAI, params={"credential": "work"})
        assert answer.json()["models"] == []
        assert "Only a worker can open" in answer.json()["reason"]
        checked(await client.get(OPENAI), 404, "not_found")
