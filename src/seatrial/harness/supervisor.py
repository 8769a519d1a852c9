"""Process 1 of the container: waits for an assignment, carries it out, and leaves nothing."""

import os
import platform
import signal
from contextlib import suppress
from typing import Optional

from . import forwarder, processes
from .channel import Channel, Order, read_claim
from .loop import READ, Loop
from .protocol import Assign, Exit, NoticeFrame, Ready
from .run import Run

DOOR = "/seatrial/door"
FORWARDER_UID = 65533
UNASSIGNED_SECONDS = 20.0
CHECK_SECONDS = 0.25
ENGINE_GRACE_SECONDS = 2.0

DONE = 0
REFUSED = 3


class Supervisor:
    """The life of one container. `run` returns the exit code of process 1.

    0: everything that could be told was told, or nobody listened for too long. 3: the worker
    refused this harness.
    """

    def __init__(self, door: str = DOOR) -> None:
        self._forwarder = forwarder.start(os.path.join(door, "gateway.sock"), FORWARDER_UID)
        self._loop = Loop()
        self._code: Optional[int] = None
        self._run: Optional[Run] = None
        self._orphan_seconds = UNASSIGNED_SECONDS
        self._ended = False
        self._channel = Channel(
            self._loop,
            os.path.join(door, "channel.sock"),
            read_claim(os.path.join(door, "claim")),
            on_order=self._order,
            on_change=self._changed,
            on_refused=self._refused,
        )

    def run(self) -> int:
        """Live until there is nothing more to do."""
        self._watch_children()
        self._channel.start()
        self._channel.send(Ready(platform.python_version(), platform.machine()))
        if self._forwarder is None:
            message = "No loopback address could be opened: models cannot be reached."
            self._channel.send(NoticeFrame("forwarder_failed", message))
        self._loop.later(CHECK_SECONDS, self._check)
        while self._code is None:
            self._loop.turn()
        if os.getpid() == 1:
            processes.kill_all()
        return self._code

    def _watch_children(self) -> None:
        """A signal handler that does nothing, and a pipe that wakes the loop."""
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._wakeup = reader
        self._loop.watch(reader, READ, self._children_ended, priority=2)

    def _children_ended(self, events: int) -> None:
        with suppress(BlockingIOError):
            os.read(self._wakeup, 4096)
        self._reap()

    def _reap(self) -> None:
        ended = processes.reap()
        if self._run is not None and ended:
            self._run.reaped(ended)

    def _order(self, order: Order) -> None:
        if isinstance(order, Assign):
            self._channel.assigned = True
            self._orphan_seconds = order.orphan_seconds
            known: set[int] = set() if self._forwarder is None else {self._forwarder}
            self._run = Run(self._loop, self._channel, order, known, self._run_ended)
            self._run.start()
        else:
            self._cancel(order.grace_seconds)

    def _cancel(self, grace_seconds: float) -> None:
        if self._run is not None:
            self._run.cancel(grace_seconds)
        elif not self._ended:
            self._channel.assigned = True
            self._channel.send(_never_ran())
            self._run_ended()

    def _run_ended(self) -> None:
        self._ended = True
        self._changed()

    def _changed(self) -> None:
        if self._run is not None:
            self._run.go_on()
        if self._ended and self._channel.settled:
            self._code = DONE

    def _refused(self, reason: str) -> None:
        self._code = REFUSED

    def _check(self) -> None:
        """What no event tells: a silent worker, an engine that wants the container to stop.

        A worker that speaks but acknowledges nothing waits for its database: so does the end.
        """
        if self._engine_asks_to_stop():
            self._cancel(ENGINE_GRACE_SECONDS)
        if self._channel.silent_seconds > self._orphan_seconds:
            if self._run is not None:
                self._run.abandon()
            self._code = DONE
        self._loop.later(CHECK_SECONDS, self._check)

    def _engine_asks_to_stop(self) -> bool:
        """Whether SIGTERM came from outside of this namespace: its sender has no number here."""
        received = signal.sigtimedwait([signal.SIGTERM], 0)
        return received is not None and received.si_pid == 0


def _never_ran() -> Exit:
    return Exit(None, None, "cancelled", 0.0, 0.0, 0, None, 0, 0, 0, False, 0, 0, 0, "")
