"""What Ollama says of a pull that failed is an error of ours, with what to do."""

from __future__ import annotations

import pytest

from seatrial.domain.errors import (
    PullDiskFull,
    PullFailed,
    PullInterrupted,
    PullUnknownModel,
)
from seatrial.gateway import pull_errors


@pytest.mark.parametrize(
    ("said", "kind", "to_do"),
    [
        ("pull model manifest: file does not exist", PullUnknownModel, "library"),
        ("write /m/blobs/sha256-0-partial: no space left on device", PullDiskFull, "ollama rm"),
        ("There is not enough space on the disk.", PullDiskFull, "ollama rm"),
        ("max retries exceeded: unexpected EOF", PullInterrupted, "again"),
        ("digest mismatch, file must be downloaded again", PullInterrupted, "again"),
        (
            'Get "https://registry.example/v2": dial tcp: lookup x: no such host',
            PullFailed,
            "reach",
        ),
        ("requires a newer version of Ollama", PullFailed, "log"),
    ],
)
def test_each_text_of_ollama_says_what_to_do(said: str, kind: type[PullFailed], to_do: str) -> None:
    found = pull_errors.of_text(said, "llama3.2")
    assert type(found) is kind
    assert "llama3.2" in found.message
    assert to_do in found.hint


def test_foreign_text_is_short_and_acts_on_no_terminal() -> None:
    found = pull_errors.of_text("\x1b[2J" + "x" * 10_000, "m")
    assert "\x1b" not in found.message
    assert len(found.message) < 600


@pytest.mark.parametrize(
    ("status", "body", "to_do"),
    [
        (401, b'{"error": "unauthorized"}', "user:password"),
        (403, b"", "own machine"),
        (404, b"404 page not found", "OLLAMA_HOST"),
        (307, b"", "OLLAMA_HOST"),
    ],
)
def test_a_service_that_pulls_nothing_is_told_from_a_model_that_is_not_there(
    status: int, body: bytes, to_do: str
) -> None:
    found = pull_errors.of_status(status, body, "m", "http://box:1")
    assert type(found) is PullFailed
    assert "http://box:1" in found.message
    assert to_do in found.hint
