"""The inside of the fake engine: a process that sees the mounts of its spec, then its command.

Run by `fake_engine` inside new mount, process and network namespaces, as root. Takes the spec as
JSON in its last argument. The host's folders are there read-only; what the spec mounts lies over
them. This is enough to run the product, and no wall at all.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import sys
from pathlib import Path
from typing import Any

_BIND, _REC, _PRIVATE, _REMOUNT, _READ_ONLY = 4096, 16384, 1 << 18, 32, 1
_NOSUID, _NODEV, _NOEXEC = 2, 4, 8
_SET_FLAGS, _UP = 0x8914, 0x1
_WRITABLE_ON_HOST = ("dev", "proc", "sys")
_libc = ctypes.CDLL(None, use_errno=True)


def main(spec: dict[str, Any], root: Path) -> None:
    """Build the view of the spec below `root`, enter it and become the command."""
    _mount("none", "/", None, _REC | _PRIVATE)
    _mount("tmpfs", str(root), "tmpfs", 0, "size=16m,mode=755")
    targets = [*(m["target"] for m in spec["mounts"]), *(t["target"] for t in spec["tmpfs"])]
    _bind_host(root, without={Path(target).parts[1] for target in targets})
    for tmpfs in sorted(spec["tmpfs"], key=lambda t: len(t["target"])):
        flags = _NOSUID | _NODEV | (0 if tmpfs["executable"] else _NOEXEC)
        options = f"size={tmpfs['size_mb']}m,mode={tmpfs['mode']:o}"
        _mount("tmpfs", _point(root, tmpfs["target"]), "tmpfs", flags, options)
    for mount in spec["mounts"]:
        _bind(mount["source"], _point(root, mount["target"]), read_only=mount["read_only"])
    os.chroot(root)
    _mount("proc", "/proc", "proc", 0)
    os.chdir(spec["working_directory"])
    _raise_loopback()
    os.execvpe(spec["argv"][0], spec["argv"], spec["environment"])  # noqa: S606 that is its job


def _bind_host(root: Path, *, without: set[str]) -> None:
    for entry in Path("/").iterdir():
        target = root / entry.name
        if entry.is_symlink():
            target.symlink_to(entry.readlink())
        elif entry.is_dir() and entry.name not in without:
            target.mkdir()
            _bind(str(entry), str(target), read_only=entry.name not in _WRITABLE_ON_HOST)


def _bind(source: str, target: str, *, read_only: bool) -> None:
    _mount(source, target, None, _BIND | _REC)
    if read_only:
        _mount("none", target, None, _BIND | _REMOUNT | _READ_ONLY)


def _point(root: Path, target: str) -> str:
    path = root / target.lstrip("/")
    path.mkdir(parents=True, exist_ok=True)
    return str(path)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    encoded = kind.encode() if kind else None
    if _libc.mount(source.encode(), target.encode(), encoded, flags, options.encode()) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mount {target}: {os.strerror(code)}")


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh", b"lo", _UP))


if __name__ == "__main__":
    main(json.loads(sys.argv[2]), Path(sys.argv[1]))
