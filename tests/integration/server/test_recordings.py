"""Recordings over the API: listed, downloaded, replayed, and nobody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest

from seatrial.domain.recordings import RecordedAnswer, RecordedCall, RecordingSetup

from .running import GOOD, Running

TESTS = "/api/v1/tests"
CALL = RecordedCall(
    number=1,
    provider="openai",
    operation="chat/completions",
    counted=True,
    model="m",
    method="POST",
    path="/chat/completions",
    query="",
    headers=(),
    body=b'{"model": "m"}',
    answer=RecordedAnswer(200, "OK", (("X", "y"),), ((1, b"data: 1\n"), (2, b"\xff"))),
    started_at=datetime(2030, 1, 1, tzinfo=UTC),
    seconds=1.5,
)


async def recorded(server: Running, client: httpx.AsyncClient) -> str:
    test_id = await server.submitted(client, record=True)
    claim = await server.claim(test_id)
    await server.store.start_recording(test_id, claim.attempt, RecordingSetup())
    await server.store.add_recorded(test_id, claim.attempt, [CALL], problem=None)
    await server.complete(claim)
    return test_id


@pytest.mark.spec("US4-1")
async def test_recorded_calls_are_listed_and_downloaded_as_json_lines(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await recorded(server, client)
    listed = (await client.get(f"{TESTS}/{test_id}/recording")).json()
    [call] = listed["calls"]
    assert (listed["problem"], listed["bytes"]) == (None, CALL.size)
    assert (call["method"], call["path"], call["model"], call["status"]) == (
        *("POST", "/chat/completions", "m", 200),
    )
    assert (call["request_bytes"], call["answer_bytes"], call["pieces"]) == (14, 9, 2)
    assert "body" not in call
    download = await client.get(f"{TESTS}/{test_id}/recording/calls")
    assert download.headers["content-type"].startswith("application/jsonl")
    [line] = [json.loads(line) for line in download.text.splitlines()]
    assert line["request"]["text"] == '{"model": "m"}'
    assert line["answer"]["pieces"] == [{"ms": 1, "text": "data: 1\n"}, {"ms": 2, "base64": "/w=="}]


async def test_a_replay_is_asked_for_and_refused_over_the_api(
    server: Running, client: httpx.AsyncClient
) -> None:
    test_id = await recorded(server, client)
    new = (await client.post(f"{TESTS}/{test_id}/retry", json={"replay": True})).json()
    assert (new["retry_of"], new["request"]["replay_of"]) == (test_id, test_id)
    plain = await server.submitted(client)
    assert (await client.get(f"{TESTS}/{plain}/recording")).status_code == 404
    assert (await client.get(f"{TESTS}/{plain}/recording/calls")).status_code == 404
    refused = await client.post(f"{TESTS}/{plain}/retry", json={"replay": True})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "replay"
    wrong = await client.post("/api/v1/validate", json={**GOOD, "replay_of": plain})
    assert wrong.json()["errors"][0]["field"] == "replay_of"


async def test_another_users_recording_does_not_exist(guarded: Running) -> None:
    ann, bob = await guarded.token_of("ann"), await guarded.token_of("bob")
    async with guarded.client(ann) as client, guarded.client(bob) as other:
        test_id = await recorded(guarded, client)
        for path in ("recording", "recording/calls"):
            assert (await client.get(f"{TESTS}/{test_id}/{path}")).status_code == 200
            assert (await other.get(f"{TESTS}/{test_id}/{path}")).status_code == 404
        stolen = await other.post(TESTS, json={**GOOD, "replay_of": test_id})
        assert stolen.status_code == 422
