"""A loop over file descriptors and timers: all the concurrency that the supervisor has."""

import heapq
import itertools
import selectors
import time
from typing import Callable

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Timer:
    """A call that is due at one time of the monotonic clock, unless it is cancelled."""

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when = when
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        """Never call. Idempotent."""
        self.cancelled = True


class Watch:
    """A file descriptor that the loop watches; `mask` 0 pauses it."""

    def __init__(self, loop: "Loop", fd: int, call: Callable[[int], None], priority: int) -> None:
        self._loop = loop
        self.fd = fd
        self.call = call
        self.priority = priority
        self.mask = 0

    def want(self, mask: int) -> None:
        """Watch for READ, WRITE, both or nothing."""
        if mask == self.mask:
            return
        self._loop.change(self, mask)
        self.mask = mask


class Loop:
    """Watches and timers. Input is handled before timers: what has arrived counts as in time."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def watch(self, fd: int, mask: int, call: Callable[[int], None], priority: int = 1) -> Watch:
        """Call `call(events)` when the descriptor is ready; lower priorities first."""
        watch = Watch(self, fd, call, priority)
        watch.want(mask)
        return watch

    def change(self, watch: Watch, mask: int) -> None:
        """Tell the kernel what a watch wants from now on."""
        if not watch.mask:
            self._selector.register(watch.fd, mask, watch)
        elif not mask:
            self._selector.unregister(watch.fd)
        else:
            self._selector.modify(watch.fd, mask, watch)

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call once, `seconds` from now."""
        timer = Timer(time.monotonic() + seconds, call)
        heapq.heappush(self._timers, (timer.when, next(self._order), timer))
        return timer

    def turn(self) -> None:
        """Wait for the next thing to happen and handle everything that is due."""
        ready = self._selector.select(self._wait())
        found = sorted(
            ((key.data, events) for key, events in ready), key=lambda pair: pair[0].priority
        )
        for watch, events in found:
            if watch.mask:
                watch.call(events)
        self._run_timers()

    def _wait(self) -> float:
        if not self._timers:
            return 1.0
        return min(1.0, max(0.0, self._timers[0][0] - time.monotonic()))

    def _run_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                timer.call()
