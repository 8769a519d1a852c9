"""Where this user's data folder is, and the folder for sockets whose own path is too long."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import platformdirs

from .errors import SetupFailed

SOCKET = "seatrial.sock"
"""Name of the Unix socket in the data folder."""

LONGEST_SOCKET = 100
"""Bytes that a Unix socket's path may have on every system (sun_path holds 104 on some)."""

_SHORT_FOLDER = Path("/var/tmp")  # noqa: S108 - the folder in it is this user's alone, checked
"""Not XDG_RUNTIME_DIR: that ends with the login, and a service goes on."""


def default_data_dir() -> Path:
    """The data folder of a user who names none."""
    return Path(platformdirs.user_data_dir("seatrial", appauthor=False))


def own_socket() -> Path:
    """The socket of the data folder that SEATRIAL_DATA_DIR names, else of the default one.

    Raises: SetupFailed.
    """
    named = os.environ.get("SEATRIAL_DATA_DIR")
    return server_socket(Path(named) if named else default_data_dir())


def server_socket(data_dir: Path) -> Path:
    """The socket of the process that owns a data folder. Raises: SetupFailed."""
    return short_folder(data_dir, len(SOCKET)) / SOCKET


def short_folder(folder: Path, longest_name: int, most: int = LONGEST_SOCKET) -> Path:
    """The folder, or one of this user below /var/tmp where a name in it makes a path too long.

    Always the same one for a folder. `longest_name` and `most` count bytes. Nothing is made.
    Raises: SetupFailed where the short one belongs to another user.
    """
    whole = folder.absolute()
    if len(os.fsencode(whole)) + 1 + longest_name <= most:
        return folder
    name = hashlib.sha256(os.fsencode(whole)).hexdigest()[:12]
    short = _SHORT_FOLDER / f"seatrial-{os.geteuid()}-{name}"
    _check_owner(short)
    return short


def make_short_folder(folder: Path) -> None:
    """Make the folder for this user alone where it is a short one; others are the caller's.

    Idempotent. Raises: SetupFailed where it belongs to another user.
    """
    if folder.parent == _SHORT_FOLDER:
        folder.mkdir(mode=0o700, exist_ok=True)
        _check_owner(folder)
        folder.chmod(0o700)


def _check_owner(folder: Path) -> None:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise SetupFailed(
            f"{folder}, which is for sockets, belongs to another user.",
            hint="Remove it, or set SEATRIAL_DATA_DIR to a shorter path.",
        )
