"""Maps what Ollama says of a pull that failed to the tree of errors, with what to do. Pure."""

from __future__ import annotations

from seatrial.domain.errors import (
    PullDiskFull,
    PullFailed,
    PullInterrupted,
    PullUnknownModel,
    PullUnreachable,
)

from . import blame
from .admission import shown
from .providers.base import error_text, parse_object

MOST_BYTES = 16 * 1024
"""How much of an answer that is an error is read."""

_MOST_SHOWN = 400
_UNKNOWN = ("file does not exist", "manifest unknown", "not found", "invalid model name")
_FULL = ("no space left on device", "not enough space", "disk quota exceeded")
_AWAY = (
    "no such host",
    "dial tcp",
    "i/o timeout",
    "connection refused",
    "connection reset",
    "network is unreachable",
    "tls:",
    "x509:",
)
_CUT = ("unexpected eof", "max retries exceeded", "digest mismatch", "context canceled")
_AGAIN = "Pull it again: Ollama keeps what it has and goes on there."


def unreachable(error: BaseException, address: str) -> PullFailed:
    """Nothing came back from Ollama."""
    return PullUnreachable(
        f"Ollama does not answer: {blame.of_connection(error, address)}",
        hint="Start it with `ollama serve`, or set OLLAMA_HOST to where it runs.",
    )


def interrupted(address: str) -> PullFailed:
    """Its answer ended before the model was there."""
    return PullInterrupted(f"Ollama at {address} stopped in the middle of the pull.", hint=_AGAIN)


def of_status(status: int, body: bytes, model: str, address: str) -> PullFailed:
    """An answer that is an error from the beginning."""
    value = parse_object(body)
    said = error_text(value) if value is not None else None
    if said is not None and status not in {401, 403}:
        return of_text(said, model)
    hints = {
        401: "It asks for a credential, which OLLAMA_HOST can hold as https://user:password@host.",
        403: "It does not let Seatrial pull models: pull it on Ollama's own machine.",
    }
    return PullFailed(
        f"{address} cannot pull models: it answered {shown(said or str(status), _MOST_SHOWN)}.",
        hint=hints.get(status, "Check that OLLAMA_HOST is the address of an Ollama."),
    )


def of_text(said: str, model: str) -> PullFailed:
    """What Ollama says in its answer or in the middle of its progress."""
    lowered = said.lower()
    told = f"Ollama did not pull {model}: {shown(said, _MOST_SHOWN)}"
    if any(words in lowered for words in _FULL):
        hint = (
            "Free some of the disk where Ollama keeps its models (`ollama rm NAME` removes one), "
            "then pull again: it goes on where it stopped."
        )
        return PullDiskFull(told, hint=hint)
    if any(words in lowered for words in _CUT):
        return PullInterrupted(told, hint=_AGAIN)
    if any(words in lowered for words in _AWAY):
        hint = "Let Ollama's machine reach its library, then pull again."
        return PullFailed(told, hint=hint)
    if any(words in lowered for words in _UNKNOWN):
        hint = "Check name and tag: https://ollama.com/library lists what there is."
        return PullUnknownModel(f"Ollama's library has no model {model}.", hint=hint)
    return PullFailed(told, hint="Ollama's own log says more.")
