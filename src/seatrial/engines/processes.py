"""Looks at processes and mounts of this machine, as /proc shows them."""

from __future__ import annotations

from pathlib import Path


def command_of(pid: int) -> str:
    """The command line of a process; empty when it has ended (a zombie has ended)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (OSError, UnicodeDecodeError):
        return ""


def processes_with(words: str) -> list[int]:
    """Processes whose command line holds the words."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if words in command_of(pid)]


def children_of(pid: int) -> list[int]:
    """Processes that it started and that still run."""
    try:
        lists = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for children in lists for child in children.split()]


def mounts_below(folder: Path) -> list[str]:
    """Mount points below the folder, deepest first."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return []
    targets = [line.split(" ")[1] for line in lines]
    return sorted((t for t in targets if t.startswith(f"{folder}/")), key=len, reverse=True)
