"""Sending files that the child left: regular files only, in pieces, with a cap."""

import base64
import glob
import itertools
import os
import stat
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Union

from .protocol import FileFrame, NoticeFrame

TOTAL_BYTES = 200 * 1024 * 1024
PIECE_BYTES = 512 * 1024
MOST_FILES = 10_000


def collect(patterns: Iterable[str], uid: int) -> Iterator[Union[FileFrame, NoticeFrame]]:
    """The frames of every file that matches an absolute pattern, in the order of their names.

    Files are opened as `uid`, so a name that leads elsewhere leads to nothing the child could not
    read itself. What is no regular file, is behind a link, or goes over the cap is left out with
    a notice. To be used when the child and all its processes are dead.
    """
    left = TOTAL_BYTES
    for path in _found(patterns, uid):
        try:
            file, size = open_regular(path, uid)
        except OSError as error:
            yield NoticeFrame("file_skipped", f"{_shown(path)}: {error.strerror or error}")
            continue
        with file:
            if size > left:
                yield NoticeFrame("file_skipped", f"{_shown(path)}: over the limit of all files")
                continue
            left -= size
            yield from _pieces(path, file, size)


def _found(patterns: Iterable[str], uid: int) -> list[str]:
    with as_user(uid):
        found = [
            path
            for pattern in patterns
            if os.path.isabs(pattern)
            for path in itertools.islice(glob.iglob(pattern, recursive=True), MOST_FILES)
            if not os.path.isdir(path)
        ]
    return sorted(set(found))[:MOST_FILES]


def open_regular(path: str, uid: int) -> tuple[BinaryIO, int]:
    """A file that the user `uid` may read, and its size. OSError for all but regular files."""
    with as_user(uid):
        if os.path.realpath(os.path.dirname(path)) != os.path.dirname(path):
            raise OSError(None, "behind a link")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise OSError(None, "not a regular file")
    return os.fdopen(descriptor, "rb"), status.st_size


def _pieces(path: str, file: BinaryIO, size: int) -> Iterator[FileFrame]:
    offset = 0
    while True:
        data = file.read(min(PIECE_BYTES, size - offset))
        last = not data or offset + len(data) >= size
        text = base64.b64encode(data).decode("ascii")
        yield FileFrame(_shown(path), offset, text, last)
        if last:
            return
        offset += len(data)


@contextmanager
def as_user(uid: int) -> Generator[None]:
    """Be the child's user for a moment, where this process is root and the child was not."""
    if os.geteuid() != 0 or uid == 0:
        yield
        return
    os.seteuid(uid)
    try:
        yield
    finally:
        with suppress(OSError):
            os.seteuid(0)


def _shown(path: str) -> str:
    return path.encode("utf-8", "replace").decode("utf-8")[:1000]
