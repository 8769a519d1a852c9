"""What is sent to a webhook, and how it is signed: checked with the standard's own library."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Result, Test, WebhookState
from seatrial.domain.validation.webhooks import webhook_problems
from seatrial.domain.webhooks import MAX_ATTEMPTS, body_of, headers_of, pause_after, secret_of

KEY = bytes(range(32))
NOW = datetime.now(UTC)
TEST = Test(
    id="t1",
    owner="u1",
    request=TestRequest(
        files={"agent.py": "SECRET SAUCE"}, query="q", webhook="https://back.end/x?token=abc"
    ),
    phase=Phase.COMPLETED,
    outcome=Outcome.SUCCEEDED,
    result=Result(response="schön"),
    webhook=WebhookState(state="due"),
    created_at=NOW,
    completed_at=NOW,
)


def test_the_standards_own_library_takes_a_message() -> None:
    secret, body = secret_of(KEY, "u1"), body_of(TEST)
    said = Webhook(secret).verify(body, headers_of(secret, TEST.id, datetime.now(UTC), body))
    assert said == json.loads(body)


@pytest.mark.parametrize("change", ["body", "id", "timestamp", "user"])
def test_a_message_that_was_changed_is_not_taken(change: str) -> None:
    secret, body = secret_of(KEY, "u1"), body_of(TEST)
    now = datetime.now(UTC)
    headers = headers_of(secret, TEST.id, now, body)
    match change:
        case "body":
            body = body.replace(b"succeeded", b"failed")
        case "id":
            headers["webhook-id"] = "t2"
        case "timestamp":
            headers["webhook-timestamp"] = str(int(now.timestamp()) + 1)
        case _:
            secret = secret_of(KEY, "u2")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_an_old_message_cannot_be_played_again() -> None:
    secret, body = secret_of(KEY, "u1"), body_of(TEST)
    headers = headers_of(secret, TEST.id, NOW - timedelta(minutes=10), body)
    with pytest.raises(WebhookVerificationError, match="old"):
        Webhook(secret).verify(body, headers)


def test_a_message_holds_the_result_and_not_the_code() -> None:
    said = json.loads(body_of(TEST))
    assert said["type"] == "test.completed"
    assert said["data"]["outcome"] == "succeeded"
    assert said["data"]["result"]["response"] == "schön"
    assert said["data"]["request"]["query"] == "q"
    assert b"SECRET SAUCE" not in body_of(TEST)


def test_attempts_end_within_a_day() -> None:
    pauses = [pause_after(attempt) for attempt in range(1, MAX_ATTEMPTS + 1)]
    assert pauses[-1] is None
    known = [pause for pause in pauses if pause is not None]
    assert len(known) == MAX_ATTEMPTS - 1
    assert known == sorted(known)
    assert sum(known) < 24 * 3600


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://back.end/",
        "back.end/x",
        "https://me:pw@back.end/",
        "https://back.end/#x",
        "http://169.254.169.254/latest",
        "http://metadata.google.internal/",
        "https://back.end:0/",
        "https://",
        "https://bäck.end/",
        "https://back.end/" + "x" * 500,
    ],
)
def test_an_address_that_cannot_be_told_is_refused_by_its_field(url: str) -> None:
    (problem,) = webhook_problems(url)
    assert problem.field == "webhook"


@pytest.mark.parametrize("url", [None, "https://back.end/x?token=abc", "http://127.0.0.1:9/x"])
def test_other_addresses_are_taken(url: str | None) -> None:
    assert list(webhook_problems(url)) == []
