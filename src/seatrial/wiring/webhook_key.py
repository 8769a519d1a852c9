"""The key that users' webhook secrets follow from: the operator's setting, else a file."""

from __future__ import annotations

import base64
import contextlib
import os
import stat
from pathlib import Path

from seatrial.domain.envelope import decoded
from seatrial.domain.errors import SetupFailed
from seatrial.domain.webhooks import KEY_BYTES
from seatrial.settings import Settings

VARIABLE = "SEATRIAL_WEBHOOK_KEY"
_FILE = "webhook.key"


def load_webhook_key(settings: Settings) -> bytes:
    """The key; a file with a fresh one is made where there is none. SetupFailed."""
    # No process that is started from here shall have it.
    os.environ.pop(VARIABLE, None)
    if settings.webhook_key:
        return _parsed(settings.webhook_key, VARIABLE)
    path = settings.data_dir / _FILE
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{base64.b64encode(os.urandom(KEY_BYTES)).decode()}\n")
    return _parsed(_read(path), str(path))


def _read(path: Path) -> str:
    with path.open() as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise SetupFailed(
                f"Others may read {path}, which webhooks are signed with.",
                hint=f"Run: chmod 600 {path}",
            )
        return file.read()


def _parsed(text: str, where: str) -> bytes:
    try:
        key = decoded(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise SetupFailed(
            f"{where} holds no key: it takes {KEY_BYTES} bytes in base64.",
            hint="Make one with: openssl rand -base64 32",
        )
    return key
