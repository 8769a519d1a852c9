"""Files that commands write: where the user says, else under a name that only we could have made.

The server is somebody else's program. What it calls a file is a claim: no part of it becomes a
path before it has exactly the form of our own names.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from seatrial.domain.errors import SetupFailed

_PACKAGE = re.compile(r"seatrial-[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.zip", re.ASCII)


def package_path(claimed: str) -> Path:
    """Where a package goes when the user names no file: this folder. SetupFailed."""
    if not _PACKAGE.fullmatch(claimed):
        raise SetupFailed(
            "The server's name for the package is not one that Seatrial gives.",
            hint="Name the file yourself with -o FILE, if you trust that server.",
        )
    return Path(claimed)


def write_package(path: Path, content: bytes, *, follow: bool) -> None:
    """Write the file; through a link only with `follow`. SetupFailed when it cannot be written."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | (0 if follow else os.O_NOFOLLOW)
    try:
        with os.fdopen(os.open(path, flags, 0o666), "wb") as file:
            file.write(content)
    except OSError as error:
        raise SetupFailed(f"{path} cannot be written: {error.strerror}") from error
