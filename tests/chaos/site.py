"""Everything that a chaos run may break: engine, database, server and workers, all of its own."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

from seatrial.client import AsyncClient
from seatrial.client.follow import Patience
from seatrial.engines.private import Kind, PrivateEngine, install
from tests.support.daemon import Daemon
from tests.support.databases import PostgresDatabases
from tests.support.engines import kept_folder
from tests.support.postgres import PostgresServer, own_postgres
from tests.support.scripted import services
from tests.support.serving import clean_environment, free_port

GRACE_SECONDS = 4.0
LEASE_SECONDS = 8.0
SLOTS = 6
"""Tests that run at one time, over all workers."""

_CLOCK = Path(__file__).with_name("clock")
_ENGINES_AT_ONCE = 8
SERVES, WORKS = "Seatrial serves on http", "takes up to"


@dataclass(frozen=True)
class Container:
    """A container of a test, as the engine itself tells it."""

    id: str
    name: str
    pid: int


class Engine:
    """A private engine that is killed and stopped; its images are kept between runs."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        """Starts nothing."""
        self.private = PrivateEngine(kind, folder)

    @property
    def pid(self) -> int:
        """The daemon."""
        return int((self.private.folder / "engine.pid").read_text())

    async def containers(self, *, running: bool = False) -> list[Container]:
        """All containers of ours, or those that run."""
        label = json.dumps({"label": ["seatrial"]})
        listed = await self._get(
            "containers/json", {"all": str(int(not running)), "filters": label}
        )
        found: list[Container] = []
        for each in listed:
            shown = await self._get(f"containers/{each['Id']}/json", {})
            found.append(Container(each["Id"], each["Names"][0], int(shown["State"]["Pid"])))
        return found

    async def volumes(self) -> Sequence[str]:
        """All volumes."""
        listed = await self._get("volumes", {})
        return [volume["Name"] for volume in listed["Volumes"] or ()]

    async def _get(self, path: str, params: Mapping[str, str]) -> Any:
        connector = aiohttp.UnixConnector(str(self.private.socket))
        timeout = aiohttp.ClientTimeout(total=10)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.get(f"http://engine/v1.40/{path}", params=params) as answer,
        ):
            answer.raise_for_status()
            return await answer.json()


class PostgresDatabase:
    """One database of a server of this run's own."""

    def __init__(self, server: PostgresServer) -> None:
        """Makes an empty database."""
        self.server = server
        self.url = PostgresDatabases(server).empty()

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncGenerator[None]:
        """Let nobody read or write the tests."""
        engine = create_async_engine(self.url, poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.execute(text("LOCK TABLE tests IN ACCESS EXCLUSIVE MODE"))
            yield


class SqliteDatabase:
    """The file in the one process's data folder."""

    def __init__(self, path: Path) -> None:
        """The file is made by the product."""
        self.path = path
        self.url = ""

    @contextlib.asynccontextmanager
    async def locked(self) -> AsyncGenerator[None]:
        """Hold the write lock."""
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
        finally:
            connection.close()


Database = PostgresDatabase | SqliteDatabase


class Site:
    """The running product. With SQLite server and worker are one process."""

    def __init__(
        self, folder: Path, engine: Engine, database: Database, environment: Mapping[str, str]
    ) -> None:
        """Starts nothing."""
        self.folder = folder
        self.engine = engine
        self.database = database
        self.port = free_port()
        self.clock = folder / "clock"
        self.clock.write_text("0")
        self._models = environment
        self.split = isinstance(database, PostgresDatabase)
        self.server = self._daemon("server", ["serve", *(["--no-worker"] if self.split else [])])
        self.workers = [self.server]
        if self.split:
            self.workers = [self._daemon(f"worker{number}", ["worker"]) for number in (1, 2)]

    @property
    def daemons(self) -> list[Daemon]:
        """Every process of the product."""
        return [self.server, *self.workers] if self.split else [self.server]

    @property
    def data_folders(self) -> list[Path]:
        """Of the workers."""
        return [self.folder / worker.name for worker in self.workers]

    def client(self) -> AsyncClient:
        """One that seeks a lost server for minutes."""
        url = f"http://127.0.0.1:{self.port}"
        token = (self.folder / self.server.name / "local.token").read_text().strip()
        return AsyncClient(url, token=token, patience=Patience(longest=1.0, attempts=600))

    async def start(self) -> None:
        """Start all and wait until all are there."""
        await self.engine.private.start()
        self.server.start()
        await self.ready(self.server)
        for worker in self.workers if self.split else ():
            worker.start()
        await asyncio.gather(*(self.ready(worker) for worker in self.workers))

    async def ready(self, daemon: Daemon) -> None:
        """Wait until that one serves or works."""
        await daemon.ready(SERVES if daemon is self.server else WORKS)

    async def stop(self) -> list[int]:
        """End all as an operator does; their exit codes."""
        for daemon in self.daemons:
            daemon.send(signal.SIGTERM)
        return [await daemon.ended() for daemon in self.daemons]

    def kill(self) -> None:
        """End whatever still runs: the run is over, or failed."""
        for daemon in self.daemons:
            daemon.send(signal.SIGKILL)

    def _daemon(self, name: str, arguments: Sequence[str]) -> Daemon:
        data = self.folder / name
        data.mkdir(mode=0o711)
        (data / "images").symlink_to(kept_folder() / "images")
        settings = {
            "data_dir": str(data),
            "port": str(self.port),
            "docker_host": self.engine.private.url,
            "registry": "127.0.0.1:1",
            "grace_seconds": str(GRACE_SECONDS),
            "lease_seconds": str(LEASE_SECONDS),
            "max_running": str(SLOTS // (2 if self.split else 1)),
            "max_per_user": "100",
        }
        if self.database.url:
            settings["database_url"] = self.database.url.replace("+asyncpg", "")
        clock = {"PYTHONPATH": str(_CLOCK), "CHAOS_CLOCK": str(self.clock)}
        environment = {**clean_environment(**settings), **self._models, **clock}
        return Daemon(name, arguments, environment, data / "log")


@contextlib.asynccontextmanager
async def site(kind: Kind, *, split: bool) -> AsyncGenerator[Site]:
    """All of it, started; nothing is left of it afterwards."""
    await install(kind, print)
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="st-", dir="/var/tmp"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)
        database: Database = SqliteDatabase(folder / "server" / "seatrial.db")
        if split:
            database = PostgresDatabase(stack.enter_context(own_postgres()))
        engine = Engine(kind, stack.enter_context(_engine_folder(kind)))
        models = stack.enter_context(services()).environment
        made = Site(folder, engine, database, models)
        try:
            await made.start()
            yield made
        finally:
            made.kill()
            with contextlib.suppress(OSError):
                os.kill(engine.pid, signal.SIGCONT)
            await engine.private.stop()


@contextlib.contextmanager
def _engine_folder(kind: Kind) -> Generator[Path]:
    """A folder whose engine nobody else uses meanwhile."""
    for number in range(_ENGINES_AT_ONCE):
        folder = kept_folder() / "engine" / f"chaos-{kind}-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "mine.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield folder
            return
    raise AssertionError(f"{_ENGINES_AT_ONCE} runs are under way already")
