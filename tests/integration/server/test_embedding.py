"""A page of another origin reads one test with its token, and nothing else."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from seatrial.domain.embedding import Grant, grant_of, signed
from seatrial.domain.events import CleanupEvent, LogEvent, NoticeEvent
from seatrial.domain.receipts import Receipt

from .running import GOOD, Running, log_events
from .test_access import asked, operations

TESTS = "/api/v1/tests"
PAGE = "https://app.example"
OTHER = "https://evil.example"
STREAM = {"accept": "text/event-stream"}
ALLOW = "access-control-allow-origin"
SECRET = {"files": {"agent.py": "KEY = 'hidden'\n"}, "env": {"CITY": "hidden"}, "query": "asked"}


async def token_for(client: httpx.AsyncClient, test_id: str, **order: Any) -> str:
    answer = await client.post(f"{TESTS}/{test_id}/embed", json={"origins": [PAGE], **order})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def embedded(server: Running, token: str, origin: str | None = PAGE) -> httpx.AsyncClient:
    """A page of that origin with the token."""
    return server.client(token, **({"origin": origin} if origin else {}))


async def test_a_token_says_how_long_it_is_good_and_for_whom(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.submitted(client)
    order = {"origins": [PAGE, "http://localhost:3000"], "lifetime_seconds": 600}
    made = (await client.post(f"{TESTS}/{test_id}/embed", json=order)).json()
    left = (datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)).total_seconds()
    assert (made["test_id"], made["origins"]) == (test_id, order["origins"])
    assert 500 < left <= 600
    usual = grant_of(server.deps.webhook_key, await token_for(client, test_id))
    assert usual is not None
    assert 3500 < usual.expires - time.time() <= 3600


async def test_a_token_without_bounds_is_not_made(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.submitted(client)
    orders: list[tuple[dict[str, Any], str]] = [
        ({"origins": []}, "origins"),
        ({"origins": ["*"]}, "origins[0]"),
        ({"origins": [PAGE, "https://app.example/path"]}, "origins[1]"),
        ({"origins": [PAGE] * 11}, "origins"),
        ({"origins": [PAGE], "lifetime_seconds": 59}, "lifetime_seconds"),
        ({"origins": [PAGE], "lifetime_seconds": 86_401}, "lifetime_seconds"),
        ({}, "origins"),
    ]
    for order, field in orders:
        answer = await client.post(f"{TESTS}/{test_id}/embed", json=order)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field


@pytest.mark.spec("FR-014")
async def test_the_page_reads_the_test_and_its_journal_without_what_is_the_owner_s(
    guarded: Running,
) -> None:
    async with guarded.client(await guarded.token_of("ann")) as ann:
        test_id = await guarded.submitted(ann, **SECRET)
        await guarded.complete(await guarded.claim(test_id), events=log_events(3))
        token = await token_for(ann, test_id)
    async with embedded(guarded, token) as page:
        test = await page.get(f"{TESTS}/{test_id}")
        events = await page.get(f"{TESTS}/{test_id}/events")
        stream = await page.get(
            f"{TESTS}/{test_id}/events", headers={**STREAM, "last-event-id": "2"}
        )
        whole = await page.get(f"{TESTS}/{test_id}/events?after=1000", headers=STREAM)
    assert test.json()["request"]["query"] == "asked"
    assert test.json()["outcome"] == "succeeded"
    assert "hidden" not in test.text
    assert events.json()["complete"] is True
    assert "id: 3\n" in stream.text
    assert "id: 2\n" not in stream.text
    assert whole.status_code == 204
    for answer in (test, events, stream, whole):
        assert answer.headers[ALLOW] == PAGE
        assert "Origin" in answer.headers["vary"]


async def test_a_page_of_another_origin_gets_nothing_and_may_read_nothing(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.submitted(client)
    token = await token_for(client, test_id)
    for origin in (OTHER, "null", f"{PAGE}:8443", "http://app.example", f"{PAGE}.evil.example"):
        async with embedded(server, token, origin) as page:
            for path, headers in ((test_id, {}), (f"{test_id}/events", STREAM)):
                answer = await page.get(f"{TESTS}/{path}", headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
                assert ALLOW not in answer.headers


async def test_no_other_token_opens_anything_to_pages_of_other_origins(server: Running) -> None:
    own = await server.token_of("ann")
    forged = signed(bytes(32), Grant("t0", "u0", (PAGE,), 2_000_000_000))
    async with server.client(own) as ann:
        test_id = await server.submitted(ann)
    for token, status in ((own, 200), (forged, 401), (None, 404)):
        async with server.client(token, origin=PAGE) as page:
            answer = await page.get(f"{TESTS}/{test_id}")
            assert answer.status_code == status
            assert ALLOW not in answer.headers


async def test_the_token_of_one_test_finds_no_other(
    server: Running, client: httpx.AsyncClient
) -> None:
    token = await token_for(client, await server.submitted(client))
    other = await server.submitted(client)
    async with embedded(server, token) as page:
        for path in (other, f"{other}/events", "t00000000000000000000"):
            answer = await page.get(f"{TESTS}/{path}", headers=STREAM)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_token_does_nothing_but_read(server: Running, client: httpx.AsyncClient) -> None:
    """Tried with and without an origin, by every operation that the API describes."""
    test_id = await server.submitted(client)
    token = await token_for(client, test_id)
    readable = {f"{TESTS}/{{test_id}}", f"{TESTS}/{{test_id}}/events"}
    described = await operations(client)
    for origin in (PAGE, None):
        async with embedded(server, token, origin) as page:
            for method, path, operation in described:
                if path in {"/healthz", "/readyz"} or (method == "get" and path in readable):
                    continue
                answer = await asked(page, method, path, operation, test_id=test_id)
                assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed"), path
                if path not in readable:
                    assert ALLOW not in answer.headers
    test = (await client.get(f"{TESTS}/{test_id}")).json()
    assert (test["phase"], test["cancel_requested"]) == ("queued", False)


async def test_a_token_whose_time_is_over_says_so_to_its_page_alone(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.submitted(client)
    grant = grant_of(server.deps.webhook_key, await token_for(client, test_id))
    assert grant is not None
    old = Grant(grant.test_id, grant.owner, grant.origins, int(time.time()) - 1)
    token = signed(server.deps.webhook_key, old)
    async with embedded(server, token) as page, embedded(server, token, OTHER) as other:
        answer = await page.get(f"{TESTS}/{test_id}")
        assert (answer.status_code, answer.json()["code"]) == (401, "token.expired")
        assert answer.headers[ALLOW] == PAGE
        refused = await other.get(f"{TESTS}/{test_id}")
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
        assert ALLOW not in refused.headers


async def test_a_stream_ends_with_the_time_of_its_token(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.submitted(client)
    grant = grant_of(server.deps.webhook_key, await token_for(client, test_id))
    assert grant is not None
    # A machine that is too busy to ask within two seconds gets longer.
    for seconds in (2, 10, 50):
        short = Grant(grant.test_id, grant.owner, grant.origins, int(time.time()) + seconds)
        token = signed(server.deps.webhook_key, short)
        async with asyncio.timeout(120), embedded(server, token) as page:
            stream = await page.get(f"{TESTS}/{test_id}/events", headers=STREAM, timeout=100)
            if stream.status_code == 200:
                break
    assert "id: 1\n" in stream.text
    assert "completed" not in stream.text
    async with embedded(server, token) as page:
        assert (await page.get(f"{TESTS}/{test_id}/events", headers=STREAM)).status_code == 401


async def test_a_token_of_a_removed_test_reads_nothing(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await server.completed(client)
    token = await token_for(client, test_id)
    assert (await client.delete(f"{TESTS}/{test_id}")).status_code == 204
    async with embedded(server, token) as page:
        answer = await page.get(f"{TESTS}/{test_id}")
    assert answer.status_code == 404
    assert answer.headers[ALLOW] == PAGE


async def test_browsers_may_ask_first_about_reading_with_a_token_and_about_nothing_else(
    server: Running,
) -> None:
    def question(method: str, names: str) -> dict[str, str]:
        return {
            "origin": PAGE,
            "access-control-request-method": method,
            "access-control-request-headers": names,
        }

    async with server.client() as browser:
        for path in ("t1", "t1/events"):
            answer = await browser.options(
                f"{TESTS}/{path}", headers=question("GET", "authorization,last-event-id")
            )
            assert (answer.status_code, answer.headers[ALLOW]) == (204, PAGE)
            assert answer.headers["access-control-allow-methods"] == "GET"
            assert "access-control-allow-credentials" not in answer.headers
        for path, method, names in (
            ("t1", "DELETE", "authorization"),
            ("t1", "GET", "x-other"),
            ("t1/packages", "GET", "authorization"),
            ("t1/cancel", "POST", "authorization"),
            ("t1/cancel", "GET", "authorization"),
            ("t1/embed", "POST", "authorization"),
        ):
            answer = await browser.options(f"{TESTS}/{path}", headers=question(method, names))
            assert answer.status_code in {404, 405}
            assert ALLOW not in answer.headers


async def test_only_its_owner_lets_a_page_show_a_test(guarded: Running) -> None:
    async with (
        guarded.client(await guarded.token_of("ann")) as ann,
        guarded.client(await guarded.token_of("bob")) as bob,
    ):
        test_id = str((await ann.post(TESTS, json=GOOD)).json()["id"])
        answer = await bob.post(f"{TESTS}/{test_id}/embed", json={"origins": [PAGE]})
    assert answer.status_code == 404


async def test_the_page_reads_no_build_line_receipt_or_credential(guarded: Running) -> None:
    """Also where a whole piece of the journal holds nothing for it: it comes to the end."""
    async with guarded.client(await guarded.token_of("ann")) as ann:
        test_id = await guarded.submitted(ann)
        claim = await guarded.claim(test_id)
        build = [LogEvent(stream="build", text=f" + hidden=={n}\n") for n in range(1100)]
        receipt = Receipt(exposed={"TOKEN": "hidden-credential"})
        cleanup = CleanupEvent(attempt=1, removed={}, receipt=receipt)
        notice = NoticeEvent(code="egress_used", message="hidden", data={"host": "hidden"})
        await guarded.store.append(test_id, claim.attempt, build)
        await guarded.complete(claim, events=[*log_events(1), notice, cleanup])
        token = await token_for(ann, test_id)
    async with embedded(guarded, token) as page:
        first = await page.get(f"{TESTS}/{test_id}/events?limit=1000")
        last = first.json()["events"][-1]["number"]
        rest = await page.get(f"{TESTS}/{test_id}/events?after={last}")
        stream = await page.get(f"{TESTS}/{test_id}/events", headers=STREAM)
    assert rest.json()["events"][0]["data"]["text"]
    assert rest.json()["complete"] is True
    assert "event: phase" in stream.text
    for answer in (first, rest, stream):
        assert "hidden" not in answer.text
