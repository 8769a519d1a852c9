"""The port of a machine's own user answers nothing without the local token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from seatrial.domain.errors import SetupFailed
from seatrial.server import ServerDeps, create_app
from seatrial.settings import Settings
from seatrial.store import SqlStore

from .running import Running, running
from .test_access import OPEN_TO_ALL, TESTS, asked, operations

TOKEN = "st_" + "local" * 8 + "own"
SESSION = "/api/v1/session"


@pytest_asyncio.fixture
async def own(store: SqlStore, folder: Path) -> AsyncIterator[Running]:
    """A server as `seatrial serve` starts it by default."""
    deps = {"local_owner": None, "socket_owner": "me", "local_token": TOKEN}
    async with running(store, folder, **deps) as started:
        yield started


@pytest.mark.spec("FR-014")
async def test_every_operation_asks_for_the_token_and_says_where_it_is(own: Running) -> None:
    async with own.client() as nobody:
        found = await operations(nobody)
        assert len(found) >= 20
        for method, path, operation in found:
            answer = await asked(nobody, method, path, operation)
            assert answer.status_code == (200 if path in OPEN_TO_ALL else 401), (method, path)
            if path not in OPEN_TO_ALL:
                problem = answer.json()
                assert problem["code"] == "local_token_needed"
                assert "seatrial serve --show-token" in problem["hint"]
                assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "authorization"])
async def test_a_token_in_the_query_string_is_never_accepted(own: Running, name: str) -> None:
    async with own.client() as client:
        for path in (SESSION, TESTS, "/metrics"):
            assert (await client.get(path, params={name: TOKEN})).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.upper()}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer st_\xff",
        "Bearer st_" + "other" * 8 + "own",
    ],
)
async def test_another_token_or_form_is_refused_in_the_same_words(
    own: Running, header: str
) -> None:
    async with own.client() as client:
        answer = await client.get(SESSION, headers={b"authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.json()["code"]) == (401, "local_token_needed")


async def test_neither_a_cookie_nor_another_header_is_a_token(own: Running) -> None:
    async with own.client(cookie=f"token={TOKEN}", **{"x-api-key": TOKEN}) as client:
        assert (await client.get(SESSION)).status_code == 401


async def test_the_token_and_the_socket_are_the_same_user(own: Running) -> None:
    async with own.client(TOKEN) as port, own.socket_client() as socket:
        test_id = await own.submitted(socket)
        for client in (port, socket):
            session = (await client.get(SESSION)).json()
            assert (session["user"], session["local"]) == ("me", True)
            assert (await client.get(f"{TESTS}/{test_id}")).status_code == 200
        # What this machine's own user alone may do.
        made = await port.post("/api/v1/tokens", json={"label": "laptop", "user": "ann"})
        assert made.status_code == 201
        assert (await port.post("/api/v1/environments/prune")).status_code == 200
    async with own.client(made.json()["token"]) as ann:
        session = (await ann.get(SESSION)).json()
        assert (session["user"], session["local"]) == ("ann", False)


async def test_a_page_of_another_origin_has_no_use_for_the_missing_token(own: Running) -> None:
    async with own.client(origin="https://evil.example") as client:
        assert (await client.post(TESTS, json={})).status_code == 403
        assert (await client.get(TESTS)).status_code == 401
    async with own.client(host="evil.example") as client:
        assert (await client.get(TESTS)).status_code == 421


async def test_an_open_port_still_takes_the_token_that_a_browser_has_kept(
    store: SqlStore, folder: Path
) -> None:
    deps = {"local_owner": "me", "socket_owner": "me", "local_token": TOKEN}
    async with running(store, folder, **deps) as server:
        for token in (None, TOKEN):
            async with server.client(token) as client:
                assert (await client.get(SESSION)).json()["user"] == "me"


async def test_the_token_is_not_in_what_the_server_shows_of_itself(own: Running) -> None:
    assert TOKEN not in repr(own.deps)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5"])
def test_the_local_token_is_no_access_for_other_machines(store: SqlStore, host: str) -> None:
    deps = ServerDeps(
        store=store, settings=Settings(host=host), socket_owner="me", local_token=TOKEN
    )
    with pytest.raises(SetupFailed, match="other machines"):
        create_app(deps)
