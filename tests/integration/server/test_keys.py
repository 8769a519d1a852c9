"""The private key of stored credentials: a command that prints it, and changes that are cut off."""

from __future__ import annotations

import base64
import os
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from seatrial.domain.credentials import Credential
from seatrial.domain.errors import Conflict, SetupFailed
from seatrial.gateway import keyring
from seatrial.gateway.vault import Vault
from seatrial.services.credentials import seal, set_credential
from seatrial.settings import Settings
from seatrial.store import SqlStore
from seatrial.wiring.vault import open_vault

CANARY = "sk-canary-keys-5b21"
SECRET = Credential(provider="openai", api_key=CANARY)
OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (7, 8))


class Helper:
    """A key helper as an operator would write one; what it prints stands in a file."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "kms.txt"
        self.asked = folder / "asked.txt"
        script = folder / "helper.py"
        script.write_text(
            "import os, pathlib, sys\n"
            "asked, file = map(pathlib.Path, sys.argv[1:])\n"
            "with asked.open('a') as log: log.write('SEATRIAL_CREDENTIALS_KEY' in os.environ"
            " and 'seen' or 'x')\n"
            "text = file.read_text()\n"
            "sys.exit(text) if text.startswith('!') else print(text)\n"
        )
        words = (sys.executable, str(script), str(self.asked), str(self.file))
        self.command = shlex.join(words)

    def prints(self, *keys: str) -> None:
        self.file.write_text("\n".join(keys))

    @property
    def times(self) -> int:
        return len(self.asked.read_text()) if self.asked.exists() else 0


@pytest.fixture
def helper(tmp_path: Path) -> Helper:
    return Helper(tmp_path)


async def key_of(vault: Vault) -> str | None:
    found = await vault.open("me", "openai", "work")
    return found.api_key if found else None


async def test_the_key_comes_from_a_command_and_never_touches_the_disk(
    store: SqlStore, folder: Path, helper: Helper
) -> None:
    helper.prints(OLD)
    settings = Settings(data_dir=folder, credentials_key_command=helper.command)
    vault = await open_vault(settings, store)
    await set_credential(store, "me", "work", SECRET)
    assert await key_of(vault) == CANARY
    assert await key_of(await open_vault(settings, store)) == CANARY
    assert helper.asked.read_text() == "xx"
    assert not (folder / keyring.FILE).exists()
    assert (
        keyring.load(OLD, folder).current.id == (await store.sealed_credential("me", "work")).key_id
    )


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("!the KMS says no", "ended with 1"),
        ("", "holds no key"),
        ("sk-canary-not-a-key", "holds no key"),
        ("caf\u00e9", "printed something else"),
    ],
)
async def test_a_command_that_prints_no_key_stops_the_start_without_repeating_it(
    folder: Path, helper: Helper, printed: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    helper.prints(printed)
    with pytest.raises(SetupFailed) as caught:
        keyring.load(None, folder, helper.command)
    assert said in caught.value.message
    assert "SEATRIAL_CREDENTIALS_KEY_COMMAND" in caught.value.message + str(caught.value.hint)
    assert "canary" not in str(caught.value) + str(caught.value.hint)
    if printed.startswith("!"):
        assert "the KMS says no" in capfd.readouterr().err


async def test_a_command_that_hangs_or_is_none_or_stands_beside_a_key_stops_the_start(
    folder: Path, helper: Helper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "COMMAND_SECONDS", 0.2)
    hanging = shlex.join([sys.executable, "-c", "import time; time.sleep(600)"])
    for command, said in (
        (hanging, "within 0.2 s"),
        ("/no/such/helper", "be started"),
        ("'", "is not"),
    ):
        with pytest.raises(SetupFailed, match=said):
            keyring.load(None, folder, command)
    with pytest.raises(SetupFailed, match="not both"):
        keyring.load(OLD, folder, helper.command)
    assert helper.times == 0


async def test_a_key_that_the_command_prints_anew_takes_over_without_a_restart(
    store: SqlStore, folder: Path, helper: Helper
) -> None:
    helper.prints(OLD)
    settings = Settings(data_dir=folder, credentials_key_command=helper.command)
    vault, other = await open_vault(settings, store), await open_vault(settings, store)
    await set_credential(store, "me", "work", SECRET)
    with pytest.raises(Conflict, match="the same key"):
        await vault.rotate()
    helper.prints(NEW)
    with pytest.raises(Conflict, match="no longer prints"):
        await vault.rotate()
    assert await key_of(vault) == CANARY
    helper.prints(NEW, OLD)
    assert await vault.rotate() == 1
    assert await key_of(vault) == CANARY
    assert (await store.gateway_key()) == keyring.load(NEW, folder).current.shown
    assert await key_of(other) == CANARY, "another worker asks for the newer key by itself"
    helper.prints(NEW)
    assert await key_of(await open_vault(settings, store)) == CANARY


class Crash(BaseException):
    """The process is gone."""


class Fragile:
    """The stored credentials as a process sees them that ends at its nth write, before or after."""

    def __init__(self, store: SqlStore, fatal: int, *, written: bool) -> None:
        self._store = store
        self._fatal = fatal
        self._written = written

    def __getattr__(self, name: str) -> Any:
        found: Callable[..., Awaitable[Any]] = getattr(self._store, name)
        return self._dying(found) if name in {"set_gateway_key", "replace_sealed"} else found

    def _dying(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def wrapped(*given: Any, **named: Any) -> Any:
            self._fatal -= 1
            if self._fatal or self._written:
                answer = await call(*given, **named)
                if self._fatal:
                    return answer
            raise Crash

        return wrapped


@pytest.mark.parametrize("fatal", [1, 2, 3, 4])
@pytest.mark.parametrize("written", [False, True])
async def test_a_change_of_the_key_that_is_cut_off_anywhere_is_finished_at_the_next_start(
    store: SqlStore, folder: Path, fatal: int, written: bool
) -> None:
    settings = Settings(data_dir=folder)
    await open_vault(settings, store)
    for name in ("a", "b", "work"):
        await set_credential(store, "me", name, SECRET)
    before = keyring.load(None, folder).current.id
    broken: Any = Fragile(store, fatal, written=written)
    with pytest.raises(Crash):
        await Vault(broken, keyring.load(None, folder), seal, alone=True).rotate()

    vault = await open_vault(settings, store)
    assert await key_of(vault) == CANARY
    ring = keyring.load(None, folder)
    assert [key.id for key in ring.keys] == [ring.current.id] != [before]
    assert not await store.sealed_to_others(ring.current.id)
    assert not list(folder.glob("*.new"))
    assert await vault.rotate() == 3
    assert await key_of(vault) == CANARY


async def test_one_damaged_credential_keeps_no_worker_from_starting_and_no_key_from_changing(
    store: SqlStore, folder: Path
) -> None:
    settings = Settings(data_dir=folder)
    vault = await open_vault(settings, store)
    for name in ("bad", "work"):
        await set_credential(store, "me", name, SECRET)
    bad = await store.sealed_credential("me", "bad")
    await store.replace_sealed(bad, bad.key_id, bad.sealed[:-6] + "AAAAAA")
    assert await vault.rotate() == 1
    assert await key_of(await open_vault(settings, store)) == CANARY


def test_no_test_left_the_key_in_the_environment() -> None:
    assert keyring.VARIABLE not in os.environ
