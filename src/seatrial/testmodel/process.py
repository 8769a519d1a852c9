"""Starts and stops the test model's server, which is a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from contextlib import suppress
from typing import cast

from seatrial.settings.children import child_environment

from .errors import TestModelFailed, TestModelMissing
from .weights import missing_package

START_SECONDS = 60.0
"""How long the server may take until it can answer. It needs about a second; a machine whose
cores are all busy needs many times that.
"""

_STOP_SECONDS = 5.0
_KEPT_STDERR_LINES = 20


def available() -> bool:
    """Whether the packages of the extra `testmodel` are installed. Imports neither."""
    return missing_package() is None


class TestModelProcess:
    """One server process. Start it once and stop it; an object is not used twice.

    The process ends with this one, also when this one is killed.
    """

    __test__ = False  # pytest collects classes whose names start with "Test"

    def __init__(self, *, start_seconds: float = START_SECONDS) -> None:
        """`start_seconds` is the time limit of `start`."""
        self._start_seconds = start_seconds
        self._process: Process | None = None
        self._exit_status: int | None = None
        self._stderr: deque[str] = deque(maxlen=_KEPT_STDERR_LINES)
        self._drain: asyncio.Task[None] | None = None

    async def start(self, python: str = sys.executable) -> str:
        """Start the server with the interpreter `python`; its URL, once it can really answer.

        Raises `TestModelMissing` when a package is not installed and `TestModelFailed` when the
        process ends or is not ready in time; then nothing is left running.
        """
        missing = missing_package()
        if missing is not None and python == sys.executable:
            raise TestModelMissing(missing)
        process = await self._spawn(python)
        try:
            async with asyncio.timeout(self._start_seconds):
                return await self._ready_url(process)
        except TimeoutError as error:
            await self.stop()
            raise TestModelFailed(
                f"The test model was not ready within {self._start_seconds:g} s."
            ) from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the server and wait for it. Does nothing when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._exit_status = process.returncode
        if self._drain is not None:
            await self._drain

    @property
    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Process id while it runs, else None."""
        return self._process.pid if self._process is not None else None

    @property
    def last_exit_status(self) -> int | None:
        """Exit status of the server after `stop`: 0 when it ended by itself, as it should."""
        return self._exit_status

    async def _spawn(self, python: str) -> Process:
        arguments = ("-m", "seatrial.testmodel", "--port", "0", "--exit-with-parent")
        try:
            process = await asyncio.create_subprocess_exec(
                python,
                *arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=child_environment(),
                start_new_session=True,  # Ctrl-C is for us: we stop it when our tests are done
            )
        except OSError as error:
            raise TestModelFailed(f"The test model could not be started: {error}") from error
        self._process = process
        self._drain = asyncio.create_task(self._read_stderr(process))
        return process

    async def _ready_url(self, process: Process) -> str:
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            await process.wait()
            if self._drain is not None:
                await self._drain
            raise TestModelFailed(
                f"The test model ended with exit status {process.returncode}:"
                f" {' '.join(self._stderr) or 'it said nothing'}"
            )
        return ready_url(line)

    async def _read_stderr(self, process: Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self._stderr.append(line.decode(errors="replace").strip())


def ready_url(line: bytes) -> str:
    """The URL in the server's one line. Raises `TestModelFailed` when it is not that line."""
    try:
        value: object = json.loads(line)
    except ValueError:
        value = None
    url = cast("dict[str, object]", value).get("url") if isinstance(value, dict) else None
    if not isinstance(url, str):
        raise TestModelFailed(f"The test model did not say where it listens: {line[:200]!r}")
    return url
