"""What people type, against a real server; the test itself plays the worker."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime

import pytest

from seatrial.domain.events import EventData, LogEvent, ModelCallEvent
from seatrial.domain.failures import failure
from seatrial.domain.phases import Outcome
from seatrial.domain.recordings import RecordedAnswer, RecordedCall, RecordingSetup
from seatrial.domain.tests import Completion, Metrics, Result

from .conftest import Desk, Typed

_DONE = Completion(
    outcome=Outcome.SUCCEEDED,
    result=Result(response="forty-two", model="ollama:m"),
    metrics=Metrics(model_calls=1, input_tokens=3, output_tokens=4),
)


async def _waiting_id(desk: Desk, typed: Typed) -> str:
    """The id of the test that the command has just submitted."""
    shown = await typed.until("queued")
    return shown.partition("Test      ")[2].partition("\n")[0]


async def _work(desk: Desk, test_id: str, done: Completion, *events: EventData) -> None:
    claim = await desk.server.claim(test_id)
    await desk.server.store.append(test_id, claim.attempt, events)
    await desk.server.store.complete(test_id, claim.attempt, done, [])


@pytest.mark.spec("US3-1", "FR-010")
async def test_run_streams_the_journal_and_ends_with_the_answer(desk: Desk) -> None:
    run = await desk.start("run", "agent.py", "what?", "--name", "first")
    test_id = await _waiting_id(desk, run)
    call = ModelCallEvent(provider="ollama", model="m", status=200, latency_seconds=0.1)
    log = LogEvent(stream="stdout", text="thinking \x1b[31mhard\x1b[0m\n")
    await _work(desk, test_id, _DONE, log, call)
    ended = await run.end()
    assert (ended.code, ended.err) == (0, "")
    assert "\x1b" not in ended.out
    for text in ("agent.py (33 bytes)", r"out │ thinking \x1b[31mhard", "ollama m: 200"):
        assert text in ended.out
    for text in ("forty-two", "tokens 3 in, 4 out", f"seatrial tests show {test_id}"):
        assert text in ended.out


async def test_json_is_all_there_is_on_standard_output(desk: Desk) -> None:
    run = await desk.start("run", "agent.py", "what?", "--json")
    await run.until('"queued"')
    test_id = (await desk.client.tests()).tests[0].id
    await _work(desk, test_id, _DONE, LogEvent(stream="stdout", text="\u202e\x9b"))
    ended = await run.end()
    *events, test = ended.json
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    assert (test["id"], test["result"]["response"]) == (test_id, "forty-two")
    assert ended.out.isascii()
    assert "Sending" in ended.err


@pytest.mark.parametrize(
    ("done", "code", "shown"),
    [
        (Completion(outcome=Outcome.FAILED, failure=failure("agent.exception")), 1, "raised"),
        (Completion(outcome=Outcome.FAILED, failure=failure("platform.internal")), 3, "defect"),
        (Completion(outcome=Outcome.TIMED_OUT, failure=failure("limit.timeout")), 124, "Raise"),
        (Completion(outcome=Outcome.CANCELLED), 130, "cancelled"),
    ],
)
async def test_the_end_decides_card_and_exit_code(
    desk: Desk, done: Completion, code: int, shown: str
) -> None:
    run = await desk.start("run", "agent.py", "what?")
    await _work(desk, await _waiting_id(desk, run), done)
    ended = await run.end()
    assert ended.code == code
    assert shown in ended.out


@pytest.mark.spec("US4-5")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupt_stops_the_test_and_waits_for_its_end(
    desk: Desk, number: signal.Signals
) -> None:
    run = await desk.start("run", "agent.py", "what?")
    test_id = await _waiting_id(desk, run)
    run.process.send_signal(number)
    ended = await run.end()
    assert ended.code == 130
    assert f"Stopping the test {test_id}" in ended.err
    assert (await desk.client.test(test_id)).outcome is Outcome.CANCELLED


async def test_a_second_interrupt_leaves_at_once_and_names_the_test(desk: Desk) -> None:
    run = await desk.start("run", "agent.py", "what?")
    test_id = await _waiting_id(desk, run)
    # A test that a worker holds ends only when the worker does: here never.
    await desk.server.claim(test_id)
    await run.until("building")
    run.process.send_signal(signal.SIGINT)
    assert run.process.stderr is not None
    assert b"Stopping" in await run.process.stderr.readline()
    run.process.send_signal(signal.SIGINT)
    ended = await run.end()
    assert ended.code == 130
    assert f"seatrial tests show {test_id}" in ended.err
    assert (await desk.client.test(test_id)).outcome is None


@pytest.mark.spec("US4-1", "US4-2", "US4-3")
async def test_history_is_listed_searched_shown_retried_and_deleted(desk: Desk) -> None:
    ids: list[str] = []
    for query in ("one", "two"):
        ended = await desk.type("run", "agent.py", query, "--detach", "--json")
        ids.append(ended.json[-1]["id"])
    await _work(desk, ids[0], _DONE)
    listed = await desk.type("tests", "list")
    assert listed.out.index(ids[1]) < listed.out.index(ids[0])
    found = await desk.type("tests", "list", "--search", "two", "--json")
    assert [one["id"] for one in found.json] == [ids[1]]
    limited = await desk.type("tests", "list", "--limit", "1", "--json")
    assert [one["id"] for one in limited.json] == [ids[1]]
    ended_ones = await desk.type("tests", "list", "--outcome", "succeeded", "--json")
    assert [one["id"] for one in ended_ones.json] == [ids[0]]
    assert "forty-two" in (await desk.type("tests", "show", ids[0])).out
    assert (await desk.type("tests", "show", "last", "--json")).json[-1]["id"] == ids[1]
    (desk.folder / "better.py").write_text("def run(query): return 'better'")
    retried = await desk.type(
        *("tests", "retry", ids[0], "--query", "three", "--file", "better.py"),
        *("--model", "none", "--detach", "--json"),
        *("--egress", "api.example.com:443", "--model-calls", "7", "--traffic", "9"),
    )
    test = retried.json[-1]
    assert test["request"]["egress"] == ["api.example.com:443"]
    limits = test["request"]["limits"]
    assert (limits["model_calls"], limits["traffic_mb"], limits["memory_mb"]) == (7, 9, 512)
    assert (test["retry_of"], test["request"]["query"]) == (ids[0], "three")
    assert "better" in test["request"]["files"]["agent.py"]
    assert (await desk.type("tests", "delete", ids[0])).code == 0
    assert (await desk.type("tests", "show", ids[0])).code == 2


async def test_the_history_is_narrowed_to_a_model(desk: Desk) -> None:
    for model in ("ollama:a", "none"):
        await desk.client.submit(files={"agent.py": ""}, query="hi", model=model)
    listed = await (await desk.start("tests", "list", "--model", "ollama:a", "--json")).end()
    assert [test["model"] for test in listed.json] == ["ollama:a"]
    refused = await (await desk.start("tests", "list", "--model", "a\u0007")).end()
    assert refused.code == 2


async def test_an_id_may_be_shortened_as_long_as_it_is_one_tests(desk: Desk) -> None:
    ids = [
        (await desk.type("run", "agent.py", "q", "--detach", "--json")).json[-1]["id"]
        for _ in range(2)
    ]
    assert (await desk.type("tests", "show", ids[0][-6:], "--json")).json[-1]["id"] == ids[0]
    both = await desk.type("tests", "show", "t")
    assert both.code == 2
    assert all(one in both.err for one in ids)
    nobody = await desk.type("tests", "show", "zzz")
    assert (nobody.code, "tests list" in nobody.err) == (2, True)


async def test_logs_are_shown_as_they_stand_or_followed_to_the_end(desk: Desk) -> None:
    test_id = (await desk.type("run", "agent.py", "q", "--detach", "--json")).json[-1]["id"]
    assert "queued" in (await desk.type("tests", "logs", test_id)).out
    following = await desk.start("tests", "logs", "-f", test_id)
    await following.until("queued")
    await _work(desk, test_id, _DONE, LogEvent(stream="stdout", text="step one"))
    assert "out │ step one" in (await following.end()).out
    numbers = [one["number"] for one in (await desk.type("tests", "logs", test_id, "--json")).json]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_stop_ends_a_test_and_says_how_it_ended(desk: Desk) -> None:
    test_id = (await desk.type("run", "agent.py", "q", "--detach", "--json")).json[-1]["id"]
    stopped = await desk.type("tests", "stop", "last")
    assert f"{test_id}: cancelled" in stopped.out
    assert "cancelled" in (await desk.type("tests", "stop", test_id)).out


async def test_clear_asks_first_and_never_touches_unfinished_tests(desk: Desk) -> None:
    first = (await desk.type("run", "agent.py", "q", "--detach", "--json")).json[-1]["id"]
    second = (await desk.type("run", "agent.py", "q", "--detach", "--json")).json[-1]["id"]
    await _work(desk, first, _DONE)
    refused = await desk.type("tests", "clear")
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert "Deleted 0" in (await desk.type("tests", "clear", "--before", "1d", "--yes")).out
    assert "Deleted 1" in (await desk.type("tests", "clear", "--yes")).out
    assert [one.id async for one in desk.client.every_test()] == [second]


async def test_what_is_around_a_test_is_shown_to_people_and_programs(desk: Desk) -> None:
    queue = await desk.type("queue", "--json")
    assert queue.json[-1]["queued"] == 0
    assert "0 waiting" in (await desk.type("queue")).out
    providers = await desk.type("providers")
    assert "ollama:llama3.2" in providers.out
    assert "Nothing answers" in providers.out
    assert (await desk.type("providers", "--json")).json[0]["models"] == ["llama3.2"]
    assert "k1" in (await desk.type("environments", "list")).out
    assert (await desk.type("environments", "list", "--json")).json[0]["packages"] == 3
    assert "Gave back" in (await desk.type("environments", "prune")).out


@pytest.mark.spec("FR-014")
async def test_a_token_stands_alone_on_standard_output_and_works(desk: Desk) -> None:
    await desk.type("run", "agent.py", "mine", "--detach")
    made = await desk.type("users", "token", "maria")
    token = made.out.strip()
    assert token.startswith("st_")
    assert token not in made.err
    desk.environment["SEATRIAL_TOKEN"] = token
    assert (await desk.type("tests", "list", "--json")).out == ""
    desk.environment["SEATRIAL_TOKEN"] = "st_" + "x" * 43
    refused = await desk.type("tests", "list")
    assert refused.code == 2
    assert "token" in refused.err


async def test_a_token_for_embedding_stands_alone_on_standard_output_and_shows_the_test(
    desk: Desk,
) -> None:
    run = await desk.start("run", "agent.py", "what?")
    test_id = await _waiting_id(desk, run)
    await _work(desk, test_id, _DONE)
    await run.end()
    typed = await desk.start("tests", "embed", "last", "https://app.example", "--lifetime", "60")
    ended = await typed.end()
    assert ended.code == 0
    assert f'test="{test_id}"' in ended.err
    async with desk.server.client(ended.out.strip(), origin="https://app.example") as page:
        assert (await page.get(f"/api/v1/tests/{test_id}")).json()["outcome"] == "succeeded"
    refused = await desk.start("tests", "embed", "last", "app.example")
    ended = await refused.end()
    assert (ended.code, ended.out) == (2, "")
    assert "https://host" in ended.err


async def test_tokens_are_listed_without_the_tokens(desk: Desk) -> None:
    made = await desk.type("users", "token", "maria", "--label", "build server")
    listed = await desk.type("users", "tokens", "maria", "--json")
    everyone = await desk.type("users", "list")
    assert (listed.code, listed.json[0]["label"]) == (0, "build server")
    assert "build server" in everyone.out
    assert "never" in everyone.out
    assert made.out.strip() not in listed.out + everyone.out
    gone = await desk.type("users", "revoke", "maria", "--label", "build server")
    assert (gone.code, (await desk.type("users", "tokens", "maria", "--json")).json) == (0, [])


async def test_what_only_the_server_can_refuse_points_into_the_users_files_too(desk: Desk) -> None:
    refused = await desk.type("run", "agent.py", "q", "--memory", "999999")
    assert refused.code == 2
    assert "--memory: The memory limit" in refused.err


async def test_a_recorded_run_is_shown_saved_and_replayed(desk: Desk) -> None:
    run = await desk.type("run", "agent.py", "q", "--record", "--detach", "--json")
    test_id = run.json[-1]["id"]
    claim, store = await desk.server.claim(test_id), desk.server.store
    await store.start_recording(test_id, claim.attempt, RecordingSetup())
    await store.add_recorded(test_id, claim.attempt, [_CALL], problem=None)
    await store.complete(test_id, claim.attempt, _DONE, [])

    command = f"seatrial tests retry {test_id} --replay"
    assert command in (await desk.type("tests", "show", "last")).out
    shown = await desk.type("tests", "recording", "last")
    assert "ollama:m" in shown.out
    assert "200 cut" in shown.out
    listed = (await desk.type("tests", "recording", "last", "--json")).json[0]
    assert [call["number"] for call in listed["calls"]] == [1]
    saved = await desk.type("tests", "recording", "last", "-o", "calls.jsonl")
    assert saved.out == "Saved 1 call to calls.jsonl.\n"
    assert json.loads((desk.folder / "calls.jsonl").read_text())["model"] == "m"
    nowhere = await desk.type("tests", "recording", "last", "-o", "no/where")
    assert nowhere.code == 3
    assert "cannot be written" in nowhere.err

    replay = await desk.type("tests", "retry", test_id, "--replay", "--detach", "--json")
    assert replay.json[-1]["request"]["replay_of"] == test_id
    live = await desk.type("tests", "retry", test_id, "--no-record", "--detach", "--json")
    assert live.json[-1]["request"]["record"] is False
    refused = await desk.type("tests", "retry", live.json[-1]["id"], "--replay")
    assert refused.code == 2
    assert "was not recorded" in refused.err
    assert (await desk.type("tests", "recording", live.json[-1]["id"])).code == 2


_CALL = RecordedCall(
    number=1,
    provider="ollama",
    operation="chat",
    counted=True,
    model="m",
    method="POST",
    path="/api/chat",
    query="",
    headers=(),
    body=b"{}",
    answer=RecordedAnswer(200, "OK", (), ((0, b"a"),), "cut"),
    started_at=datetime(2030, 1, 1, tzinfo=UTC),
    seconds=0.5,
)
