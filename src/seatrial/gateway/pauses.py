"""Pauses that providers ask for, kept by all tests of a worker that use one credential.

Calls flow freely until an answer says how long to wait. Then all further calls on that credential
stand in line, in the order in which they came; when the pause has ended the first goes alone,
and the rest follows unless its answer asks for another pause. So a limit that ten tests
share is met once, not ten times. Other worker processes learn of a limit from their own calls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

LONGEST_SECONDS = 600.0
"""No pause is believed to be longer: then one call goes and asks again."""

ALONE_SECONDS = 2.0
"""So long the first call after a pause goes alone. A refusal comes sooner; answers may not."""


class PauseTooLong(Exception):
    """The pause outlasts the caller's time; `seconds` are left of it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the provider asks for {seconds:.0f} s")
        self.seconds = seconds


class Turn:
    """One call's way past its credential's line. Every turn that was taken must be ended."""

    def __init__(self, line: Line, deadline: float) -> None:
        self._line = line
        self.deadline = deadline
        self.admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answered(self, wait: float | None) -> None:
        """The provider's answer is here; `wait` is the pause that it asks for."""
        self._line.answered(self, wait)

    def end(self) -> None:
        """The call is over, with or without an answer."""
        self._line.leave(self)


class Line:
    """The calls on one credential."""

    def __init__(self) -> None:
        self._until = 0.0
        self._paused = False
        self._first: Turn | None = None
        self._first_left = 0.0
        self._turns = 0
        self._waiting: deque[Turn] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether there is nothing to remember."""
        return not self._paused and not self._turns

    async def take(self, deadline: float, on_wait: Callable[[float], None]) -> Turn:
        """Return when the call may be made; at once when no pause holds.

        `on_wait` is told the seconds before it has to wait. PauseTooLong when the pause ends
        after the deadline (of the loop's clock). A cancelled caller leaves the line at once.
        """
        left = self._until - asyncio.get_running_loop().time()
        if self._paused and self._until > deadline:
            raise PauseTooLong(left)
        turn = Turn(self, deadline)
        self._turns += 1
        if not self._paused:
            return turn
        self._waiting.append(turn)
        self._set_timer()
        on_wait(max(0.0, left))
        try:
            await turn.admitted
        except BaseException:
            self.leave(turn)
            raise
        return turn

    def answered(self, turn: Turn, wait: float | None) -> None:
        """See Turn."""
        first = turn is self._first
        if first:
            self._first = None
        if wait is not None:
            self._pause(wait)
        elif first:
            self._flow()

    def leave(self, turn: Turn) -> None:
        """See Turn.end. When it went alone and got no answer, the next one goes alone."""
        self._turns -= 1
        if turn in self._waiting:
            self._waiting.remove(turn)
        if turn is self._first:
            self._first = None
        self._set_timer()

    def _pause(self, seconds: float) -> None:
        now = asyncio.get_running_loop().time()
        self._until = max(self._until, now + min(seconds, LONGEST_SECONDS))
        self._paused = True
        late = [turn for turn in self._waiting if turn.deadline < self._until]
        for turn in late:
            self._waiting.remove(turn)
            if not turn.admitted.done():
                turn.admitted.set_exception(PauseTooLong(self._until - now))
        self._set_timer()

    def _flow(self) -> None:
        self._paused = False
        self._first = None
        while self._waiting:
            _admit(self._waiting.popleft())

    def _set_timer(self) -> None:
        """Let the first of the line go at the end of the pause, and the rest a little later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._paused or not self._waiting:
            return
        loop = asyncio.get_running_loop()
        if self._first is None:
            self._timer = loop.call_at(self._until, self._send_first)
        else:
            self._timer = loop.call_at(self._first_left + ALONE_SECONDS, self._flow)

    def _send_first(self) -> None:
        self._first = self._waiting.popleft()
        self._first_left = asyncio.get_running_loop().time()
        _admit(self._first)
        self._set_timer()


def _admit(turn: Turn) -> None:
    if not turn.admitted.done():
        turn.admitted.set_result(None)


class Pauses:
    """The lines of all credentials of one process."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    def line(self, identity: str) -> Line:
        """The line of that credential."""
        line = self._lines.get(identity)
        if line is None:
            self._lines = {key: kept for key, kept in self._lines.items() if not kept.idle}
            line = self._lines[identity] = Line()
        return line
