"""A client on the machine of its server: by the socket without a token, by the port with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.integration.server.running import Running, running

from seatrial.client import AsyncClient
from seatrial.domain.errors import LocalTokenNeeded
from seatrial.services.users import new_token
from seatrial.store import SqlStore

TOKEN = new_token()


@pytest_asyncio.fixture
async def own(
    store: SqlStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    """A server as `seatrial serve` starts it by default, for the data folder of this user."""
    monkeypatch.setenv("SEATRIAL_DATA_DIR", str(folder))
    for name in ("SEATRIAL_URL", "SEATRIAL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    deps = {"local_owner": None, "socket_owner": "me", "local_token": TOKEN}
    async with running(store, folder, **deps) as started:
        (folder / "seatrial.sock").symlink_to(started.socket)
        yield started


async def test_a_client_without_an_address_is_the_local_user(own: Running) -> None:
    async with AsyncClient() as client:
        assert (await client.session()).local


async def test_a_client_of_the_port_is_told_where_the_token_is(
    own: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncClient(own.url) as client:
        with pytest.raises(LocalTokenNeeded) as refused:
            await client.session()
    for words in ("seatrial serve --show-token", "SEATRIAL_TOKEN", "token="):
        assert words in refused.value.hint
    monkeypatch.setenv("SEATRIAL_TOKEN", TOKEN)
    async with AsyncClient(own.url) as client:
        assert (await client.session()).local


async def test_the_printed_address_is_enough(own: Running) -> None:
    async with AsyncClient(f"{own.url}/#token={TOKEN}") as client:
        assert (await client.session()).user == "me"
        assert (await client.queue()).queued == 0
