"""A container made of kernel namespaces alone, and the worker's end of its channel.

The root is a read-only tmpfs with the interpreter bound into it; process 1 has the three
capabilities and no-new-privileges that the engines give it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import seatrial.harness
from seatrial.harness.protocol import (
    Ack,
    Assign,
    Cancel,
    Entry,
    ErrorFrame,
    Exit,
    FileFrame,
    Frame,
    FromHarness,
    FromWorker,
    Heartbeat,
    Hello,
    Log,
    NoticeFrame,
    ProtocolError,
    Refused,
    Response,
    ResultFrame,
    ResultPart,
    Welcome,
    encode,
    harness_decoder,
    join_result,
)

AGENT_UID = 10001
HARNESS = Path(seatrial.harness.__file__).parent
F = TypeVar("F", bound=Frame)

_ROOT = """
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 root "$R"
for folder in usr bin sbin lib lib64 etc; do
  if [ -L "/$folder" ]; then cp -P "/$folder" "$R/$folder"
  elif [ -d "/$folder" ]; then mkdir -p "$R/$folder"; mount --rbind -o ro "/$folder" "$R/$folder"
  fi
done
case "$PREFIX" in /usr) ;; *) mkdir -p "$R$PREFIX"
  mount --bind "$PREFIX" "$R$PREFIX"
  mount -o remount,bind,ro "$R$PREFIX";; esac
mkdir -p "$R/proc" "$R/sys" "$R/dev" "$R/tmp" "$R/agent" "$R/home/agent" \
  "$R/seatrial/lib/harness" "$R/seatrial/door"
mount -t proc proc "$R/proc"
mount --rbind -o ro /sys "$R/sys"
mount -t tmpfs -o mode=755,nosuid devices "$R/dev"
for device in null zero full random urandom tty; do
  touch "$R/dev/$device"; mount --bind "/dev/$device" "$R/dev/$device"
done
mkdir "$R/dev/shm"
mount -t tmpfs -o mode=1777,size=4m shm "$R/dev/shm"
mount -t tmpfs -o "mode=1777,size=$DISK" tmp "$R/tmp"
mount -t tmpfs -o "mode=1777,size=$DISK" home "$R/home/agent"
mount -t tmpfs -o "mode=1777,size=$DISK" agent "$R/agent"
mount --bind "$HARNESS" "$R/seatrial/lib/harness"
mount -o remount,bind,ro "$R/seatrial/lib/harness"
mount --bind "$DOOR" "$R/seatrial/door"
mount -o remount,bind,ro "$R/seatrial/door"
mount -o remount,ro "$R"
ip link set lo up
exec setpriv --bounding-set -all,+setuid,+setgid,+kill,+sys_chroot --inh-caps -all \
  chroot "$R" /usr/bin/env -i setpriv --bounding-set -sys_chroot --no-new-privs \
  "$PYTHON" -I -S /seatrial/lib/harness/boot.py
"""


@dataclass
class Script:
    """How the test worker behaves."""

    claim: str = "claim"
    acknowledge: bool = True
    cut_after: frozenset[int] = frozenset()
    """Numbers of frames after which the connection is closed without an acknowledgement."""


@dataclass
class Worker:
    """A worker of one container: takes the claim, gives one assignment, keeps every frame."""

    script: Script
    assign: Assign | None
    frames: list[FromHarness] = field(default_factory=list[FromHarness])
    numbers: list[int] = field(default_factory=list[int])
    hellos: list[Hello] = field(default_factory=list[Hello])
    refused: list[Hello] = field(default_factory=list[Hello])
    broken: list[str] = field(default_factory=list[str])
    session: str | None = None
    committed: int = 0
    silent: bool = False
    _cuts: set[int] = field(default_factory=set[int])
    _writer: asyncio.StreamWriter | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve(self, path: Path) -> asyncio.Server:
        return await asyncio.start_unix_server(self._connected, path)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beat = asyncio.create_task(self._beat(writer))
        try:
            decoder = harness_decoder()
            while data := await reader.read(65536):
                for n, frame in decoder.feed(data):
                    if not await self._take(n, frame, writer):
                        return
        except ProtocolError as error:
            self.broken.append(str(error))
        except ConnectionError:
            pass
        finally:
            beat.cancel()
            writer.close()

    async def _beat(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(0.5)
            self._say(writer, Heartbeat())

    def _say(self, writer: asyncio.StreamWriter, frame: FromWorker) -> None:
        if not self.silent and not writer.is_closing():
            writer.write(encode(frame))

    async def _take(self, n: int | None, frame: FromHarness, writer: asyncio.StreamWriter) -> bool:
        if isinstance(frame, Hello):
            return self._greet(frame, writer)
        if n is None:
            return True
        if n == self.committed + 1:
            self.committed = n
            self.numbers.append(n)
            self.frames.append(frame)
        elif n > self.committed:
            self.broken.append(f"frame {n} came after {self.committed}")
        if n in self.script.cut_after and n not in self._cuts:
            self._cuts.add(n)
            self.committed -= 1
            self.numbers.pop()
            self.frames.pop()
            return False
        if self.script.acknowledge:
            self._say(writer, Ack(self.committed))
        async with self._changed:
            self._changed.notify_all()
        return True

    def _greet(self, hello: Hello, writer: asyncio.StreamWriter) -> bool:
        first = self.session is None and hello.claim == self.script.claim
        if not first and (self.session is None or hello.session != self.session):
            self.refused.append(hello)
            self._say(writer, Refused("the claim is taken"))
            return False
        self.hellos.append(hello)
        self.session = self.session or secrets.token_hex(8)
        self._writer = writer
        self._say(writer, Welcome(self.session, self.committed))
        if self.assign is not None and not hello.assigned:
            self._say(writer, self.assign)
        return True

    def say(self, frame: FromWorker) -> None:
        assert self._writer is not None
        self._say(self._writer, frame)

    def hang_up(self) -> None:
        """Close the present connection."""
        assert self._writer is not None
        self._writer.close()

    async def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        """Wait until a frame makes the condition true."""
        async with self._changed, asyncio.timeout(seconds):
            await self._changed.wait_for(lambda: bool(condition()))

    async def cancel(self, grace_seconds: float) -> None:
        self.say(Cancel(grace_seconds))

    def all(self, kind: type[F]) -> list[F]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    def one(self, kind: type[F]) -> F:
        found = self.all(kind)
        assert len(found) == 1, (kind, self.frames[-10:])
        return found[0]

    def log(self, stream: str | None = None) -> str:
        return "".join(f.text for f in self.all(Log) if stream in (None, f.stream))

    def notices(self) -> list[str]:
        return [notice.code for notice in self.all(NoticeFrame)]

    def streamed(self) -> str:
        return "".join(piece.text for piece in self.all(Response))

    @property
    def result(self) -> ResultFrame:
        return join_result(self.all(ResultPart), self.one(ResultFrame))

    @property
    def exit(self) -> Exit:
        return self.one(Exit)

    @property
    def exit_or_none(self) -> Exit | None:
        return next(iter(self.all(Exit)), None)

    @property
    def error(self) -> ErrorFrame:
        return self.one(ErrorFrame)

    @property
    def entry(self) -> Entry:
        return self.one(Entry)

    def files(self) -> list[FileFrame]:
        return self.all(FileFrame)


@dataclass
class Container:
    """A running one. `pid` is process 1 as this namespace sees it."""

    worker: Worker
    process: asyncio.subprocess.Process
    server: asyncio.Server
    door: Path
    stderr: asyncio.Task[bytes]

    async def ended(self, seconds: float = 30) -> int:
        """Wait for its end; the exit code of process 1."""
        async with asyncio.timeout(seconds):
            await self.process.wait()
        errors = (await self.stderr).decode()
        assert not errors, errors
        return self.process.returncode or 0

    def supervisor(self) -> int:
        """The process id of process 1, seen from here: the child of `unshare`."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return int(Path(path).read_text().split()[0])

    async def close(self) -> None:
        if self.process.returncode is None:
            for pid in [self.process.pid]:
                os.kill(pid, signal.SIGKILL)
            await self.process.wait()
        self.server.close()
        self.stderr.cancel()


def assignment(code: str = "", **changes: Any) -> Assign:
    """An assignment of an agent with this code."""
    base = Assign(
        mode="agent",
        argv=[],
        files={"agent.py": code},
        entry_point=None,
        query="hello",
        env={},
        uid=AGENT_UID,
        python=interpreter(),
        deadline_seconds=20.0,
        log_bytes=4 * 1024 * 1024,
        response_bytes=1024 * 1024,
    )
    return replace(base, **changes)


def interpreter(prefix: str | None = None) -> str:
    """The interpreter inside the container, which is the one out here by default."""
    name = "python3" if prefix else f"python3.{sys.version_info[1]}"
    return f"{prefix or sys.base_prefix}/bin/{name}"


async def start(
    folder: Path,
    assign: Assign | None,
    script: Script | None = None,
    *,
    disk: str = "16m",
    prefix: str | None = None,
    claim: str = "claim",
) -> Container:
    """Start a container and its worker."""
    door, root = folder / "door", folder / "root"
    door.mkdir()
    root.mkdir()
    door.chmod(0o755)
    (door / "claim").write_text(claim)
    worker = Worker(script or Script(), assign)
    server = await worker.serve(door / "channel.sock")
    environment = {
        "PATH": os.environ["PATH"],
        "R": str(root),
        "PREFIX": prefix or sys.base_prefix,
        "PYTHON": interpreter(prefix),
        "HARNESS": str(HARNESS),
        "DOOR": str(door),
        "DISK": disk,
    }
    unshare = shutil.which("unshare")
    assert unshare
    process = await asyncio.create_subprocess_exec(
        unshare,
        *("--fork", "--kill-child", "--pid", "--mount", "--net", "--ipc", "sh", "-c", _ROOT),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    return Container(worker, process, server, door, asyncio.create_task(process.stderr.read()))
