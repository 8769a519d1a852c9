"""A relay without a container: its true program as a local process, its true other end here."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import seatrial.harness
from seatrial.domain.errors import EngineUnavailable
from seatrial.harness import tunnel
from seatrial.slots.relay_link import RelayLink

PROGRAM = Path(seatrial.harness.__file__).parent / "door_relay.py"
_START_SECONDS = 30.0


class ProcessPipe:
    """Fulfils `Pipe` with the standard streams of a local process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Takes a process whose standard input and output are pipes."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    async def read(self) -> bytes:
        """See Pipe."""
        return await self._out.read(65536)

    async def write(self, data: bytes) -> None:
        """See Pipe."""
        if self._in.is_closing():
            raise EngineUnavailable("The pipe is closed.")
        try:
            self._in.write(data)
            await self._in.drain()
        except OSError as error:
            raise EngineUnavailable(f"The process ended: {error}") from error

    async def close(self) -> None:
        """See Pipe."""
        self._in.close()


@dataclass(frozen=True)
class LocalRelay:
    """A relay that runs: `gateway` and `channel` are its sockets, `process` its process."""

    folder: Path
    process: asyncio.subprocess.Process
    link: RelayLink

    @property
    def gateway(self) -> Path:
        """Where the container's side finds its door."""
        return self.folder / "gateway.sock"

    @property
    def channel(self) -> Path:
        """Where the container's side finds its channel."""
        return self.folder / "channel.sock"

    @property
    def claim(self) -> Path:
        """Where the container's side finds its claim token."""
        return self.folder / "claim"


@asynccontextmanager
async def local_relay(
    folder: Path,
    *,
    gateway: Path | None = None,
    channel: Path | None = None,
    claim: str = "",
    silence_seconds: float = 10.0,
) -> AsyncGenerator[LocalRelay]:
    """Make the sockets in the folder and carry their connections to those that are named."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(PROGRAM), str(folder), str(silence_seconds)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    link = RelayLink(ProcessPipe(process), _sockets(gateway, channel))
    try:
        await link.serve(claim, _START_SECONDS)
        yield LocalRelay(folder, process, link)
    finally:
        await link.close()
        # Not `wait`: it waits for the end of what nobody would read any more.
        await process.communicate()


def _sockets(gateway: Path | None, channel: Path | None) -> Mapping[bytes, Path]:
    named = {tunnel.GATEWAY: gateway, tunnel.CHANNEL: channel}
    return {name: path for name, path in named.items() if path is not None}
