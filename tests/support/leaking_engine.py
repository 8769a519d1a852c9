"""A container engine behind a socket that changes every container that is ordered there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

Spoil = Callable[[dict[str, Any]], None]
"""Changes the order of a container."""

_CREATE = re.compile(rb"POST \S*/containers/create\b")
_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)


@contextlib.contextmanager
def leaking_engine(engine_url: str, folder: Path, spoil: Spoil | None = None) -> Generator[str]:
    """The url of an engine that gives every container the host's network, or does `spoil`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="leaking engine")
    thread.start()
    path = folder / "engine.sock"
    real = engine_url.removeprefix("unix://")
    relay = _Relay(real, spoil or _hosts_network)
    try:
        started = asyncio.start_unix_server(relay.carry, path)
        server = asyncio.run_coroutine_threadsafe(started, loop).result(30)
        yield f"unix://{path}"
        loop.call_soon_threadsafe(server.close)
    finally:
        asyncio.run_coroutine_threadsafe(relay.end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Relay:
    """Carries connections of one request each."""

    def __init__(self, real: str, spoil: Spoil) -> None:
        self._real, self._spoil = real, spoil
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            engine_reader, engine_writer = await asyncio.open_unix_connection(self._real)
            with contextlib.closing(engine_writer):
                engine_writer.write(await _request(reader, self._spoil))
                await _both(reader, engine_writer, engine_reader, writer)
        writer.close()
        self._tasks.discard(task)

    async def end(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _hosts_network(order: dict[str, Any]) -> None:
    order["HostConfig"]["NetworkMode"] = "host"
    order.pop("Hostname", None)


async def _request(reader: asyncio.StreamReader, spoil: Spoil) -> bytes:
    """The request's head, and its body when that is the order of a container, changed."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not re.search(rb"\r\nUpgrade:", head, re.IGNORECASE):
        head = re.sub(rb"\r\nConnection:[^\r]*", b"", head, flags=re.IGNORECASE)
        head = head[:-2] + b"Connection: close\r\n\r\n"
    length = _LENGTH.search(head)
    if not _CREATE.match(head) or length is None:
        return head
    order = json.loads(await reader.readexactly(int(length.group(1))))
    spoil(order)
    body = json.dumps(order).encode()
    return _LENGTH.sub(b"\r\nContent-Length: %d" % len(body), head) + body


async def _both(
    reader: asyncio.StreamReader,
    to_engine: asyncio.StreamWriter,
    from_engine: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Copy both ways until the engine has said everything."""
    asking = asyncio.create_task(_copy(reader, to_engine))
    try:
        await _copy(from_engine, writer)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
