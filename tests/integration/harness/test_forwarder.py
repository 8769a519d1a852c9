"""The way from an SDK's address to the gateway's socket."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from .conftest import Start
from .container import assignment

ECHO = """
import socket, threading, json
def talk(family, address, size, results):
    s = socket.socket(family)
    s.settimeout(15)
    s.connect(address)
    sender = threading.Thread(target=lambda: (s.sendall(b"x" * size), s.shutdown(socket.SHUT_WR)))
    sender.start()
    got = b""
    while data := s.recv(65536): got += data
    sender.join()
    results.append(got == b"x" * size + b"!")
def run(q):
    results = []
    def all_at_once(n, *arguments):
        threads = [threading.Thread(target=talk, args=(*arguments, results)) for _ in range(n)]
        for t in threads: t.start()
        for t in threads: t.join()
    all_at_once(64, socket.AF_INET, ("127.0.0.1", 8377), 100_000)
    all_at_once(1, socket.AF_INET, ("127.0.0.1", 11434), 5_000_000)
    all_at_once(1, socket.AF_INET6, ("::1", 11434), 10)
    return json.dumps(results)
"""


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write(b"!")
    writer.close()


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this kernel has no IPv6")
async def test_bytes_pass_both_ways_at_every_address_after_a_half_close(start: Start) -> None:
    container = await start(None)
    gateway = await asyncio.start_unix_server(_echo, container.door / "gateway.sock")
    (container.door / "gateway.sock").chmod(0o666)
    await container.worker.until(lambda: container.worker.frames)
    container.worker.say(assignment(ECHO))
    assert await container.ended() == 0
    results = json.loads(container.worker.result.response)
    assert results == [True] * 66
    gateway.close()


async def test_a_gateway_that_is_not_there_closes_the_connection(start: Start) -> None:
    code = """
import socket
def run(q):
    s = socket.create_connection(("127.0.0.1", 8377)); s.settimeout(10)
    try: return repr(s.recv(10))
    except ConnectionResetError: return "b''"
"""
    container = await start(assignment(code))
    assert await container.ended() == 0
    assert container.worker.result.response == "b''"
