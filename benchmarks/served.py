"""A `seatrial serve` of a benchmark's own: a data folder, a port, a process that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Coroutine, Mapping
from pathlib import Path
from typing import Any, Self

import platformdirs

from seatrial.client import AsyncClient
from seatrial.engines.private import Kind, PrivateEngine

_START_SECONDS = 180.0
_STOP_SECONDS = 90.0
_OURS = ("SEATRIAL_", "OLLAMA_", "OPENAI_", "ANTHROPIC_", "AWS_", "DOCKER_HOST")


class Served:
    """One server with its worker. `settings` by the names of `seatrial.settings`."""

    def __init__(
        self, settings: Mapping[str, str], *, also: Mapping[str, str] | None = None
    ) -> None:
        """`also` are variables besides the settings. Nothing is started yet."""
        self.data_dir = Path(tempfile.mkdtemp(prefix="st-"))
        self.data_dir.chmod(0o711)
        self.port = _free_port()
        named = {"data_dir": str(self.data_dir), "port": str(self.port), **settings}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        self._environment = {
            **kept,
            **{f"SEATRIAL_{name.upper()}": value for name, value in named.items()},
            **(also or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it, and remove its folder."""
        await self.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def client(self) -> AsyncClient:
        """A new connection to it."""
        return AsyncClient(self.url, token=self.token)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        """What its port asks for."""
        return (self.data_dir / "local.token").read_text().strip()

    async def start(self) -> None:
        """Return when it takes connections."""
        with (self.data_dir / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "seatrial", "serve"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(_START_SECONDS):
            while not await self._answers():
                if self._process.poll() is not None:
                    raise SystemExit(f"The server did not start: {self.log[-2000:]}")
                await asyncio.sleep(0.1)

    @property
    def log(self) -> str:
        """What it wrote."""
        return (self.data_dir / "serve.log").read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL, as often as one likes: nothing is tidied up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self) -> None:
        """As an operator does; SIGKILL where that takes too long."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True


@contextlib.asynccontextmanager
async def engine(kind: Kind, given: str | None) -> AsyncGenerator[str]:
    """The socket that was named, else that of a private engine; the last user of it ends it.

    Its images stay for the next time. What a killed benchmark left is ended with the next one's.
    """
    if given:
        yield given
        return
    folder = Path(platformdirs.user_cache_dir("seatrial")) / "benchmarks" / kind
    folder.mkdir(parents=True, exist_ok=True)
    private = PrivateEngine(kind, folder)
    with (folder / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield await private.start()
        finally:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                await private.stop()


def exit_code_of(benchmark: Coroutine[Any, Any, bool]) -> int:
    """Run it: 0 when it says that all is kept, else 1. Told to end, it tidies up before."""

    async def run() -> bool:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, task.cancel)
        return await benchmark

    try:
        return 0 if asyncio.run(run()) else 1
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
