"""How a scripted service behaves: for all calls by its `mode`, for one by a cue in that call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

_CUE = re.compile(rb"\[mode: ([a-z_]{1,20})\]")


class Mode(StrEnum):
    """How a scripted service behaves."""

    OK = "ok"
    """It answers; a stream when the call asks for one."""
    GATED = "gated"
    """It streams, and waits for `release` before each piece after the first."""
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    BAD_REQUEST = "bad_request"
    BROKEN = "broken"
    """500."""
    BUSY = "busy"
    """503."""
    HANG = "hang"
    """It never answers; see `abandoned`."""
    SLOW = "slow"
    """It sends nothing for `LOADING_SECONDS`, as while a model is loaded, then answers."""
    CUT = "cut"
    """It closes the connection after the first piece of a stream."""
    RESET = "reset"
    """It resets the connection (RST) after the first piece of a stream."""
    UNFINISHED = "unfinished"
    """It ends a stream properly for HTTP, but without its protocol's end."""
    DROP = "drop"
    """It closes the connection without an answer."""
    STREAM_ERROR = "stream_error"
    """It reports an error within a stream."""
    ECHO = "echo"
    """It answers with everything it was sent, headers and body, in its own headers too."""
    REDIRECT = "redirect"
    """It sends the caller elsewhere, with the credential in the address."""
    COMPRESSED = "compressed"
    """It says that its answer is compressed, whatever it was asked."""


ERRORS: Mapping[Mode, tuple[int, str]] = {
    Mode.RATE_LIMITED: (429, "too many requests"),
    Mode.QUOTA: (429, "insufficient_quota: you exceeded your current quota"),
    Mode.UNAUTHORIZED: (401, "incorrect key"),
    Mode.FORBIDDEN: (403, "no access to this model"),
    Mode.MISSING: (404, "model not found, try pulling it first"),
    Mode.BAD_REQUEST: (400, "a message has no content"),
    Mode.BROKEN: (500, "the runner has terminated"),
    Mode.BUSY: (503, "the server is overloaded"),
}
"""Status and message of the modes that are errors."""

LOADING_SECONDS = 5.0


def cue(mode: Mode) -> str:
    """What a question must contain to be answered in that mode, whatever the service's own is.

    >>> cue(Mode.HANG)
    '[mode: hang]'
    """
    return f"[mode: {mode}]"


def cued(body: bytes) -> Mode | None:
    """The mode that a call asks for by its last cue; None when it leaves it to the service."""
    found = _CUE.findall(body)
    name = found[-1].decode() if found else ""
    return Mode(name) if name in set(Mode) else None
