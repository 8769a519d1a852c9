"""What one test may still use of its door: model calls, tokens and bytes.

Calls and tokens are checked before a call, so the one that crosses a limit still gets its answer.
Bytes are counted as they pass, and cut where the limit is.
"""

from __future__ import annotations

from seatrial.domain.door_limits import DoorLimits
from seatrial.domain.record import USED_UP

from .admission import Refusal
from .journal import DoorJournal

CALLS, TOKENS, TRAFFIC = USED_UP
_MEBIBYTE = 2**20


class BudgetSpent(Exception):
    """The traffic of the test is used up; the text says so."""


class Budget:
    """The counters of one door."""

    def __init__(self, limits: DoorLimits, journal: DoorJournal) -> None:
        """Goes on from `limits.used`."""
        self._limits = limits
        self._journal = journal
        self._calls = limits.used.calls
        self._tokens = limits.used.tokens
        self._bytes = limits.used.bytes

    def refusal(self) -> Refusal | None:
        """Why no further call may be made; None when one may.

        403, which no SDK tries again: a 429 would keep some of them busy for minutes.
        """
        spent = self._spent_calls() or self._spent_tokens() or self.spent_traffic()
        if spent is None:
            return None
        return _refusal(*spent)

    def add_call(self) -> None:
        """One call goes to the provider."""
        self._calls += 1

    def add_tokens(self, count: int | None) -> None:
        """An answer told its usage. What no provider tells is not counted, never guessed."""
        if count is not None:
            self._tokens += count
        elif self._limits.tokens:
            self._journal.add_notice("tokens_unknown", "", _UNKNOWN)

    def add_bytes(self, count: int) -> None:
        """So many bytes are about to pass. BudgetSpent when they may not."""
        self._bytes += count
        spent = self.spent_traffic()
        if spent is not None:
            raise BudgetSpent(spent[1])

    def add_refused(self, count: int) -> None:
        """Count the bytes of a call that was refused. They cost what those of others cost."""
        self._bytes += count

    def traffic_refusal(self) -> Refusal | None:
        """Why no further byte is taken; None while there is some traffic left."""
        spent = self.spent_traffic()
        return None if spent is None else _refusal(*spent)

    def spent_traffic(self) -> tuple[str, str] | None:
        """The entry and the text of used-up traffic; None while there is some left."""
        used, allowed = self._bytes, self._limits.bytes
        if not allowed or used <= allowed:
            return None
        text = f"{used / _MEBIBYTE:.1f} MiB of the {allowed / _MEBIBYTE:g} MiB of traffic allowed"
        return self._noted(TRAFFIC, text, used, allowed)

    def _spent_calls(self) -> tuple[str, str] | None:
        used, allowed = self._calls, self._limits.calls
        if not allowed or used < allowed:
            return None
        text = f"{used:,} of the {allowed:,} model calls allowed"
        return self._noted(CALLS, text, used, allowed)

    def _spent_tokens(self) -> tuple[str, str] | None:
        used, allowed = self._tokens, self._limits.tokens
        if not allowed or used < allowed:
            return None
        text = f"{used:,} of the {allowed:,} tokens allowed"
        return self._noted(TOKENS, text, used, allowed)

    def _noted(self, code: str, text: str, used: int, allowed: int) -> tuple[str, str]:
        message = f"The test has used {text}."
        self._journal.add_notice(code, "", message, {"used": used, "allowed": allowed})
        return code, message


def _refusal(code: str, message: str) -> Refusal:
    return Refusal(403, code.replace(".", "_"), message, code)


_UNKNOWN = (
    "A model call's answer did not tell its usage: its tokens are not counted towards the limit. "
    "Some services tell it of a stream only when they are asked to."
)
