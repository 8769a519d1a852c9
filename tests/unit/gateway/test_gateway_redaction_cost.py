"""Looking for secrets costs bounded time for any secret and any output."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.gateway.matching import PIECE, written_forms
from seatrial.gateway.scrub import KnownSecrets, TextScrubber

_RANDOM = random.Random(7)
LINE = 12_000
"""Bytes of output; an event has up to five times as many."""


def word(length: int) -> str:
    return "".join(_RANDOM.choices(string.ascii_letters + string.digits, k=length))


BEGINNING = word(4096)
SECRETS: Mapping[str, list[str]] = {
    "one beginning": [BEGINNING + word(4096) for _ in range(16)],
    "one letter": ["a" * 8192],
    "one letter, many lengths": ["a" * length for length in range(8, 24)],
    "a letter and an end": ["a" * 8191 + "b"],
    "a word, many lengths": [("abcdefgh" * 1024)[:length] for length in range(16, 8192, 500)],
    "a longer word": [("abcdefghi" * 1024)[:length] for length in range(16, 200, 11)],
    "nothing in common": [word(8192) for _ in range(16)],
    "what is escaped": [("é\"'<>&%\\" * 1024)[:8000] + str(number) for number in range(16)],
}
OUTPUTS: Mapping[str, Callable[[str], str]] = {
    "its beginning": lambda secret: secret[:4000],
    "nearly all": lambda secret: f"{secret[:-2]}!",
    "a few letters": lambda secret: f"{secret[:7]}!",
    "all": lambda secret: f"{secret}\n",
    "backslashes": lambda secret: "\\" * 1000 + secret[:100],
    "base64 of a letter": lambda _: "YWFh",
}


def seconds(known: KnownSecrets, text: str) -> float:
    """The least of two: what others do meanwhile only adds."""
    least = float("inf")
    for _ in range(2):
        stream = TextScrubber(known)
        began = time.thread_time()
        stream.feed(text)
        stream.end()
        least = min(least, time.thread_time() - began)
    return least


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("kind", SECRETS)
def test_the_cost_of_output_is_linear_for_any_secret(kind: str, output: str) -> None:
    known = KnownSecrets(SECRETS[kind])
    piece = OUTPUTS[output](SECRETS[kind][0])
    text = (piece * (1 + LINE // len(piece)))[:LINE]
    once, twice, four_times = (seconds(known, text * times) for times in (1, 2, 4))
    assert once < 0.2
    assert twice < 4 * once + 0.02
    assert four_times < 8 * once + 0.04


@pytest.mark.parametrize("kind", SECRETS)
def test_learning_is_cheap(kind: str) -> None:
    began = time.thread_time()
    KnownSecrets(SECRETS[kind])
    assert time.thread_time() - began < 1.0


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("size", [50, 1000, 60_000])
def test_no_such_secret_comes_out(kind: str, size: int) -> None:
    known = KnownSecrets(SECRETS[kind])
    for secret in SECRETS[kind][:3]:
        stream, text = TextScrubber(known), f"before {secret} after"
        out = "".join(stream.feed(text[i : i + size]) for i in range(0, len(text), size))
        out += stream.end()
        assert len(out) == len(text)
        assert out.startswith("before ")
        # What repeats itself may show the rest of a piece, where output was cut.
        least = 40 if len(set(secret)) > 20 else min(len(secret), 3 * PIECE)
        for start in range(0, len(secret) - least + 1, 20):
            assert secret[start : start + least] not in out


def test_a_part_of_a_long_secret_is_found_without_the_rest() -> None:
    secret = word(8192)
    stream = TextScrubber(KnownSecrets([secret]))
    out = stream.feed(f"it was {secret[: 3 * PIECE]} …") + stream.end()
    assert secret[:20] not in out
    assert secret[2 * PIECE : 2 * PIECE + 20] not in out


@given(st.lists(st.text(alphabet="ab", min_size=8, max_size=20), min_size=1, max_size=6), st.data())
def test_secrets_that_repeat_themselves_hide_no_other(
    secrets: list[str], data: st.DataObject
) -> None:
    secret = data.draw(st.sampled_from(secrets))
    stream = TextScrubber(KnownSecrets(secrets))
    assert secret not in stream.feed(f"x {secret} x") + stream.end()


def test_a_long_secret_has_few_spellings() -> None:
    secret = word(8192)
    assert sum(map(len, written_forms(secret))) < 12 * len(secret)
