"""Reads and joins locks: requirements with one exact version and its hashes per package. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})\b")

_MOST_CHARACTERS = 1_000_000
_MOST_VERSION = 100
_MOST_HASHES = 200


def count_packages(lock: str) -> int:
    """How many packages a lock names."""
    return sum(1 for line in lock.splitlines() if _PIN.match(line))


def count_requirements(requirements: str) -> int:
    """How many packages a text of requirements asks for, continuation lines aside."""
    lines = requirements.splitlines()
    joined = [True] + [not line.endswith("\\") for line in lines[:-1]]
    return sum(starts for line, starts in zip(lines, joined, strict=False) if line.strip())


def add_hashes(lock: str, known: Mapping[str, Sequence[str]]) -> str:
    """The lock, with further hashes by `name==version`.

    A lock made with a wheel from source knows only that wheel's hash, which nobody else has;
    with the source's own hash it can be installed elsewhere too.
    """
    lines: list[str] = []
    for line in lock.splitlines():
        match = _PIN.match(line)
        pin = f"{match.group(1).lower()}=={match.group(2)}" if match else ""
        extra = [f"--hash={found}" for found in known.get(pin, ()) if found not in lock]
        if extra:
            goes_on = " \\" if line.endswith("\\") else ""
            lines.append(" \\\n    ".join([line.removesuffix("\\").rstrip(), *extra]) + goes_on)
        else:
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def hashes_of(lock: str, packages: Collection[str]) -> dict[str, list[str]]:
    """The hashes of those packages by `name==version`.

    The lock may be foreign text: only well-formed hashes are taken from it. A false one makes
    an install elsewhere fail and does nothing here.
    """
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lock[:_MOST_CHARACTERS].splitlines():
        if match := _PIN.match(line):
            name = match.group(1).lower()
            pin = f"{name}=={match.group(2)[:_MOST_VERSION]}"
            current = found.setdefault(pin, []) if name in packages else []
        current += _HASH.findall(line)
    return {pin: hashes[:_MOST_HASHES] for pin, hashes in found.items()}
