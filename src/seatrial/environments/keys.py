"""The names of what is kept: hashes of everything that its content follows from. Pure."""

from __future__ import annotations

import hashlib
import json


def plain(requirements: str) -> str:
    """The requirements without comments and empty lines: what is left says what is wanted."""
    lines = (line.rstrip() for line in requirements.removeprefix("\ufeff").splitlines())
    kept = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return "".join(f"{line}\n" for line in kept)


def inputs_key(
    requirements: str, *, python: str, architecture: str, index: str, uv: str, image: str
) -> str:
    """Names a resolution: the same inputs may be given the same lock."""
    return _digest("inputs", plain(requirements), python, architecture, index, uv, image)


def tree_key(lock: str, *, python: str, architecture: str, image: str) -> str:
    """Names a tree: content-addressed, so that whoever has the same lock has the same tree."""
    return _digest("tree", lock, python, architecture, image)


def owner_key(owner: str) -> str:
    """Names an owner's folder, whatever characters the owner's own name has."""
    return _digest("owner", owner)[:32]


def container_name(stage: str, key: str, installation: str) -> str:
    """The name of a stage's container: the same for the same work, so that leftovers are found.

    Short, since it is part of the path of a socket.
    """
    return f"seatrial-{stage}-{_digest('container', stage, key, installation)[:12]}"


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]
