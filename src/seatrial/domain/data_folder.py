"""Where this user's data folder is, and the socket of the process that owns it."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

SOCKET = "seatrial.sock"
"""Name of the Unix socket in the data folder."""


def default_data_dir() -> Path:
    """The data folder of a user who names none."""
    return Path(platformdirs.user_data_dir("seatrial", appauthor=False))


def own_socket() -> Path:
    """The socket in the data folder that SEATRIAL_DATA_DIR names, else in the default one."""
    named = os.environ.get("SEATRIAL_DATA_DIR")
    return (Path(named) if named else default_data_dir()) / SOCKET
