"""One process owns a data folder: a file lock that dies with it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Generator
from pathlib import Path

from seatrial.domain.errors import SetupFailed

from .datadir import make_private, private_files

_STOP_SECONDS = 30.0


class FolderOwned(SetupFailed):
    """Another process owns the data folder."""


@contextlib.contextmanager
def owned(data_dir: Path) -> Generator[None]:
    """Own the data folder for the block, closed to other users of the machine.

    FolderOwned; SetupFailed when it can't be written or is shared by intent.
    """
    try:
        make_private(data_dir)
        descriptor = os.open(_lock_file(data_dir), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupFailed(
            f"The data folder {data_dir} can't be used: {error.strerror}",
            hint="Choose another with SEATRIAL_DATA_DIR.",
        ) from error
    try:
        _lock(descriptor, data_dir)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        with private_files():
            yield
    finally:
        os.close(descriptor)


def owner_pid(data_dir: Path) -> int | None:
    """The process that owns the folder now; None when nobody does."""
    try:
        descriptor = os.open(_lock_file(data_dir), os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, 32).decode()
        return int(text) if text.isdigit() else None
    finally:
        os.close(descriptor)
    return None


def wait_until_free(data_dir: Path, seconds: float = _STOP_SECONDS) -> bool:
    """Whether nobody owned the folder before the time was over."""
    deadline = time.monotonic() + seconds
    while owner_pid(data_dir) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def installation_id(data_dir: Path) -> str:
    """A name of this data folder that stays: containers carry it on a label."""
    file = data_dir / "installation"
    with contextlib.suppress(FileNotFoundError):
        return file.read_text().strip()
    name = secrets.token_hex(6)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as created:
            created.write(name)
        return name
    return file.read_text().strip()


def _lock_file(data_dir: Path) -> Path:
    return data_dir / "owner.lock"


def _lock(descriptor: int, data_dir: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(descriptor, 32).decode()
        raise FolderOwned(
            f"Seatrial runs already for {data_dir} (process {pid}).",
            hint="Use it as it is, or end it first: seatrial serve --stop",
        ) from None
