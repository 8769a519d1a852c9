"""The list of files that the child left: regular ones only, bounded in number, size and time."""

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Optional

from .collect import as_user, open_regular
from .protocol import WrittenFrame

FOLDERS = ("/agent", "/home/agent")
MOST_LISTED = 200
MOST_SEEN = 10_000
HASHED_BYTES = 64 * 1024 * 1024
SECONDS = 1.0
_LONGEST_PATH = 300
_PIECE_BYTES = 1024 * 1024
_NOT_ITS_OWN = frozenset({"/home/agent/.aws/config"})
"""Written by the runner for profiles that the agent's code names."""


def written(
    files: Mapping[str, str], uid: int, folders: tuple[str, ...] = FOLDERS
) -> Optional[WrittenFrame]:
    """Files in `folders` that are not the given texts below the first one; None if there are none.

    To be used when the child and all its processes are dead. Links are not followed.
    """
    end = time.monotonic() + SECONDS
    known = {os.path.join(folders[0], name): text for name, text in files.items()}
    sizes: dict[str, int] = {}
    hashes: dict[str, str] = {}
    more, room = 0, HASHED_BYTES
    for path in _paths(folders, uid):
        if len(sizes) == MOST_LISTED or len(path) > _LONGEST_PATH or time.monotonic() > end:
            more += 1
            continue
        found = _measured(path, uid, known.get(path), min(room, HASHED_BYTES))
        if found is None:
            continue
        sizes[path], digest = found
        if digest:
            hashes[path] = digest
            room -= sizes[path]
    return WrittenFrame(sizes, hashes, more) if sizes or more else None


def _paths(folders: tuple[str, ...], uid: int) -> Iterator[str]:
    """Regular files in the order of their names, as far as they are looked at."""
    found: list[str] = []
    with as_user(uid):
        for root in folders:
            for folder, below, names in os.walk(root):
                below[:] = sorted(name for name in below if name != "__pycache__")
                paths = (os.path.join(folder, name) for name in sorted(names))
                found += [path for path in paths if _is_regular(path)]
                if len(found) >= MOST_SEEN:
                    return iter(found[:MOST_SEEN])
    return iter(path for path in found if path not in _NOT_ITS_OWN)


def _is_regular(path: str) -> bool:
    try:
        path.encode("utf-8")
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, UnicodeEncodeError):
        return False


def _measured(path: str, uid: int, text: Optional[str], room: int) -> Optional[tuple[int, str]]:
    """Size and hash; None for a file that is as it was sent, or that cannot be read."""
    try:
        file, size = open_regular(path, uid)
    except OSError:
        return None
    with file:
        digest = _digest(file) if size <= room else ""
    if text is not None and digest == hashlib.sha256(text.encode("utf-8")).hexdigest():
        return None
    return size, digest


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()
