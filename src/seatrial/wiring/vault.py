"""Puts the vault of stored credentials together."""

from __future__ import annotations

import asyncio
import os

from seatrial.domain.ports import Store
from seatrial.gateway import keyring
from seatrial.gateway.vault import Vault
from seatrial.services.credentials import seal
from seatrial.settings import Settings


async def open_vault(settings: Settings, store: Store) -> Vault:
    """The vault, whose public key is now the one that is sealed to. SetupFailed."""
    # No process that is started from here shall have it.
    os.environ.pop(keyring.VARIABLE, None)
    keys = await asyncio.to_thread(
        keyring.load,
        settings.credentials_key,
        settings.data_dir,
        settings.credentials_key_command,
    )
    vault = Vault(store, keys, seal, alone=settings.database_url is None)
    await vault.prepare()
    return vault
