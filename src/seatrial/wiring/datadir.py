"""The data folder: made for one user alone, and closed to the others when it was not."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Generator, Iterator
from pathlib import Path

from seatrial.domain.errors import SetupFailed

log = logging.getLogger(__name__)

_OTHERS = 0o077
_STATE_FILES = ("serve.log", "self-test.json", "installation", "owner.lock")
"""What earlier versions wrote with the modes of the process that made it."""


def make_private(data_dir: Path) -> None:
    """Make the folder, or close one that exists, so that no other local user passes through it.

    Containers need no way to what they mount: the engine resolves that. So 0700 on this one
    folder is the wall in front of every socket, token and log below it. SetupFailed for a folder
    that is shared by intent, such as /tmp; OSError when it cannot be made.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = data_dir.stat().st_mode
    if mode & stat.S_ISVTX and mode & stat.S_IWOTH:
        raise SetupFailed(
            f"The data folder {data_dir} is open to every user of this machine.",
            hint="Choose a folder for Seatrial alone with SEATRIAL_DATA_DIR.",
        )
    _close(data_dir)
    for path in _older(data_dir):
        _close(path)


@contextlib.contextmanager
def private_files() -> Generator[None]:
    """Give what this process makes during the block to its own user alone.

    What containers read gets its mode explicitly.
    """
    former = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(former)


def _older(data_dir: Path) -> Iterator[Path]:
    yield from (data_dir / name for name in _STATE_FILES)
    slots = data_dir / "slots"
    yield slots
    with contextlib.suppress(FileNotFoundError):
        yield from slots.iterdir()


def _close(path: Path) -> None:
    """Take every right of others away; a path that is gone, or a link, is left alone."""
    try:
        mode = path.lstat().st_mode
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    except FileNotFoundError:
        return
    except PermissionError:
        log.warning("%s is open to other users of this machine, and cannot be closed", path)
