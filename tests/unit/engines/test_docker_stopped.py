"""An engine that is stopped: the kernel takes the connection, and nobody answers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.docker_calls import CALLS, finished

from seatrial.domain.errors import EngineUnavailable
from seatrial.engines.docker.api import Api
from seatrial.engines.docker.config import DockerConfig
from seatrial.engines.docker.engine import DockerEngine

PATIENCE_SECONDS = 30.0

WITHOUT_LIMIT = {"events", "close"}
"""`Endings` looks after the one; the other asks nobody."""


@asynccontextmanager
async def _silent(path: Path) -> AsyncGenerator[DockerConfig]:
    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(keep, path / "engine.sock")
    try:
        yield DockerConfig(
            f"unix://{path / 'engine.sock'}",
            path / "state",
            path / "images",
            request_seconds=0.3,
            quiet_seconds=0.3,
        )
    finally:
        server.close()


def test_every_call_is_in_the_table() -> None:
    public = {name for name, _ in inspect.getmembers(Api, callable) if not name.startswith("_")}
    assert public == {*CALLS, *WITHOUT_LIMIT}


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_to_a_stopped_engine_ends_with_a_reason(name: str, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(b"x")
    async with _silent(tmp_path) as config:
        api = Api(config)
        try:
            with pytest.raises(EngineUnavailable):
                await asyncio.wait_for(finished(CALLS[name](api, archive)), PATIENCE_SECONDS)
        finally:
            await api.close()


async def test_many_callers_do_not_wait_one_after_the_other(tmp_path: Path) -> None:
    """Forty that take turns would take 12 s."""
    async with _silent(tmp_path) as config:
        engine = DockerEngine(config)
        clock = asyncio.get_running_loop().time
        begun = clock()
        results = await asyncio.gather(*(engine.ping() for _ in range(40)), return_exceptions=True)
        await engine.aclose()
    assert {type(result) for result in results} == {EngineUnavailable}
    assert clock() - begun < 5
