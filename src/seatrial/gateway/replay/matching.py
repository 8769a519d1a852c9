"""Finds the recorded call that answers a call. Pure but for what it has used already.

A call is answered by the first unused recorded call that asks the same: calls that were or are
in flight together may come in any order, and the same question asked again gets its answers in
the order in which they were recorded (an SDK's tries after a 429 among them).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from seatrial.domain.recordings import RecordedCall, Replay

from .differences import Difference, differences
from .forms import Form, form_of


@dataclass(frozen=True)
class Mismatch:
    """No recorded call asks the same. `nearest` is the one that would have been next.

    It is None when every recorded call was used: the call is one too many.
    """

    nearest: RecordedCall | None
    differences: tuple[Difference, ...]


@dataclass
class _Entry:
    call: RecordedCall
    form: Form
    used: bool = False
    missed: bool = False
    """Another call came in its place."""


class Matcher:
    """The recorded calls of one test, used one after the other."""

    def __init__(self, replay: Replay) -> None:
        """Reads all of them: keep it off the event loop when there are many."""
        self._entries = [
            _Entry(call, form_of(call), used=call.number in replay.used) for call in replay.calls
        ]
        self._by_key: defaultdict[str, list[_Entry]] = defaultdict(list)
        for entry in self._entries:
            self._by_key[entry.form.key].append(entry)
        self._early: list[tuple[_Entry, _Entry]] = []

    def match(self, form: Form) -> RecordedCall | Mismatch:
        """The recorded call that answers, which is used up then, or why none does."""
        same = self._by_key.get(form.key, [])
        found = next((entry for entry in same if not entry.used), None)
        if found is not None:
            self._note_order(found)
            found.used = True
            return found.call
        if same and not same[-1].call.counted:
            # Metadata does not change: SDKs ask for it as often as they like.
            return same[-1].call
        return self._mismatch(form)

    def unused(self) -> tuple[RecordedCall, ...]:
        """The model calls that nobody made again and no other came in place of."""
        return tuple(entry.call for entry in self._expected())

    def out_of_order(self) -> tuple[tuple[RecordedCall, RecordedCall], ...]:
        """Pairs of calls that came the other way round than they were recorded."""
        return tuple((early.call, late.call) for early, late in self._early if late.used)

    def _expected(self) -> list[_Entry]:
        open_ones = (entry for entry in self._entries if not (entry.used or entry.missed))
        return [entry for entry in open_ones if entry.call.counted]

    def _note_order(self, found: _Entry) -> None:
        for entry in self._expected():
            if entry is not found and entry.call.ended_before(found.call):
                self._early.append((found, entry))
                return

    def _mismatch(self, form: Form) -> Mismatch:
        """Compared with what was expected now: the next call and those in flight with it."""
        expected = self._expected()
        if not expected:
            return Mismatch(None, ())
        together = [e for e in expected if not expected[0].call.ended_before(e.call)]
        compared = [(differences(entry.form, form), entry) for entry in together]
        found, nearest = min(compared, key=lambda pair: _distance(pair[0]))
        nearest.missed = True
        return Mismatch(nearest.call, tuple(found))


def _distance(found: list[Difference]) -> tuple[bool, int]:
    """Another operation is further away than any other question."""
    return any(one.field == "operation" for one in found), len(found)
