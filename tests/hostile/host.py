"""What a server's tests have left on this machine: looked for at the kernel and at the engine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import httpx

from seatrial.wiring.owner import installation_id


class Host:
    """This machine, as far as it has to do with the server of one data folder."""

    def __init__(self, data_dir: Path, engine_url: str) -> None:
        self._data = data_dir
        self._label = f"seatrial.installation={installation_id(data_dir)}"
        transport = httpx.HTTPTransport(uds=engine_url.removeprefix("unix://"))
        self._engine = httpx.Client(transport=transport, base_url="http://engine", timeout=60)

    def close(self) -> None:
        self._engine.close()

    def containers(self, test_id: str | None = None) -> list[dict[str, Any]]:
        """Containers of this installation, of one test or of all; ended ones too."""
        labels = [f"seatrial={test_id}"] if test_id else []
        filters = json.dumps({"label": [self._label, *labels]})
        answer = self._engine.get("/containers/json", params={"all": "true", "filters": filters})
        return answer.json()

    def process_1(self, container: str) -> int:
        """The number that a container's process 1 has on the host."""
        return int(self._engine.get(f"/containers/{container}/json").json()["State"]["Pid"])

    def folders(self, test_id: str = "") -> list[str]:
        """Folders of slots."""
        slots = self._data / "slots"
        return [path.name for path in slots.iterdir() if test_id in path.name]

    def sockets(self, test_id: str = "") -> list[str]:
        """Sockets of slots that somebody still listens on."""
        found = [line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines()]
        slots = str(self._data / "slots")
        return [path for path in found if path.startswith(slots) and test_id in path]

    def processes(self, test_id: str = "") -> list[str]:
        """Processes that see the folder of a slot among their mounts."""
        wanted = f"{self._data}/slots/seatrial-{test_id}".encode()
        return [
            f"{pid}: {_read(f'/proc/{pid}/cmdline')!r}"
            for pid in os.listdir("/proc")
            if pid.isdigit() and wanted in _read(f"/proc/{pid}/mountinfo")
        ]

    def networks_and_volumes(self) -> list[str]:
        """Networks and volumes that carry this installation's label."""
        params = {"filters": json.dumps({"label": [self._label]})}
        networks: Sequence[dict[str, Any]] = self._engine.get("/networks", params=params).json()
        answer = self._engine.get("/volumes", params=params).json()
        volumes: Sequence[dict[str, Any]] = answer["Volumes"] or ()
        return [str(one["Name"]) for one in (*networks, *volumes)]

    def left_of(self, test_id: str = "") -> list[str]:
        """Whatever is left of one test, or of all."""
        containers = [str(one["Names"]) for one in self.containers(test_id or None)]
        rest = (self.folders(test_id), self.sockets(test_id), self.processes(test_id))
        return [*containers, *(name for names in rest for name in names)]

    def disk_bytes(self) -> int:
        """What the data folder takes, without base images, which are kept on purpose."""
        return sum(
            path.lstat().st_blocks * 512
            for path in _files(self._data)
            if self._data / "images" not in path.parents
        )


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had at one time."""
    return _status(pid, "VmHWM")


def resident_bytes(pid: int) -> int:
    """The memory that a process has now."""
    return _status(pid, "VmRSS")


def open_files(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def _status(pid: int, field: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in text.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def _files(folder: Path) -> Iterable[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root) / name for name in names if (Path(root) / name).exists())
