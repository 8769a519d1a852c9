"""Reads and joins locks: requirements with one exact version and its hashes per package. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})\b")


def count_packages(lock: str) -> int:
    """How many packages a lock names."""
    return sum(1 for line in lock.splitlines() if _PIN.match(line))


def count_requirements(requirements: str) -> int:
    """How many packages a text of requirements asks for, continuation lines aside."""
    lines = requirements.splitlines()
    joined = [True] + [not line.endswith("\\") for line in lines[:-1]]
    return sum(starts for line, starts in zip(lines, joined, strict=False) if line.strip())


def add_source_hashes(lock: str, claimed: str, packages: Collection[str]) -> str:
    """The lock, with the hashes that `claimed` has for the same versions of those packages.

    A lock made with a wheel from source knows only that wheel's hash, which nobody else has;
    with the source's own hash it can be installed elsewhere too. `claimed` is foreign text: only
    well-formed hashes are taken from it, and a false one makes an install elsewhere fail.
    """
    known = _hashes(claimed)
    lines: list[str] = []
    for line in lock.splitlines():
        match = _PIN.match(line)
        if match and match.group(1).lower() in packages:
            extra = [
                h for h in known.get((match.group(1).lower(), match.group(2)), ()) if h not in lock
            ]
            rest = line.removesuffix("\\").rstrip()
            lines.append(" \\\n    ".join([rest, *[f"--hash={h}" for h in extra]]) + " \\")
        else:
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def _hashes(lock: str) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    current: list[str] = []
    for line in lock[:1_000_000].splitlines():
        if match := _PIN.match(line):
            current = found.setdefault((match.group(1).lower(), match.group(2)), [])
        current += _HASH.findall(line)
    return found
