"""A process of the product that a test may kill, stop and start again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_READY_SECONDS = 300.0
_END_SECONDS = 120.0


class Daemon:
    """`seatrial …` in a process of its own. It is started again when it can't start yet.

    `ends` counts how often it ended although nobody told it to: a running process never may.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        """Starts nothing."""
        self.name = name
        self.ends: list[int] = []
        self._arguments = arguments
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._told_to_end = True

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it said, over all of its lives."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Start it; `ready` waits for it."""
        self._told_to_end = False
        self._spawn()

    async def ready(self, sign: str) -> None:
        """Wait until it has said that, in this life; one that ends before is started again."""
        deadline = time.monotonic() + _READY_SECONDS
        while sign not in self._said():
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} did not come up: {self.log[-3000:]}")
            if self._process is not None and self._process.poll() is not None:
                self._spawn()
            await asyncio.sleep(0.1)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal. SIGKILL and SIGTERM are waited for elsewhere: see `ended`."""
        self._note_end()
        self._told_to_end |= number in {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, number)

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.to_thread(self._wait)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it that signal and wait for its end; its exit code."""
        self.send(number)
        return self._wait()

    def _wait(self) -> int:
        assert self._process is not None
        return self._process.wait(_END_SECONDS)

    def look(self) -> None:
        """Note an end that nobody asked for, and start it again."""
        if self._note_end():
            self._spawn()

    def _note_end(self) -> bool:
        ended = self._process is not None and self._process.poll() is not None
        if not ended or self._told_to_end or self._process is None:
            return False
        self.ends.append(self._process.returncode)
        self._process = None
        return True

    def _spawn(self) -> None:
        self._began = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "seatrial", *self._arguments],
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _said(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._began)
            return log.read().decode("utf-8", "replace")
