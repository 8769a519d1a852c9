"""What the container uses, from its own cgroup, version 1 or 2.

File names and meanings: the kernel's `admin-guide/cgroup-v1` and `admin-guide/cgroup-v2`.
Whatever cannot be read counts as 0 or as unknown: a measurement never ends a test.
"""

import os
from dataclasses import dataclass
from typing import Callable, Optional

_NO_LIMIT = 2**60  # version 1 writes "no limit" as a number of this order


@dataclass(frozen=True)
class Sample:
    """One reading. Bytes, seconds, counts since the cgroup began; None where unknown."""

    memory_bytes: int = 0
    memory_peak_bytes: Optional[int] = None
    memory_limit_bytes: Optional[int] = None
    cpu_seconds: float = 0.0
    processes: Optional[int] = None
    processes_peak: Optional[int] = None
    oom_kills: int = 0
    process_limit_hits: int = 0


def find_reader(proc: str = "/proc/self", prefix: str = "") -> Callable[[], Sample]:
    """The reader of this process's cgroup. `prefix` stands before every mount point, for tests."""
    folders = _folders(proc, prefix)
    unified = folders.get("")
    if unified and os.path.exists(os.path.join(unified, "memory.current")):
        return lambda: _read_v2(unified)
    if "memory" in folders or "pids" in folders:
        return lambda: _read_v1(folders)
    if unified:
        return lambda: _read_v2(unified)
    return Sample


def _read_v2(folder: str) -> Sample:
    return Sample(
        memory_bytes=_integer(folder, "memory.current") or 0,
        memory_peak_bytes=_integer(folder, "memory.peak"),
        memory_limit_bytes=_integer(folder, "memory.max"),
        cpu_seconds=_keyed(folder, "cpu.stat", "usage_usec") / 1e6,
        processes=_integer(folder, "pids.current"),
        processes_peak=_integer(folder, "pids.peak"),
        oom_kills=_keyed(folder, "memory.events", "oom_kill"),
        process_limit_hits=_keyed(folder, "pids.events", "max"),
    )


def _read_v1(folders: dict[str, str]) -> Sample:
    memory, pids = folders.get("memory", ""), folders.get("pids", "")
    limit = _integer(memory, "memory.limit_in_bytes")
    return Sample(
        memory_bytes=_integer(memory, "memory.usage_in_bytes") or 0,
        memory_peak_bytes=_integer(memory, "memory.max_usage_in_bytes"),
        memory_limit_bytes=limit if limit is not None and limit < _NO_LIMIT else None,
        cpu_seconds=(_integer(folders.get("cpuacct", ""), "cpuacct.usage") or 0) / 1e9,
        processes=_integer(pids, "pids.current"),
        oom_kills=_keyed(memory, "memory.oom_control", "oom_kill"),
        process_limit_hits=_keyed(pids, "pids.events", "max"),
    )


def _folders(proc: str, prefix: str) -> dict[str, str]:
    """Folder by controller; the unified hierarchy has the name ''."""
    paths: dict[str, str] = {}
    for line in _lines(os.path.join(proc, "cgroup")):
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path
    found: dict[str, str] = {}
    for line in _lines(os.path.join(proc, "mountinfo")):
        for controller, folder in _mounted(line, paths):
            found.setdefault(controller, prefix + folder)
    return found


def _mounted(line: str, paths: dict[str, str]) -> list[tuple[str, str]]:
    """The controllers that one line of mountinfo mounts, with the folder of our cgroup in it.

    Docker with version 1 mounts the container's own cgroup (`root`) where the path in
    `/proc/self/cgroup` is the one on the host: the root is cut off, or else the mount is it.
    """
    before, _, after = line.partition(" - ")
    fields, kind = before.split(" "), after.split(" ")
    if len(fields) < 6 or kind[0] not in ("cgroup", "cgroup2"):
        return []
    root, mount = fields[3], fields[4]
    names = [""] if kind[0] == "cgroup2" else kind[-1].split(",")
    return [(name, _inside(mount, root, paths[name])) for name in names if name in paths]


def _inside(mount: str, root: str, path: str) -> str:
    if root == "/":
        return os.path.join(mount, path.lstrip("/"))
    if path == root or path.startswith(root + "/"):
        return os.path.join(mount, path[len(root) :].lstrip("/"))
    return mount


def _integer(folder: str, name: str) -> Optional[int]:
    text = "".join(_lines(os.path.join(folder, name))) if folder else ""
    return int(text) if text.isdigit() else None


def _keyed(folder: str, name: str, key: str) -> int:
    for line in _lines(os.path.join(folder, name)) if folder else []:
        word, _, value = line.partition(" ")
        if word == key and value.isdigit():
            return int(value)
    return 0


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []
