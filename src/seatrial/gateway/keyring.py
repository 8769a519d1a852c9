"""The gateway's private keys: the operator's own, else from a file of the data folder.

The operator gives them by a setting, or by a command that prints them: a KMS's or a secret
store's own client. Whatever it needs stands in its own configuration.

The first key is the current one; the others only open what was sealed to them before.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shlex
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from seatrial.domain.credentials import GatewayKey
from seatrial.domain.envelope import KEY_BYTES, decoded, key_id
from seatrial.domain.errors import SetupFailed

VARIABLE = "SEATRIAL_CREDENTIALS_KEY"
COMMAND_VARIABLE = "SEATRIAL_CREDENTIALS_KEY_COMMAND"
COMMAND_SECONDS = 30.0
"""How long the command may take."""

FILE = "credentials.key"
_PRIVATE = 0o600


@dataclass(frozen=True)
class PrivateKey:
    """One key pair."""

    private: X25519PrivateKey = field(repr=False)
    public: bytes

    @property
    def id(self) -> str:
        """The id of its public half."""
        return key_id(self.public)

    @property
    def shown(self) -> GatewayKey:
        """The public half."""
        return GatewayKey(self.id, self.public)

    @classmethod
    def of(cls, raw: bytes) -> PrivateKey:
        """From its 32 bytes. ValueError."""
        private = X25519PrivateKey.from_private_bytes(raw)
        public = private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        return cls(private, public)


@dataclass(frozen=True)
class KeyRing:
    """The keys, current one first.

    `path` is the file that they stand in, `command` what printed them; both are None when they
    are the operator's setting.
    """

    keys: tuple[PrivateKey, ...]
    path: Path | None
    command: str | None = None

    @property
    def current(self) -> PrivateKey:
        """The one to seal to."""
        return self.keys[0]

    def find(self, wanted: str) -> PrivateKey | None:
        """The key of that id, None when it is not held here."""
        return next((key for key in self.keys if key.id == wanted), None)


def load(setting: str | None, data_dir: Path, command: str | None = None) -> KeyRing:
    """The keys of this process; a file with a fresh one is made where there is none.

    SetupFailed for keys that are none, for a file that others may read, for a command that fails
    and for a setting beside a command.
    """
    if setting and setting.strip():
        if command:
            raise SetupFailed(f"Set {VARIABLE} or {COMMAND_VARIABLE}, not both.")
        return KeyRing(_parsed(_separate(setting), VARIABLE), None)
    if command:
        return printed(command)
    path = data_dir / FILE
    with contextlib.suppress(FileNotFoundError):
        return KeyRing(_parsed(_read(path).split(), str(path)), path)
    data_dir.mkdir(parents=True, exist_ok=True)
    return save(path, (fresh(),))


def printed(command: str) -> KeyRing:
    """The keys that the command prints now. It blocks. SetupFailed."""
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own setting, without a shell
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=COMMAND_SECONDS,
            check=True,
        )
        # Its standard error is this process's own: there it says what is wrong.
        texts = _separate(done.stdout.decode("ascii"))
    except subprocess.CalledProcessError as error:
        raise _command_failed(f"ended with {error.returncode}") from None
    except subprocess.TimeoutExpired:
        raise _command_failed(f"did not end within {COMMAND_SECONDS:g} s") from None
    except OSError as error:
        raise _command_failed(f"could not be started: {error.strerror}") from None
    except ValueError:
        # Without its cause: what was printed must not stand in any trace.
        raise _command_failed("is not a command, or printed something else than keys") from None
    return KeyRing(_parsed(texts, f"What {COMMAND_VARIABLE} prints"), None, command)


def fresh() -> PrivateKey:
    """A key pair that nobody has had before."""
    return PrivateKey.of(os.urandom(KEY_BYTES))


def save(path: Path, keys: Sequence[PrivateKey]) -> KeyRing:
    """Write these keys to the file, all or nothing, for its owner's eyes only."""
    text = "".join(f"{base64.b64encode(_raw(key)).decode()}\n" for key in keys)
    beside = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return KeyRing(tuple(keys), path)


def _command_failed(how: str) -> SetupFailed:
    return SetupFailed(
        f"The command that prints the key of all stored credentials {how}.",
        hint=f"Run what {COMMAND_VARIABLE} says as the worker's user: it prints base64.",
    )


def _separate(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _read(path: Path) -> str:
    with path.open() as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise SetupFailed(
                f"Others may read {path}, the key of all stored credentials.",
                hint=f"Run: chmod 600 {path}",
            )
        return file.read()


def _parsed(texts: Sequence[str], where: str) -> tuple[PrivateKey, ...]:
    try:
        keys = tuple(PrivateKey.of(decoded(text)) for text in texts)
    except ValueError:
        keys = ()
    if not keys:
        raise SetupFailed(
            f"{where} holds no key: it takes 32 bytes in base64, or several of them.",
            hint="Make one with: openssl rand -base64 32",
        )
    return keys


def _raw(key: PrivateKey) -> bytes:
    return key.private.private_bytes(
        serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
    )
