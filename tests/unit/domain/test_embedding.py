"""What a token for embedding grants, and to which pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.domain.embedding import Grant, checked_origin, grant_of, signed
from seatrial.domain.webhooks import secret_of

KEY = bytes(range(32))
GRANT = Grant("t1", "u1", ("https://app.example", "http://127.0.0.1:3000"), 1_800_000_000)


def test_a_token_grants_what_was_signed() -> None:
    assert grant_of(KEY, signed(KEY, GRANT)) == GRANT


def test_a_token_of_another_installation_grants_nothing() -> None:
    assert grant_of(bytes(32), signed(KEY, GRANT)) is None


@given(st.data())
def test_a_token_that_was_changed_anywhere_grants_nothing(data: st.DataObject) -> None:
    token = signed(KEY, GRANT)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda char: char != token[at]))
    assert grant_of(KEY, token[:at] + other + token[at + 1 :]) is None


@given(st.text())
def test_no_text_that_was_not_signed_grants_anything(text: str) -> None:
    assert grant_of(KEY, text) is None
    assert grant_of(KEY, f"se_{text}.{'A' * 43}") is None


def test_a_webhook_secret_tells_nothing_that_signs_tokens() -> None:
    known = secret_of(KEY, "u1").removeprefix("whsec_")
    assert known not in signed(KEY, GRANT)


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example",
        "http://localhost:3000",
        "https://127.0.0.1:8443",
        "https://[::1]:3000",
        "https://xn--bcher-kva.example",
    ],
)
def test_an_origin_as_browsers_write_it_is_taken(origin: str) -> None:
    assert checked_origin(origin) == origin


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "",
        "app.example",
        "https://*.example",
        "https://app.example/",
        "https://app.example:443",
        "https://App.example",
        "https://app.example\n",
        "https://user@app.example",
        "https://app.example?x",
        "https://bücher.example",
        "ftp://app.example",
        "file://",
        "https://",
        "https://app.example:port",
        "https://[::1",
    ],
)
def test_what_no_browser_sends_as_an_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="as browsers do"):
        checked_origin(origin)
