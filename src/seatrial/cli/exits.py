"""Exit codes: what a script learns without reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.domain.errors import SeatrialError
    from seatrial.domain.tests import Test

SUCCEEDED = 0
FAILED = 1
BAD_INPUT = 2
PLATFORM = 3
TIMED_OUT = 124
CANCELLED = 130
BROKEN_PIPE = 141

HELP = (
    "Exit codes: 0 succeeded, 1 failed, 2 bad input, 3 platform fault, 124 timed out, "
    "130 cancelled."
)


def of_test(test: Test) -> int:
    """The exit code of a completed test."""
    if test.failure is not None and test.failure.whose == "platform":
        return PLATFORM
    codes = {"succeeded": SUCCEEDED, "timed_out": TIMED_OUT, "cancelled": CANCELLED}
    return codes.get(test.outcome or "", FAILED)


def of_error(error: SeatrialError) -> int:
    """The exit code of a command that could not do what was asked."""
    if error.whose == "model":
        return FAILED
    return PLATFORM if error.whose == "platform" else BAD_INPUT
