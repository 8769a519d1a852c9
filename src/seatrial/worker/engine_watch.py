"""Whether the engine can be given tests now and, while it cannot, why not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from seatrial.domain.errors import EngineUnavailable, PlatformError
from seatrial.domain.failures import Failure
from seatrial.domain.ports import Engine

log = logging.getLogger(__name__)

SLOW_SECONDS = 10.0
"""An engine that takes longer to answer counts as away."""

_SILENT = "the container engine does not answer: "
_LOOK_SECONDS = 1.0
_NEW_ENGINE_SECONDS = 5.0
"""How long tests wait for an engine that was never seen."""
_OF_THE_ENGINE = frozenset(
    {
        "platform.no_capacity",
        "platform.image_unavailable",
        "platform.engine_unavailable",
        "platform.worker_lost",
    }
)
"""Faults that the next attempt may meet as well: an engine that shuts down ends its containers
first and answers for a while longer."""
_FIRST_PAUSE_SECONDS, _PAUSE_GROWS, _LONGEST_PAUSE_SECONDS = 1.0, 4.0, 30.0


class EngineWatch:
    """Looked at before every claim: tests wait in the queue for an engine that cannot take them.

    One that is away is waited for `wait_seconds`; then tests are tried all the same, to fail with
    the reason. None waits for ever. One that refused or lost an attempt is left alone for a while,
    longer each time.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        wait_seconds: float | None,
        look_again: Callable[[], None],
        tell: Callable[[], Awaitable[None]],
    ) -> None:
        """`look_again` is called when it is time for that.

        `tell` is called when `trouble` or `seen` has changed.
        """
        self._engine = engine
        self._wait_seconds = wait_seconds
        self._look_again = look_again
        self._tell = tell
        self._asking: asyncio.Future[str] | None = None
        self._seen = False
        self._away_since: float | None = None
        self._pause = 0.0
        self._paused_until = 0.0
        self._pause_because = ""
        self.trouble: str = ""
        """What keeps tests waiting, for people; empty when nothing does."""
        self.seen: str = ""
        """The engine as it was last seen, in words; empty when it never was."""

    async def may_claim(self) -> bool:
        """Whether tests can be taken now; when not, everybody who waits is told why."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._paused_until:
            loop.call_at(self._paused_until, self._look_again)
            await self._say(self._pause_because)
            return False
        try:
            seen = await self._look()
        except PlatformError as error:
            return await self._without_engine(error)
        self._seen, self._away_since = True, None
        await self._say("", seen)
        return True

    def attempt_ended(self, fault: Failure | None) -> None:
        """Note how an attempt ended: one that failed for the engine keeps others back."""
        if fault is None:
            self._pause = 0.0
        elif self._seen and fault.code in _OF_THE_ENGINE:
            grown = self._pause * _PAUSE_GROWS or _FIRST_PAUSE_SECONDS
            self._pause = min(grown, _LONGEST_PAUSE_SECONDS)
            self._paused_until = asyncio.get_running_loop().time() + self._pause
            self._pause_because = f"the engine is left alone for now: {fault.message}"
            log.warning("no test is taken for %.0f s: %s", self._pause, fault.message)

    def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()

    async def _look(self) -> str:
        """The engine in words, once it answers. A slow one is not asked twice but waited for."""
        asking = self._asking = self._asking or asyncio.ensure_future(self._ask())
        await asyncio.wait({asking}, timeout=SLOW_SECONDS)
        if not asking.done():
            raise EngineUnavailable(f"It has not answered for {SLOW_SECONDS:.0f} s.")
        self._asking = None
        return asking.result()

    async def _ask(self) -> str:
        await self._engine.ping()
        return (await self._engine.describe()).words

    async def _without_engine(self, error: PlatformError) -> bool:
        """Tell who waits, and look again soon; True when the waiting is over."""
        loop = asyncio.get_running_loop()
        if self._away_since is None:
            self._away_since = loop.time()
            log.warning("the engine does not answer: %s", error)
        patience = self._wait_seconds
        if patience is not None and not self._seen:
            patience = min(patience, _NEW_ENGINE_SECONDS)
        if patience is not None and loop.time() - self._away_since >= patience:
            return True
        # An engine's own errors may begin with these words already.
        why = error.message.removeprefix(f"{_SILENT[0].upper()}{_SILENT[1:]}")
        await self._say(f"{_SILENT}{why}")
        loop.call_later(_LOOK_SECONDS, self._look_again)
        return False

    async def _say(self, trouble: str, seen: str = "") -> None:
        """Tell what is new of it. What was seen once stands until something else is."""
        seen = seen or self.seen
        if trouble != self.trouble or seen != self.seen:
            self.trouble = trouble
            self.seen = seen
            await self._tell()
