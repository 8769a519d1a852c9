"""Access over the port: the local token, and the address that carries it."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from seatrial.domain.errors import SetupFailed
from seatrial.services.users import is_token, new_token
from seatrial.settings import Settings

from .owner import owner_pid

FILE = "local.token"
"""Name of the file with the local token, in the data folder."""
_ADDRESS_FILE = "listening.json"
_ANOTHER = "Remove it; the next start makes another: rm "

Access = Literal["token", "accounts", "open"]
"""What the port asks for: the local token, an API token of an account, or nothing."""


class Listening(BaseModel):
    """Where the process `pid` listens, and what its port asks for."""

    pid: int
    url: str
    access: Access


def access_of(settings: Settings) -> Access:
    """What the port asks for by these settings."""
    if settings.has_accounts:
        return "accounts"
    return "token" if settings.require_token is None else "open"


def local_token(data_dir: Path) -> str:
    """The token that stands for this machine's own user; made where there is none.

    The file is its owner's alone. Raises: SetupFailed.
    """
    path = data_dir / FILE
    if not path.exists():
        _create(path)
    return _read(path)


def publish(settings: Settings, url: str) -> Listening:
    """Record where this process listens, for `serve --show-url`."""
    where = Listening(pid=os.getpid(), url=url, access=access_of(settings))
    path = settings.data_dir / _ADDRESS_FILE
    path.unlink(missing_ok=True)
    _write(path, where.model_dump_json())
    return where


def withdraw(settings: Settings) -> None:
    """Remove the record again. Idempotent."""
    (settings.data_dir / _ADDRESS_FILE).unlink(missing_ok=True)


def listening(settings: Settings) -> Listening | None:
    """Where the process that owns the data folder listens; None without a port or a process."""
    try:
        found = Listening.model_validate_json((settings.data_dir / _ADDRESS_FILE).read_text())
    except (FileNotFoundError, ValidationError):
        return None
    # A killed process leaves its record behind.
    return found if found.pid == owner_pid(settings.data_dir) else None


def expected(settings: Settings) -> Listening:
    """Where `serve` would listen by these settings."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return Listening(pid=0, url=f"http://{host}:{settings.port}", access=access_of(settings))


def page_address(settings: Settings, where: Listening) -> str:
    """The address to open in a browser; it carries the token where the port asks for it."""
    if where.access != "token":
        return where.url
    return f"{where.url}/#token={local_token(settings.data_dir)}"


def shown_token(settings: Settings, where: Listening) -> str:
    """The local token. Raises: SetupFailed where users have accounts instead."""
    if where.access == "accounts":
        raise SetupFailed(
            "Users have accounts here, so there is no local token.",
            hint="Make an API token: seatrial users token NAME",
        )
    return local_token(settings.data_dir)


def _create(path: Path) -> None:
    """Make the file with its whole content at once; one that another process made first stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    _write(temporary, f"{new_token()}\n")
    try:
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise SetupFailed(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _read(path: Path) -> str:
    with path.open() as file:
        found = os.fstat(file.fileno())
        if stat.S_IMODE(found.st_mode) & 0o077 or found.st_uid != os.geteuid():
            raise SetupFailed(
                f"Others may read {path}, the token of the local port.", hint=_ANOTHER + str(path)
            )
        token = file.read(1000).strip()
    if not is_token(token):
        raise SetupFailed(f"{path} holds no token.", hint=_ANOTHER + str(path))
    return token
