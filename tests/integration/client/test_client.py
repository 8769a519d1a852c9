"""The SDK against the real server and a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.server.running import Running, log_events, running

from seatrial import AsyncClient, Client, Limits, TestRequest
from seatrial.domain.errors import (
    Conflict,
    FieldProblem,
    InvalidRequest,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    QueueFull,
    SeatrialError,
)
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.ports import WorkerState
from seatrial.domain.requests import LimitChanges, LimitRange
from seatrial.domain.tests import Completion, Result
from seatrial.store import SqlStore

CODE = {"agent.py": "def run(query):\n    return query\n"}


async def _end(server: Running, test_id: str, logs: int = 0) -> None:
    """What a worker does: take the test, log, answer."""
    claim = await server.claim(test_id)
    if logs:
        await server.store.append(test_id, claim.attempt, log_events(logs))
    done = Completion(outcome=Outcome.SUCCEEDED, result=Result(response="done"))
    await server.store.complete(test_id, claim.attempt, done, [])


@pytest.mark.spec("FR-002")
async def test_a_request_and_its_fields_submit_the_same(client: AsyncClient) -> None:
    request = TestRequest(files=CODE, query="hi", limits=Limits(memory_mb=256), name="n")
    first = await client.submit(request)
    second = await client.submit(files=CODE, query="hi", limits=Limits(memory_mb=256), name="n")
    changed = await client.submit(request, query="other")
    assert first.request == second.request == request
    assert changed.request.query == "other"
    assert changed.request.limits.memory_mb == 256
    assert first.phase is Phase.QUEUED
    assert second.queue is not None
    assert second.queue.position == 2


async def test_a_check_queues_nothing_and_gives_every_problem(client: AsyncClient) -> None:
    problems = await client.validate(files={"agent.py": "def f(:"}, query="")
    assert [(one.field, one.line, one.column) for one in problems] == [
        ("files", 1, 7),
        ("query", None, None),
    ]
    assert await client.validate(files=CODE, query="hi") == ()
    assert (await client.tests()).tests == ()


async def test_what_submit_refuses_is_what_validate_finds(client: AsyncClient) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await client.submit(files={"agent.py": "def f(:"}, query="")
    problems = await client.validate(files={"agent.py": "def f(:"}, query="")
    assert caught.value.problems == problems
    assert all(isinstance(one, FieldProblem) for one in problems)


async def test_a_repeated_key_gives_the_first_test_again(client: AsyncClient) -> None:
    first = await client.submit(files=CODE, query="hi", idempotency_key="k")
    assert (await client.submit(files=CODE, query="hi", idempotency_key="k")).id == first.id
    with pytest.raises(Conflict):
        await client.submit(files=CODE, query="other", idempotency_key="k")


async def test_events_are_followed_live_to_the_last_and_wait_returns_then(
    client: AsyncClient, server: Running
) -> None:
    test = await client.submit(files=CODE, query="hi")
    waiting = asyncio.create_task(client.wait(test.id))
    events = client.events(test.id)
    seen = [(await anext(events)).number]
    await _end(server, test.id, logs=300)
    seen += [event.number async for event in events]
    done = await waiting
    assert seen == list(range(1, done.last_event + 1))
    assert (done.outcome, done.result and done.result.response) == (Outcome.SUCCEEDED, "done")


async def test_the_journal_as_it_stands_is_read_without_waiting(
    client: AsyncClient, server: Running
) -> None:
    test = await client.submit(files=CODE, query="hi")
    assert [event.number async for event in client.events(test.id, follow=False)] == [1, 2]
    await _end(server, test.id, logs=1500)
    numbers = [event.number async for event in client.events(test.id, after=2, follow=False)]
    assert numbers == list(range(3, (await client.test(test.id)).last_event + 1))
    assert [e.number async for e in client.events(test.id, after=numbers[-1])] == []


@pytest.mark.spec("FR-010")
async def test_a_stream_goes_on_across_a_restart_of_the_server(
    store: SqlStore, server: Running
) -> None:
    folder = server.socket.parent
    async with AsyncClient(socket_path=server.socket) as client:
        test = await client.submit(files=CODE, query="hi")
        events = client.events(test.id)
        seen = [(await anext(events)).number]
        server.deps.stopping.set()
        following = asyncio.create_task(anext(events))
        async with running(store, folder, local_owner=None, socket_owner="me") as restarted:
            await _end(restarted, test.id, logs=5)
            seen.append((await following).number)
            seen += [event.number async for event in events]
            done = await client.test(test.id)
    assert seen == list(range(1, done.last_event + 1))


async def test_pages_and_the_iterator_give_every_test_once_newest_first(
    client: AsyncClient, server: Running
) -> None:
    ids = [(await client.submit(files=CODE, query=f"question {n}")).id for n in range(7)]
    page = await client.tests(limit=3)
    following = await client.tests(limit=3, cursor=page.next_cursor)
    assert [one.id for one in (*page.tests, *following.tests)] == ids[:0:-1]
    assert [one.id async for one in client.every_test()] == ids[::-1]
    await _end(server, ids[0])
    assert [one.id async for one in client.every_test(outcome=Outcome.SUCCEEDED)] == ids[:1]
    assert [one.id async for one in client.every_test(text="question 3")] == [ids[3]]


async def test_cancel_retry_delete_and_clear_do_what_they_say(
    client: AsyncClient, server: Running
) -> None:
    test = await client.submit(files=CODE, query="hi")
    with pytest.raises(Conflict):
        await client.delete(test.id)
    assert (await client.cancel(test.id)).outcome is Outcome.CANCELLED
    again = await client.retry(test.id, query="again", limits=LimitChanges(memory_mb=300))
    assert (again.retry_of, again.request.query) == (test.id, "again")
    assert (again.request.limits.memory_mb, again.request.files) == (300, CODE)
    await client.delete(test.id)
    with pytest.raises(NotFound):
        await client.test(test.id)
    await _end(server, again.id)
    assert await client.clear(datetime.now(UTC) - timedelta(days=1)) == 0
    assert await client.clear() == 1


async def test_a_full_queue_says_when_to_come_back(store: SqlStore, server: Running) -> None:
    folder = server.socket.parent / "full"
    folder.mkdir()
    settings = server.deps.settings.model_copy(update={"max_queued": 1})
    async with (
        running(store, folder, settings=settings) as full,
        AsyncClient(full.url) as client,
    ):
        await client.submit(files=CODE, query="hi")
        with pytest.raises(QueueFull) as caught:
            await client.submit(files=CODE, query="hi")
    assert caught.value.retry_after_seconds > 0


async def test_queue_providers_models_environments_and_health_are_typed(
    client: AsyncClient, store: SqlStore
) -> None:
    await store.renew("w", [], lease_seconds=60, slots=3, engine="docker 1")
    queue = await client.queue()
    assert (queue.queued, list(queue.workers)) == (0, [WorkerState("docker 1", 3)])
    limits = await client.limits()
    assert limits["memory_mb"] == LimitRange(512, 32, 4096)
    assert limits["timeout_seconds"].most == 3600
    ollama, openai = await client.providers()
    assert (ollama.reachable, openai.reachable) == (True, False)
    assert await client.models("ollama") == ("llama3.2",)
    with pytest.raises(NotFound):
        await client.models("a/../b")
    assert [one.key for one in await client.environments()] == ["k1"]
    assert await client.prune_environments() == 1000
    assert await client.health() is True
    assert (await client.session()).user == "me"


@pytest.mark.spec("FR-014")
async def test_tokens_tell_users_apart_and_can_be_revoked(
    client: AsyncClient, server: Running
) -> None:
    mine = await client.submit(files=CODE, query="hi")
    made = await client.create_token("ci", user="maria")
    async with AsyncClient(server.url, token=made.token) as maria:
        assert (await maria.session()).user == "maria"
        assert (await maria.tests()).tests == ()
        assert {type(await _error(maria, mine.id, call)) for call in _CALLS} == {NotFound}
        with pytest.raises(NotAllowed):
            await maria.create_token("x", user="me")
        await maria.revoke_token("ci")
        with pytest.raises(NotAuthenticated):
            await maria.session()
    async with AsyncClient(server.url) as nobody:
        with pytest.raises(NotAuthenticated):
            await nobody.tests()


async def _events(client: AsyncClient, test_id: str) -> None:
    async for _ in client.events(test_id):
        pass


_CALLS: tuple[Callable[[AsyncClient, str], Awaitable[object]], ...] = (
    AsyncClient.test,
    AsyncClient.cancel,
    AsyncClient.retry,
    AsyncClient.delete,
    AsyncClient.wait,
    _events,
)


async def _error(
    client: AsyncClient, test_id: str, call: Callable[[AsyncClient, str], Awaitable[object]]
) -> SeatrialError | None:
    try:
        await call(client, test_id)
    except SeatrialError as error:
        return error
    return None


async def test_an_id_is_data_wherever_it_points(client: AsyncClient) -> None:
    for test_id in ("../queue", "a/b", "?x", "%2e%2e", "", " ", "é"):
        with pytest.raises(SeatrialError):
            await client.test(test_id)


async def test_code_without_a_loop_has_the_same_through_the_sync_client(server: Running) -> None:
    def use() -> tuple[str, int, list[int]]:
        with Client(socket_path=server.socket) as client:
            test = client.submit(files=CODE, query="hi")
            client.cancel(test.id)
            done = client.wait(test.id)
            numbers = [event.number for event in client.events(test.id)]
            assert [one.id for one in client.every_test()] == [test.id]
            with pytest.raises(NotFound):
                client.test("nope")
            return str(done.outcome), done.last_event, numbers

    outcome, last, numbers = await asyncio.to_thread(use)
    assert (outcome, numbers) == ("cancelled", list(range(1, last + 1)))
