"""How long a provider asks to wait, from whatever it says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from seatrial.gateway.retry_after import asked_wait

pytestmark = pytest.mark.spec("edge-4")

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def asked(status: int, **headers: str) -> float | None:
    given = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return asked_wait(status, given, NOW)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry_After": "20"}, 20),
        ({"retry_after": " 1.5 "}, 1.5),
        ({"retry_after": "0"}, 0),
        ({"retry_after": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30),
        ({"retry_after": "Sunday, 01-Mar-26 12:00:30 GMT"}, 30),
        ({"retry_after": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-5"}, None),
        ({"retry_after": "1e9"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "9" * 400}, None),
        ({"retry_after_ms": "250", "retry_after": "1"}, 0.25),
        ({"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "6m0s"}, 360),
        ({"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "1h2m3.5s"}, 3723.5),
        ({"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "17ms"}, 0.017),
        ({"x_ratelimit_remaining_tokens": "9", "x_ratelimit_reset_tokens": "6m0s"}, None),
        ({"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "1.2.3s"}, None),
        ({"x_ratelimit_remaining_tokens": "0"}, None),
        (
            {
                "anthropic_ratelimit_requests_remaining": "0",
                "anthropic_ratelimit_requests_reset": "2026-03-01T12:00:09Z",
                "anthropic_ratelimit_input_tokens_remaining": "0",
                "anthropic_ratelimit_input_tokens_reset": "2026-03-01T12:00:05+00:00",
                "anthropic_ratelimit_output_tokens_remaining": "5",
                "anthropic_ratelimit_output_tokens_reset": "2026-03-01T12:30:00Z",
            },
            9,
        ),
        (
            {
                "anthropic_ratelimit_requests_remaining": "0",
                "anthropic_ratelimit_requests_reset": "tomorrow",
            },
            None,
        ),
        (
            {
                "retry_after": "3",
                "x_ratelimit_remaining_requests": "0",
                "x_ratelimit_reset_requests": "6m0s",
            },
            3,
        ),
    ],
)
def test_the_wait_is_read_from_each_form(headers: dict[str, str], seconds: float | None) -> None:
    assert asked(429, **headers) == seconds


@pytest.mark.parametrize(("status", "seconds"), [(429, 7), (503, 7), (529, 7), (200, None)])
def test_only_answers_that_limit_ask_for_a_wait(status: int, seconds: float | None) -> None:
    assert asked(status, retry_after="7") == seconds


NAMES = [
    *("retry-after", "retry-after-ms", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    *("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
]


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=60) | st.just("0")))
def test_no_header_breaks_the_reading_or_asks_for_less_than_nothing(given: dict[str, str]) -> None:
    seconds = asked_wait(429, CIMultiDict(given), NOW)
    assert seconds is None or seconds >= 0
