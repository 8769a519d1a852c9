"""The command line as a process beside a real server."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio
from tests.integration.server.running import Running, running

from seatrial.client import AsyncClient
from seatrial.gateway import OllamaPulls
from seatrial.settings import Settings
from seatrial.store import open_store
from seatrial.testing.providers import ScriptedOllama


@dataclass
class Typed:
    """A command that runs. Its standard output can be waited for piece by piece."""

    process: asyncio.subprocess.Process
    seen: str = ""

    async def until(self, text: str) -> str:
        """Read until this text has come; what came so far."""
        assert self.process.stdout is not None
        while text not in self.seen:
            line = await asyncio.wait_for(self.process.stdout.readline(), 30)
            assert line, f"{text!r} never came: {self.seen}"
            self.seen += line.decode()
        return self.seen

    async def end(self) -> Ended:
        """Wait for its end."""
        out, err = await asyncio.wait_for(self.process.communicate(), 60)
        assert self.process.returncode is not None
        return Ended(self.process.returncode, self.seen + out.decode(), err.decode())


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Desk:
    """Somebody at a command line: a folder, a server, and the SDK to look behind."""

    server: Running
    client: AsyncClient
    folder: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    async def start(self, *arguments: str) -> Typed:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "seatrial.cli.main", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.folder,
            env={**os.environ, "SEATRIAL_URL": self.server.url, **self.environment},
        )
        return Typed(process)

    async def type(self, *arguments: str) -> Ended:
        return await (await self.start(*arguments)).end()


@pytest_asyncio.fixture
async def desk() -> AsyncGenerator[Desk, None]:
    with tempfile.TemporaryDirectory(prefix="st-") as path:
        folder = Path(path)
        store = open_store(f"sqlite+aiosqlite:///{folder / 'seatrial.db'}")
        await store.open()
        (folder / "home").mkdir()
        (folder / "home/agent.py").write_text("def run(query):\n    return query\n")
        async with running(store, folder) as server, AsyncClient(server.url) as client:
            yield Desk(server, client, folder / "home")
        await store.aclose()


@pytest_asyncio.fixture
async def pulling() -> AsyncGenerator[tuple[Desk, ScriptedOllama], None]:
    """A desk whose server may have an Ollama pull models, and that Ollama."""
    with tempfile.TemporaryDirectory(prefix="st-") as path:
        folder = Path(path)
        store = open_store(f"sqlite+aiosqlite:///{folder / 'seatrial.db'}")
        await store.open()
        async with ScriptedOllama() as service:
            settings = Settings(data_dir=folder, port=0, ollama_url=service.url)
            more = {"settings": settings, "pulls": OllamaPulls(settings)}
            async with running(store, folder, **more) as server, AsyncClient(server.url) as client:
                yield Desk(server, client, folder), service
        await store.aclose()
