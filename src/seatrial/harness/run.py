"""One assignment from its start to its exit frame."""

import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Callable, Literal, Optional

from . import child as children
from . import processes, workspace
from .channel import Channel
from .claims import Claims
from .collect import collect
from .loop import Loop
from .metrics import Meter
from .output import Output
from .protocol import Assign, Begun, Exit, NoticeFrame, Numbered
from .pump import Feeder, Pump
from .written import written

DRAIN_SECONDS = 0.3
AFTER_RESULT_SECONDS = 1.0
METRIC_SECONDS = 1.0
WATCH_SECONDS = 0.1

Reason = Literal["exited", "deadline", "cancelled", "orphaned", "not_started"]


class Run:
    """Starts the child, moves its output, stops it in time, and reports how it ended.

    `known` are processes that are not the child's. `on_end` is called when the exit frame was
    handed to the channel. Nothing is left of the child's processes then.
    """

    def __init__(
        self,
        loop: Loop,
        channel: Channel,
        assign: Assign,
        known: set[int],
        on_end: Callable[[], None],
    ) -> None:
        self._loop, self._channel, self._assign = loop, channel, assign
        self._known, self._on_end = known, on_end
        self._meter = Meter(known)
        self._output = Output(loop, channel.send, assign.log_bytes)
        self._claims = Claims(
            loop, channel.send, self._output, assign.response_bytes, self._result_came
        )
        self._child: Optional[children.Child] = None
        self._pumps: list[Pump] = []
        self._feeders: list[Feeder] = []
        self._began = time.monotonic()
        self._wall = 0.0
        self._status: Optional[int] = None
        self._reason: Optional[Reason] = None
        self._killed_after_result = False
        self._paused = self._told_paused = False
        self._ending = False
        self._left = 0
        self._space = workspace.Space()
        self._told_of_memory = False
        self._last_frames: Optional[Iterator[Numbered]] = None

    def start(self) -> None:
        """Write the files and start the child; on failure the exit frame says `not_started`."""
        self._meter.begin()
        try:
            # A build's own programs stay out of reach of the foreign code that it runs.
            owner = self._assign.uid if self._assign.mode == "agent" else 0
            workspace.write_files(self._assign.files, uid=owner)
            self._child = children.start(self._assign)
        except (children.NotStarted, ValueError, OSError) as error:
            self._reason = "not_started"
            self._last_frames = iter([self._exit(str(error)[:4096])])
            self._ending = True
            self._loop.later(0, self.go_on)
            return
        self._began = time.monotonic()
        self._channel.send(Begun(self._child.pid))
        self._connect_pipes(self._child)
        self._loop.later(0, self._measure)
        self._loop.later(WATCH_SECONDS, self._watch_memory)
        self._loop.later(self._assign.deadline_seconds, self._deadline)

    def cancel(self, grace_seconds: float) -> None:
        """Ask the child to end, then make it."""
        self._stop("cancelled", grace_seconds)

    def abandon(self) -> None:
        """Nobody listens any more: end everything at once."""
        if not self._ending:
            self._reason = "orphaned"
            self._kill()

    def reaped(self, ended: dict[int, int]) -> None:
        """Look whether the child is among the processes that ended."""
        if self._child is None or self._status is not None or self._child.pid not in ended:
            return
        self._note_end(ended[self._child.pid])
        if self._paused or self._all_pipes_ended():
            self._finish()
        else:
            self._loop.later(DRAIN_SECONDS, self._finish)

    def go_on(self) -> None:
        """The channel has room again: read on, or send what is still to be sent."""
        if self._last_frames is not None:
            self._send_last()
        elif self._paused and not self._channel.full and not self._ending:
            self._pause(False)

    # --- while it runs

    def _connect_pipes(self, child: children.Child) -> None:
        loop, ended = self._loop, self._pipe_ended
        if child.report is not None:
            self._pumps.append(Pump(loop, child.report, self._report, ended, priority=0))
        self._pumps.append(Pump(loop, child.stdout, self._stdout, ended))
        self._pumps.append(Pump(loop, child.stderr, self._stderr, ended))
        query = self._assign.query if self._assign.mode == "agent" else ""
        self._feeders.append(Feeder(loop, child.stdin, query.encode("utf-8")))
        if child.config is not None:
            self._feeders.append(Feeder(loop, child.config, children.config(self._assign)))
            # The agent has them now; nothing here needs them any more.
            self._assign = replace(self._assign, secrets={}, env={})

    def _report(self, data: bytes) -> None:
        self._claims.report(data)
        self._check_room()

    def _stdout(self, data: bytes) -> None:
        if self._assign.mode == "agent":
            self._claims.stdout(data)
        self._output.add("stdout", data)
        self._check_room()

    def _stderr(self, data: bytes) -> None:
        self._output.add("stderr", data)
        self._check_room()

    def _check_room(self) -> None:
        if self._paused or self._ending or not self._channel.full:
            return
        self._pause(True)
        if not self._told_paused:
            self._told_paused = True
            message = "Output is produced faster than it is stored: the agent waits meanwhile."
            self._channel.send(NoticeFrame("backpressure", message))

    def _pause(self, paused: bool) -> None:
        self._paused = paused
        for pump in self._pumps:
            pump.pause(paused)

    def _measure(self) -> None:
        if self._ending or self._status is not None:
            return
        sample = self._meter.sample()
        if not self._channel.full:
            self._channel.send(sample)
        self._loop.later(METRIC_SECONDS, self._measure)

    def _watch_memory(self) -> None:
        """Tell once that memory runs out, before the kernel ends what could tell it."""
        if self._ending or self._status is not None or self._told_of_memory:
            return
        if self._meter.is_nearly_full():
            self._told_of_memory = True
            self._channel.send(self._meter.sample())
        self._loop.later(WATCH_SECONDS, self._watch_memory)

    # --- the reasons to end

    def _deadline(self) -> None:
        self._stop("deadline", self._assign.grace_seconds)

    def _stop(self, reason: Reason, grace_seconds: float) -> None:
        if self._child is None or self._status is not None or self._reason is not None:
            return
        self._reason = reason
        self._claims.stop()
        processes.signal_session(self._child.pid, signal.SIGTERM)
        self._loop.later(max(0.0, min(grace_seconds, 60.0)), self._kill)

    def _result_came(self) -> None:
        self._loop.later(AFTER_RESULT_SECONDS, self._kill_after_result)

    def _kill_after_result(self) -> None:
        if self._status is not None or self._ending or self._reason is not None:
            return
        self._killed_after_result = True
        message = "The agent had answered but did not end by itself within a second."
        self._channel.send(NoticeFrame("killed_after_result", message))
        self._kill()

    def _kill(self) -> None:
        if self._status is None and not self._ending:
            self._note_end(None)
            self._finish()

    def _pipe_ended(self) -> None:
        if self._status is not None and self._all_pipes_ended():
            self._finish()

    def _all_pipes_ended(self) -> bool:
        return all(pump.ended for pump in self._pumps)

    # --- the end

    def _note_end(self, status: Optional[int]) -> None:
        """Read what is gone once everything is killed."""
        self._status = status
        self._wall = time.monotonic() - self._began
        self._space = workspace.fullest()
        mine: set[int] = set() if self._child is None else {self._child.pid}
        self._left = len(processes.others(self._known | mine))

    def _finish(self) -> None:
        """End every process, empty the pipes, then send the last frames."""
        if self._ending or self._child is None:
            return
        self._ending = True
        final = self._meter.sample()
        ended = processes.kill_all()
        if self._status is None:
            self._status = ended.get(self._child.pid, signal.SIGKILL)
        for pump in self._pumps:
            pump.drain()
        for feeder in self._feeders:
            feeder.close()
        self._output.flush()
        self._claims.finish()
        self._output.finish()
        self._channel.send(final)
        self._last_frames = self._last()
        self._send_last()

    def _last(self) -> Iterator[Numbered]:
        yield from collect(self._assign.collect, self._assign.uid)
        yield from self._written()
        yield self._exit("")

    def _written(self) -> Iterator[Numbered]:
        """What an agent left; nothing where its end was asked for."""
        if self._assign.mode != "agent" or self._reason in ("cancelled", "orphaned"):
            return
        frame = written(self._assign.files, self._assign.uid)
        if frame is not None:
            yield frame

    def _send_last(self) -> None:
        while self._last_frames is not None and not self._channel.full:
            frame = next(self._last_frames, None)
            if frame is None:
                self._last_frames = None
                self._on_end()
            else:
                self._channel.send(frame)

    def _exit(self, message: str) -> Exit:
        code, number = self._outcome()
        budget, meter, space = self._output.budget, self._meter, self._space
        return Exit(
            code=code,
            signal=number,
            reason=self._reason or "exited",
            wall_seconds=self._wall,
            cpu_seconds=meter.cpu_seconds,
            memory_peak_bytes=meter.memory_peak_bytes,
            memory_limit_bytes=meter.memory_limit_bytes,
            processes_peak=meter.processes_peak,
            oom_kills=meter.oom_kills,
            process_limit_hits=meter.process_limit_hits,
            disk_full=bool(space.full),
            log_bytes=budget.written,
            log_dropped_bytes=budget.dropped,
            left_processes=self._left,
            message=message,
            full=space.full,
            full_folder=space.folder,
            used_bytes=space.used_bytes,
            used_files=space.used_files,
        )

    def _outcome(self) -> tuple[Optional[int], Optional[int]]:
        if self._status is None:
            return None, None
        if self._killed_after_result:
            return 0, None
        return processes.outcome(self._status)
