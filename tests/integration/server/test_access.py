"""Nobody reads or changes what is not theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from seatrial.client import AsyncClient
from seatrial.domain.errors import NotFound, SetupFailed
from seatrial.server import ServerDeps, create_app
from seatrial.settings import Settings
from seatrial.store import SqlStore

from .running import GOOD, Running, running

TESTS = "/api/v1/tests"
OPEN_TO_ALL = {"/healthz", "/readyz"}
NO_OWNER = {
    "/api/v1/validate",
    "/api/v1/limits",
    "/api/v1/queue",
    "/api/v1/providers",
    "/api/v1/providers/{name}/models",
    "/api/v1/environments",
    "/api/v1/environments/prune",
    "/api/v1/session",
    "/api/v1/tokens",
    "/api/v1/webhooks/secret",
    "/metrics",
}
BY_NAME = {"/api/v1/credentials", "/api/v1/credentials/{name}", "/api/v1/credentials/rotate"}
"""Another user's names mean nothing: see test_credentials."""
BODIES: dict[str, Any] = {
    "validate_request": GOOD,
    "submit_test": GOOD,
    "retry_test": {},
    "create_token": {"label": "mine"},
    "embed_test": {"origins": ["https://app.example"]},
    "set_credential": {"provider": "openai", "api_key": "sk-another-1"},
}


async def operations(client: httpx.AsyncClient) -> list[tuple[str, str, str]]:
    """Every operation of the API's own description: method, path, id."""
    paths = (await client.get("/api/v1/openapi.json")).json()["paths"]
    return [
        (method, path, operation["operationId"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


async def asked(
    client: httpx.AsyncClient, method: str, path: str, operation: str, **names: str
) -> httpx.Response:
    defaults = {"name": "ollama", "label": "none", "test_id": "none", "target": "compose"}
    filled = path.format(**{**defaults, **names})
    return await client.request(method, filled, json=BODIES.get(operation))


@pytest.mark.spec("FR-014")
async def test_nobody_gets_past_any_operation_without_a_token(guarded: Running) -> None:
    async with guarded.client() as nobody:
        found = await operations(nobody)
        assert len(found) >= 20
        for method, path, operation in found:
            answer = await asked(nobody, method, path, operation)
            expected = 200 if path in OPEN_TO_ALL else 401
            assert answer.status_code == expected, (method, path)
            if expected == 401:
                assert answer.headers["www-authenticate"] == "Bearer"
                assert answer.json()["code"] == "not_authenticated"


@pytest.mark.spec("FR-014")
async def test_another_user_finds_no_test_by_any_operation(guarded: Running) -> None:
    async with (
        guarded.client(await guarded.token_of("ann")) as ann,
        guarded.client(await guarded.token_of("bob")) as bob,
    ):
        done, waiting = await guarded.completed(ann), await guarded.submitted(ann)
        before = [(await ann.get(f"{TESTS}/{test}")).json() for test in (done, waiting)]
        for method, path, operation in await operations(bob):
            for test_id in (done, waiting):
                answer = await asked(bob, method, path, operation, test_id=test_id)
                if "{test_id}" in path:
                    assert answer.status_code == 404, (method, path)
                else:
                    assert test_id not in answer.text
                    assert (
                        path in NO_OWNER | OPEN_TO_ALL | BY_NAME | {TESTS} or "{label}" in path
                    ), path
        stream = {"accept": "text/event-stream"}
        events = await bob.get(f"{TESTS}/{waiting}/events", headers=stream)
        assert events.status_code == 404
        after = [(await ann.get(f"{TESTS}/{test}")).json() for test in (done, waiting)]
        assert [{**test, "queue": None} for test in after] == [
            {**test, "queue": None} for test in before
        ]


async def test_what_everybody_s_tests_run_on_is_removed_by_the_machine_s_own_user_only(
    guarded: Running,
) -> None:
    async with guarded.client(await guarded.token_of("ann")) as ann:
        refused = await ann.post("/api/v1/environments/prune")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    async with guarded.socket_client() as own:
        assert (await own.post("/api/v1/environments/prune")).json() == {"freed_bytes": 1000}


async def test_two_users_may_use_the_same_idempotency_key(guarded: Running) -> None:
    ids: set[str] = set()
    for name in ("ann", "bob"):
        async with guarded.client(await guarded.token_of(name)) as client:
            headers = {"idempotency-key": "k"}
            ids.add((await client.post(TESTS, json=GOOD, headers=headers)).json()["id"])
    assert len(ids) == 2


@pytest.mark.parametrize(
    "header",
    ["Bearer st_" + "x" * 43, "Bearer nonsense", "Bearer", "Basic bWU6bWU=", "Bearer st_\xff"],
)
async def test_a_wrong_token_is_refused_even_where_none_is_needed(
    server: Running, header: str
) -> None:
    async with server.client() as client:
        headers = {b"authorization": header.encode("latin-1")}
        answer = await client.get(TESTS, headers=headers)
    assert answer.status_code == 401


async def test_the_local_socket_needs_no_token_where_the_port_does(guarded: Running) -> None:
    async with guarded.socket_client() as client:
        session = (await client.get("/api/v1/session")).json()
    assert (session["user"], session["local"]) == ("me", True)


async def test_a_token_is_made_over_the_socket_used_over_the_port_and_revoked(
    guarded: Running,
) -> None:
    async with guarded.socket_client() as local:
        made = await local.post("/api/v1/tokens", json={"label": "laptop", "user": "ann"})
    token = made.json()["token"]
    assert made.status_code == 201
    assert token.startswith("st_")
    assert len(token) == 46
    async with guarded.client(token) as ann:
        session = (await ann.get("/api/v1/session")).json()
        assert (session["user"], session["local"]) == ("ann", False)
        other = await ann.post("/api/v1/tokens", json={"label": "x", "user": "bob"})
        assert (other.status_code, other.json()["code"]) == (403, "not_allowed")
        assert (await ann.delete("/api/v1/tokens/laptop")).status_code == 204
        assert (await ann.get("/api/v1/session")).status_code == 401


@pytest.mark.parametrize("label", ["laptop", "a/b/c", "ünter ?#%", "a..b"])
async def test_any_label_that_a_token_can_have_can_be_revoked(guarded: Running, label: str) -> None:
    async with AsyncClient(socket_path=guarded.socket) as local:
        made = await local.create_token(label, user="ann")
        await local.create_token(label, user="bob")
        async with guarded.client(made.token) as ann:
            mine = f"/api/v1/tokens/{quote(label, safe='')}"
            assert (await ann.delete(mine, params={"user": "bob"})).status_code == 403
            await local.revoke_token(label, user="ann")
            assert (await ann.get("/api/v1/session")).status_code == 401
        with pytest.raises(NotFound):
            await local.revoke_token(label, user="ann")
        with pytest.raises(NotFound):
            await local.revoke_token(label, user="nobody")
        await local.revoke_token(label, user="bob")


async def test_no_token_is_stored_as_it_is(guarded: Running) -> None:
    token = await guarded.token_of("ann")
    written = b"".join(
        path.read_bytes() for path in guarded.socket.parent.glob("seatrial.db*") if path.is_file()
    )
    assert b"ann" in written
    assert token.encode() not in written
    assert token[3:].encode() not in written


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:99", "[::1]:8710", "LOCALHOST:1"])
async def test_the_names_of_this_machine_are_answered_to(server: Running, host: str) -> None:
    async with server.client(host=host) as client:
        assert (await client.get(TESTS)).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8710", "localhost.evil.example", "127.0.0.1.nip.example"]
)
async def test_a_name_that_was_made_to_point_here_is_not_answered_to(
    server: Running, host: str
) -> None:
    async with server.client(host=host) as client:
        for method, path in (("GET", TESTS), ("POST", TESTS), ("GET", "/"), ("GET", "/healthz")):
            answer = await client.request(method, path, json=GOOD)
            assert (answer.status_code, answer.json()["code"]) == (421, "host_not_allowed")


async def test_a_holder_of_a_token_may_come_by_another_name(server: Running) -> None:
    token = await server.token_of("ann")
    async with server.client(token, host="seatrial.example") as client:
        assert (await client.get(TESTS)).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null"])
async def test_a_page_of_another_origin_changes_nothing(server: Running, origin: str) -> None:
    async with server.client(origin=origin) as client:
        test_id = "t00000000000000000000"
        for method, path in (
            ("POST", TESTS),
            ("POST", f"{TESTS}/{test_id}/cancel"),
            ("DELETE", TESTS),
        ):
            answer = await client.request(method, path, json=GOOD)
            assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
        answer = await client.get(TESTS)
        assert (answer.status_code, answer.json()["tests"]) == (200, [])
        assert "access-control-allow-origin" not in answer.headers


async def test_a_page_of_the_same_origin_may_submit(server: Running) -> None:
    async with server.client(origin=server.url) as client:
        await server.submitted(client)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "seatrial.example"])
def test_an_address_that_others_reach_is_refused_without_tokens(store: SqlStore, host: str) -> None:
    with pytest.raises(SetupFailed, match="other machines"):
        create_app(ServerDeps(store=store, settings=Settings(host=host), local_owner="me"))
    create_app(ServerDeps(store=store, settings=Settings(host=host), socket_owner="me"))


async def test_what_a_token_made_ends_with_it(guarded: Running) -> None:
    """A stolen token that makes another before it is revoked gains nothing."""
    stolen = await guarded.token_of("ann")
    made: list[str] = []
    for n in range(3):
        async with guarded.client(made[-1] if made else stolen) as thief:
            answer = await thief.post("/api/v1/tokens", json={"label": f"copy {n}"})
            made.append(str(answer.json()["token"]))
    async with AsyncClient(socket_path=guarded.socket) as local:
        listed = {one.label: one for one in await local.tokens(user="ann")}
        assert listed["copy 0"].parent == listed["test"].id
        assert listed["copy 2"].parent == listed["copy 1"].id
        assert listed["copy 2"].last_used is None
        assert listed["copy 1"].last_used is not None
        await local.revoke_token("test", user="ann")
        assert await local.tokens(user="ann") == ()
    for token in [stolen, *made]:
        async with guarded.client(token) as ann:
            assert (await ann.get("/api/v1/session")).status_code == 401


async def test_a_user_lists_own_tokens_and_the_local_user_all(guarded: Running) -> None:
    async with (
        guarded.client(await guarded.token_of("ann")) as ann,
        guarded.client(await guarded.token_of("bob")) as bob,
    ):
        mine = (await ann.get("/api/v1/tokens")).json()["tokens"]
        assert [(one["user"], one["label"]) for one in mine] == [("ann", "test")]
        assert (await ann.get("/api/v1/tokens?user=ann")).json()["tokens"] == mine
        for query in ("user=bob", "everyone=true", "user=nobody"):
            assert (await ann.get(f"/api/v1/tokens?{query}")).status_code == 403
        assert "ann" not in (await bob.get("/api/v1/tokens")).text
    async with AsyncClient(socket_path=guarded.socket) as local:
        assert {one.user for one in await local.tokens(everyone=True)} == {"ann", "bob"}
        assert await local.tokens() == ()
        with pytest.raises(NotFound):
            await local.tokens(user="nobody")


async def test_a_user_makes_only_so_many_tokens(store: SqlStore, folder: Path) -> None:
    settings = Settings(data_dir=folder, port=0, max_tokens_per_user=3)
    async with (
        running(store, folder, settings=settings) as server,
        server.client(await server.token_of("ann")) as ann,
    ):
        answers = [await ann.post("/api/v1/tokens", json={"label": str(n)}) for n in range(4)]
        assert [one.status_code for one in answers] == [201, 201, 409, 409]
        assert "seatrial users tokens" in answers[-1].json()["hint"]
        assert (await ann.delete("/api/v1/tokens/0")).status_code == 204
        assert (await ann.post("/api/v1/tokens", json={"label": "x"})).status_code == 201
