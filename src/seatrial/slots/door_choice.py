"""Which way a slot's sockets go into its container: as it is set, or as a probe finds out.

The probe is a container with a folder of this machine mounted, as a test's container has one.
In it are a file and a socket. Reading the file is the first control: the engine sees this
machine's folders. The second is a socket of the probe's own: connecting works at all. Only then
does the answer at the mounted socket decide.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from seatrial.domain.data_folder import make_short_folder
from seatrial.domain.errors import EngineRefused, PlatformError, SetupFailed
from seatrial.domain.ports import (
    ContainerExit,
    ContainerLimits,
    ContainerSpec,
    Engine,
    Mount,
    Tmpfs,
)

from .doorways import DoorKind
from .folders import slots_folder

log = logging.getLogger(__name__)

DoorSetting = Literal["auto", "socket", "relay"]

_LIMITS = ContainerLimits(memory_mb=64, cpus=1.0, processes=16)
_PROBE_SECONDS = 60.0
_SEEN = "/seatrial/door"
_HINT = (
    "Seatrial's folders must be visible to the engine under the same path: use an engine on this "
    "machine, or share the data folder with its virtual machine (SEATRIAL_DATA_DIR)."
)

PROBE = f"""
import json, socket
def answer(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    try:
        client.connect(path)
        return client.recv(100).decode()
    except OSError as error:
        return type(error).__name__
def content(path):
    try:
        return open(path).read()
    except OSError as error:
        return type(error).__name__
def own():
    listening, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    try:
        listening.bind("/tmp/own.sock")
        listening.listen()
        client.connect("/tmp/own.sock")
        return "ok"
    except OSError as error:
        return type(error).__name__
print(json.dumps({{
    "file": content("{_SEEN}/control"), "own": own(), "socket": answer("{_SEEN}/probe.sock")
}}))
"""


class _Seen(BaseModel):
    """What the probe found, from inside."""

    file: str
    own: str
    socket: str


@dataclass(frozen=True)
class FoundDoor:
    """The way that is taken, and why, in words for people."""

    kind: DoorKind
    why: str


class DoorChoice:
    """Decides once for one engine; `auto` by the probe, before its first slot is opened."""

    def __init__(
        self, engine: Engine, setting: DoorSetting, *, state: Path, installation: str
    ) -> None:
        """`state` is the worker's own folder, below which its slots' folders lie as well."""
        self._engine = engine
        self._setting: DoorSetting = setting
        self._state = state
        self._installation = installation
        self._found: FoundDoor | None = None
        self._turn = asyncio.Lock()

    async def found(self, image: str) -> FoundDoor:
        """The way; `image` is one with Python, for the probe.

        SetupFailed where the engine does not see this machine's folders; platform errors. What
        fails is tried again with the next call.
        """
        if self._setting != "auto":
            return FoundDoor(self._setting, "set by SEATRIAL_DOOR")
        async with self._turn:
            if self._found is None:
                self._found = await self._probe(image)
                log.info("the container's sockets: %s (%s)", self._found.kind, self._found.why)
        return self._found

    async def _probe(self, image: str) -> FoundDoor:
        token = secrets.token_hex(8)
        async with self._listening(token) as folder:
            ended = await self._run(image, folder)
        seen = _seen(ended)
        if seen.file != token:
            message = f"The container engine does not see this machine's folders ({seen.file})."
            raise SetupFailed(message, hint=_HINT)
        if seen.own != "ok":
            raise PlatformError(f"The probe cannot connect to any socket ({seen.own}).")
        if seen.socket == token:
            return FoundDoor("socket", "a socket of this machine answers through a mount")
        return FoundDoor(
            "relay", f"a socket of this machine does not answer through a mount ({seen.socket})"
        )

    @asynccontextmanager
    async def _listening(self, token: str) -> AsyncGenerator[Path]:
        """A folder with the control file, and the socket that answers with the token."""

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(token.encode())
            writer.close()

        folder = slots_folder(self._state) / f"probe-{token}"
        make_short_folder(folder.parent.parent)
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir()
        try:
            (folder / "control").write_text(token)
            server = await asyncio.start_unix_server(answer, folder / "probe.sock")
            (folder / "probe.sock").chmod(0o666)
            (folder / "control").chmod(0o644)
            folder.chmod(0o711)
            try:
                yield folder
            finally:
                server.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _run(self, image: str, folder: Path) -> ContainerExit:
        spec = ContainerSpec(
            name=f"seatrial-{folder.name}",
            image=image,
            argv=("python3", "-I", "-S", "-c", PROBE),
            limits=_LIMITS,
            labels={"seatrial": "probe", "seatrial.installation": self._installation},
            mounts=(Mount(str(folder), _SEEN),),
            tmpfs=(Tmpfs("/tmp", 1),),  # noqa: S108 - a path inside the container
        )
        try:
            container = await self._engine.launch(spec)
        except EngineRefused as error:
            message = f"The container engine does not mount this machine's folders: {error}"
            raise SetupFailed(message, hint=_HINT) from error
        try:
            return await asyncio.wait_for(self._engine.wait(container), _PROBE_SECONDS)
        except TimeoutError as error:
            raise PlatformError("The probe of the container's sockets did not end.") from error
        finally:
            await self._engine.remove(container)


def _seen(ended: ContainerExit) -> _Seen:
    lines = ended.evidence.splitlines()
    try:
        return _Seen.model_validate(json.loads(lines[-1] if lines else ""))
    except (ValueError, ValidationError) as error:
        raise PlatformError(f"The probe of the container's sockets failed: {ended}") from error
