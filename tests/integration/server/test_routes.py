"""Every route, as a program without a token on the same machine meets it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from seatrial.domain.phases import Outcome
from seatrial.server import ServerDeps
from seatrial.store import SqlStore

from .running import GOOD, Running, running

TESTS = "/api/v1/tests"


@pytest.mark.spec("US1-1")
async def test_a_submitted_test_is_queued_with_its_place_and_wait(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post(TESTS, json={**GOOD, "name": "first"})
    test = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{TESTS}/{test['id']}"
    assert (test["phase"], test["outcome"], test["name"]) == ("queued", None, "first")
    assert test["queue"]["position"] == 1
    assert test["queue"]["wait"]["high_seconds"] >= test["queue"]["wait"]["low_seconds"]
    assert "owner" not in test
    read = await client.get(answer.headers["location"])
    assert read.json()["request"]["files"] == GOOD["files"]


@pytest.mark.spec("US3-4")
async def test_a_second_test_waits_behind_the_first(
    server: Running, client: httpx.AsyncClient
) -> None:
    await server.submitted(client)
    second = await server.submitted(client)
    assert (await client.get(f"{TESTS}/{second}")).json()["queue"]["position"] == 2


async def test_a_check_finds_nothing_in_a_good_request_and_queues_nothing(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/api/v1/validate", json=GOOD)
    assert (answer.status_code, answer.json()) == (200, {"problems": [], "unchecked": []})
    assert (await client.get(TESTS)).json()["tests"] == []


@pytest.mark.parametrize("path", ["/api/v1/validate", TESTS])
@pytest.mark.spec("FR-013")
async def test_a_syntax_error_is_a_422_with_file_line_and_column(
    client: httpx.AsyncClient, path: str
) -> None:
    files = {"agent.py": "def run(query)\n    return 1\n"}
    answer = await client.post(path, json={**GOOD, "files": files, "query": ""})
    assert answer.status_code == 422
    first, second = answer.json()["errors"]
    assert (first["field"], first["code"]) == ("files", "agent.syntax_error")
    assert (first["file"], first["line"], first["column"]) == ("agent.py", 1, 15)
    assert second["field"] == "query"
    assert (await client.get(TESTS)).json()["tests"] == []


async def test_the_same_idempotency_key_gives_the_same_test(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "once"}
    first = await client.post(TESTS, json=GOOD, headers=headers)
    again = await client.post(TESTS, json=GOOD, headers=headers)
    assert first.json()["id"] == again.json()["id"]
    assert again.status_code == 201
    assert len((await client.get(TESTS)).json()["tests"]) == 1
    other = await client.post(TESTS, json={**GOOD, "query": "other"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    bad = await client.post(TESTS, json=GOOD, headers={"idempotency-key": "x" * 201})
    assert bad.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_a_full_queue_says_when_to_come_back(store: SqlStore, server: Running) -> None:
    settings = server.deps.settings.model_copy(update={"max_queued": 1})
    folder = server.socket.parent / "b"
    folder.mkdir()
    async with running(store, folder, settings=settings) as full, full.client() as client:
        await full.submitted(client)
        answer = await client.post(TESTS, json=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (429, "queue.full")
    assert int(answer.headers["retry-after"]) == answer.json()["retry_after_seconds"] > 0


@pytest.mark.spec("US4-3")
async def test_the_history_is_newest_first_in_pages_and_searchable(
    server: Running, client: httpx.AsyncClient
) -> None:
    ids = [await server.submitted(client, name=f"name-{n}", query=f"q {n}") for n in range(5)]
    first = (await client.get(TESTS, params={"limit": 3})).json()
    rest = await client.get(TESTS, params={"limit": 3, "cursor": first["next_cursor"]})
    listed = [test["id"] for test in first["tests"] + rest.json()["tests"]]
    assert listed == ids[::-1]
    assert rest.json()["next_cursor"] is None
    found = (await client.get(TESTS, params={"q": "name-2"})).json()["tests"]
    assert [test["id"] for test in found] == [ids[2]]


async def test_the_history_can_be_narrowed_to_an_outcome(
    server: Running, client: httpx.AsyncClient
) -> None:
    failed = await server.completed(client, outcome=Outcome.FAILED)
    await server.completed(client)
    found = (await client.get(TESTS, params={"outcome": "failed"})).json()["tests"]
    assert [test["id"] for test in found] == [failed]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"outcome": "nonsense"}, "outcome"),
        ({"q": "a\0b"}, "q"),
        ({"q": "x" * 201}, "q"),
    ],
)
async def test_a_list_that_cannot_be_is_a_422(
    client: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    answer = await client.get(TESTS, params=query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.spec("US4-5", "FR-011")
async def test_a_queued_test_is_cancelled_at_once_and_a_running_one_is_asked_to_end(
    server: Running, client: httpx.AsyncClient
) -> None:
    running_id = await server.submitted(client)
    claim = await server.claim(running_id)
    queued_id = await server.submitted(client)
    queued = (await client.post(f"{TESTS}/{queued_id}/cancel")).json()
    assert (queued["phase"], queued["outcome"]) == ("completed", "cancelled")
    asked = (await client.post(f"{TESTS}/{running_id}/cancel")).json()
    assert (asked["phase"], asked["cancel_requested"]) == ("building", True)
    await server.complete(claim, outcome=Outcome.CANCELLED)
    again = await client.post(f"{TESTS}/{running_id}/cancel")
    assert (again.status_code, again.json()["outcome"]) == (200, "cancelled")


@pytest.mark.spec("US4-1", "US4-2", "FR-006")
async def test_a_retry_is_a_new_test_with_the_changes_and_leaves_the_old_one(
    server: Running, client: httpx.AsyncClient
) -> None:
    old_id = await server.completed(client, outcome=Outcome.FAILED)
    old = (await client.get(f"{TESTS}/{old_id}")).json()
    same = await client.post(f"{TESTS}/{old_id}/retry")
    assert same.status_code == 201
    assert same.json()["request"] == old["request"]
    assert same.json()["retry_of"] == old_id
    changes = {"query": "other", "limits": {"memory_mb": 256}, "files": {"data.txt": "x"}}
    changed = (await client.post(f"{TESTS}/{old_id}/retry", json=changes)).json()
    assert changed["request"]["query"] == "other"
    assert changed["request"]["limits"] == {**old["request"]["limits"], "memory_mb": 256}
    assert changed["request"]["files"] == {**GOOD["files"], "data.txt": "x"}
    assert (await client.get(f"{TESTS}/{old_id}")).json() == old


async def test_a_retry_is_checked_like_any_request(
    server: Running, client: httpx.AsyncClient
) -> None:
    old = await server.submitted(client)
    answer = await client.post(f"{TESTS}/{old}/retry", json={"files": {"agent.py": None}})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "missing")
    unknown = await client.post(f"{TESTS}/{old}/retry", json={"no_such_field": 1})
    assert unknown.json()["errors"][0]["field"] == "no_such_field"


@pytest.mark.spec("US4-6")
async def test_deleting_and_clearing_never_touch_unfinished_tests(
    server: Running, client: httpx.AsyncClient
) -> None:
    done, other = await server.completed(client), await server.completed(client)
    waiting = await server.submitted(client)
    refused = await client.delete(f"{TESTS}/{waiting}")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert (await client.delete(f"{TESTS}/{done}")).status_code == 204
    assert (await client.get(f"{TESTS}/{done}")).status_code == 404
    before = {"before": "2020-01-01T00:00:00"}
    assert (await client.delete(TESTS, params=before)).json() == {"removed": 0}
    assert (await client.delete(TESTS)).json() == {"removed": 1}
    left = [test["id"] for test in (await client.get(TESTS)).json()["tests"]]
    assert left == [waiting]
    assert (await client.get(f"{TESTS}/{other}/events")).status_code == 404


@pytest.mark.spec("FR-010")
async def test_the_journal_is_read_in_pages(server: Running, client: httpx.AsyncClient) -> None:
    test_id = await server.completed(client, logs=5)
    page = (await client.get(f"{TESTS}/{test_id}/events", params={"limit": 3})).json()
    assert [event["number"] for event in page["events"]] == [1, 2, 3]
    assert page["complete"] is False
    rest = (await client.get(f"{TESTS}/{test_id}/events", params={"after": 3})).json()
    assert rest["events"][0]["number"] == 4
    assert rest["events"][-1]["data"]["phase"] == "completed"
    assert rest["complete"] is True
    last = rest["events"][-1]["number"]
    nothing = (await client.get(f"{TESTS}/{test_id}/events", params={"after": last})).json()
    assert nothing == {"events": [], "complete": True}


async def test_the_queue_says_what_waits_and_how_long_one_more_would(
    server: Running, client: httpx.AsyncClient
) -> None:
    await server.submitted(client)
    queue = (await client.get("/api/v1/queue")).json()
    assert (queue["queued"], queue["running"]) == (1, 0)
    assert queue["reason"] == ""
    assert queue["wait"] == {"low_seconds": 0, "high_seconds": 0}
    await server.store.renew("w", [], lease_seconds=60, slots=0)
    assert (await client.get("/api/v1/queue")).json()["wait"]["high_seconds"] > 0


async def test_providers_say_whether_they_can_be_reached(client: httpx.AsyncClient) -> None:
    ollama, openai = (await client.get("/api/v1/providers")).json()["providers"]
    assert (ollama["reachable"], openai["reachable"]) == (True, False)
    assert openai["reason"]
    models = await client.get("/api/v1/providers/ollama/models")
    assert models.json() == {"models": ["llama3.2"], "reason": ""}
    assert (await client.get("/api/v1/providers/nobody/models")).status_code == 404


async def test_environments_are_listed_and_pruned(client: httpx.AsyncClient) -> None:
    entries = (await client.get("/api/v1/environments")).json()["environments"]
    assert [entry["key"] for entry in entries] == ["k1"]
    keep = await client.post("/api/v1/environments/prune", json={"keep_bytes": 5000})
    assert keep.json() == {"freed_bytes": 0}
    assert (await client.post("/api/v1/environments/prune")).json() == {"freed_bytes": 1000}
    bad = await client.post("/api/v1/environments/prune", json={"keep_bytes": -1})
    assert bad.status_code == 422


@pytest.mark.spec("FR-001")
async def test_a_server_without_workers_still_takes_tests(store: SqlStore, server: Running) -> None:
    folder = server.socket.parent / "c"
    folder.mkdir()
    nothing = {"providers": None, "environments": None}
    async with running(store, folder, **nothing) as alone, alone.client() as client:
        await alone.submitted(client)
        assert (await client.get("/api/v1/providers")).json() == {"providers": []}
        assert (await client.get("/api/v1/environments")).status_code == 404


async def test_health_readiness_and_metrics_answer(
    server: Running, client: httpx.AsyncClient
) -> None:
    await server.completed(client)
    await server.submitted(client)
    assert (await client.get("/healthz")).json()["status"] == "ok"
    ready = (await client.get("/readyz")).json()
    assert (ready["status"], ready["queued"]) == ("ready", 1)
    metrics = (await client.get("/metrics")).text
    assert 'seatrial_tests{outcome="succeeded"} 1.0' in metrics
    assert "seatrial_queue_depth 1.0" in metrics
    assert 'operation="submit_test",status="201"' in metrics


async def test_readiness_fails_when_the_database_does(
    server: Running, client: httpx.AsyncClient, folder: Path
) -> None:
    await server.store.aclose()
    for file in folder.glob("seatrial.db*"):
        file.unlink()
    (folder / "seatrial.db").mkdir()
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["code"] == "platform.store_unavailable"
    assert (await client.get("/healthz")).status_code == 200


async def test_the_front_door_points_to_the_description_of_the_api(
    client: httpx.AsyncClient,
) -> None:
    front = (await client.get("/")).json()
    described = (await client.get(front["openapi"])).json()
    assert described["openapi"].startswith("3.1")


async def test_no_page_loads_anything_from_another_server(client: httpx.AsyncClient) -> None:
    for path in ("/", "/docs", "/redoc", "/api/v1/docs"):
        assert "http" not in (await client.get(path)).text.replace("http.", "")


async def test_the_unix_socket_answers_like_the_port(server: Running) -> None:
    async with server.socket_client() as client:
        test_id = await server.submitted(client)
        assert (await client.get(f"{TESTS}/{test_id}")).status_code == 200
    assert server.socket.stat().st_mode & 0o777 == 0o600


async def test_activity_counts_who_is_being_answered(
    server: Running, client: httpx.AsyncClient
) -> None:
    deps: ServerDeps = server.deps
    test_id = await server.submitted(client)
    headers = {"accept": "text/event-stream"}
    async with client.stream("GET", f"{TESTS}/{test_id}/events", headers=headers) as stream:
        await anext(stream.aiter_lines())
        assert deps.activity.active == 1
        assert deps.activity.idle_seconds == 0
