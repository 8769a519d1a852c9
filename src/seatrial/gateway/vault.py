"""Opens stored credentials: the only place of Seatrial that can."""

from __future__ import annotations

import asyncio
import logging

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import ValidationError

from seatrial.domain.credential_ports import Credentials, CredentialSealer
from seatrial.domain.credentials import (
    Credential,
    GatewayKey,
    SealedCredential,
    chosen,
)
from seatrial.domain.envelope import KEY_BYTES, NONCE, PURPOSE, Envelope, bound_to
from seatrial.domain.errors import Conflict, NotFound, SetupFailed

from .keyring import COMMAND_VARIABLE, VARIABLE, KeyRing, PrivateKey, fresh, printed, save

log = logging.getLogger(__name__)


class Vault:
    """Fulfils the ports `CredentialReader` and `KeyRotation` with this process's private keys."""

    def __init__(
        self, credentials: Credentials, keys: KeyRing, seal: CredentialSealer, *, alone: bool
    ) -> None:
        """No I/O before `prepare`. `seal` seals anew what a rotation has opened.

        `alone`: no other process opens credentials of this database.
        """
        self._credentials = credentials
        self._keys = keys
        self._seal = seal
        self._alone = alone
        self._turn = asyncio.Lock()

    async def prepare(self) -> None:
        """Give the public key to those who seal, and finish a change of keys that was begun.

        Where the database's current key is another worker's, and not held here, it stays.
        """
        async with self._turn:
            now = await self._credentials.gateway_key()
            if await self._may_replace(now):
                await self._credentials.set_gateway_key(
                    self._keys.current.shown, instead_of=now.id if now else None
                )
            now = await self._credentials.gateway_key()
            if now is not None and now.id == self._keys.current.id:
                await self._finish(now)
            elif now is not None:
                log.error(
                    "stored credentials are sealed to the key %s, which this worker does not have:"
                    " give all workers the same SEATRIAL_CREDENTIALS_KEY or its command",
                    now.id,
                )

    async def open(self, owner: str, provider: str, name: str | None) -> Credential | None:
        """See CredentialReader."""
        if name is not None:
            named = await self._credentials.sealed_credential(owner, name)
            if named.provider == provider:
                return await self._open_here(named)
        found = chosen(tuple(await self._credentials.credentials(owner)), provider)
        if found is None:
            return None
        return await self._open_here(await self._credentials.sealed_credential(owner, found.name))

    async def open_named(self, owner: str, provider: str, name: str) -> Credential:
        """See SecretReader."""
        sealed = await self._credentials.sealed_credential(owner, name)
        if sealed.provider != provider:
            raise NotFound(f"The credential {name!r} is for {sealed.provider}, not {provider}.")
        return await self._open_here(sealed)

    async def rotate(self) -> int:
        """See KeyRotation."""
        async with self._turn:
            return await (self._rotate_file() if self._keys.path else self._rotate_operators())

    async def _rotate_file(self) -> int:
        path = self._keys.path
        assert path is not None
        now = await self._credentials.gateway_key()
        if now is None or self._keys.find(now.id) is None:
            raise SetupFailed("Credentials are sealed to a key that is not this process's.")
        # Written before anything is sealed to it: a key is never only in memory.
        self._keys = save(path, (fresh(), *self._keys.keys))
        new = self._keys.current.shown
        if not await self._credentials.set_gateway_key(new, instead_of=now.id):
            raise Conflict("The key was changed by somebody else at this time.")
        return await self._finish(new)

    async def _rotate_operators(self) -> int:
        """Take the operator's new key, where a command can be asked for it."""
        command = self._keys.command
        if command is None:
            raise Conflict(
                f"The key is set by {VARIABLE}, so it is yours to change.",
                hint="Write the new key before the old one, with a comma, and restart: all is "
                "then sealed to the new one, and the old one can go.",
            )
        now = await self._credentials.gateway_key()
        found = await asyncio.to_thread(printed, command)
        if now is not None and found.current.id == now.id:
            raise Conflict(
                f"{COMMAND_VARIABLE} prints the same key as before.",
                hint="Let it print the new key before the old one, then rotate again.",
            )
        if now is not None and found.find(now.id) is None:
            raise Conflict(
                f"{COMMAND_VARIABLE} no longer prints the key that credentials are sealed to.",
                hint="Let it print the new key before the old one until the change is done.",
            )
        self._keys = found
        new = found.current.shown
        if not await self._credentials.set_gateway_key(new, instead_of=now.id if now else None):
            raise Conflict("The key was changed by somebody else at this time.")
        return await self._finish(new)

    async def _finish(self, key: GatewayKey) -> int:
        """Seal all to the new key; then a file forgets the old ones."""
        count = await self._reseal(key)
        path = self._keys.path
        if path and len(self._keys.keys) > 1 and not await self._sealed_elsewhere(key):
            self._keys = save(path, (self._keys.current,))
        return count

    async def _sealed_elsewhere(self, key: GatewayKey) -> bool:
        """Whether something is still sealed to an older key of this process."""
        others = await self._credentials.sealed_to_others(key.id)
        return any(self._keys.find(old.key_id) for old in others)

    async def _may_replace(self, now: GatewayKey | None) -> bool:
        """Whether our current key becomes everybody's. Another worker's own is left alone."""
        if now is None or now.id == self._keys.current.id:
            return now is None
        by_operator = self._keys.path is None
        if by_operator or self._alone or self._keys.find(now.id) is not None:
            return True
        return not await self._credentials.sealed_to_others("")

    async def _reseal(self, key: GatewayKey) -> int:
        """Seal to this key what is sealed to others and can be opened; how many."""
        count = 0
        for old in await self._credentials.sealed_to_others(key.id):
            if self._keys.find(old.key_id) is None:
                log.error("the credential %s of %s can't be opened here", old.name, old.owner)
                continue
            try:
                new = self._seal(old.owner, old.name, self._opened(old), key)
            except SetupFailed as error:
                log.error("the credential %s of %s: %s", old.name, old.owner, error.message)
                continue
            count += await self._credentials.replace_sealed(old, new.key_id, new.sealed)
        return count

    async def _open_here(self, sealed: SealedCredential) -> Credential:
        """It opened, also when another worker has sealed it to the operator's newer key."""
        command = self._keys.command
        if command is not None and self._keys.find(sealed.key_id) is None:
            newer = await asyncio.to_thread(printed, command)
            if newer.find(sealed.key_id) is not None:
                self._keys = newer
        return self._opened(sealed)

    def _opened(self, sealed: SealedCredential) -> Credential:
        key = self._keys.find(sealed.key_id)
        if key is None:
            raise SetupFailed(
                f"The credential {sealed.name!r} is sealed to a key that this worker has not.",
                hint="Give all workers the same SEATRIAL_CREDENTIALS_KEY, or store it again.",
            )
        return opened(sealed, key)


def opened(sealed: SealedCredential, key: PrivateKey) -> Credential:
    """The credential. SetupFailed when it was changed, or belongs to another row or key."""
    bound = bound_to(sealed.owner, sealed.name, sealed.provider, key.id)
    try:
        envelope = Envelope.parse(sealed.sealed)
        agreed = key.private.exchange(X25519PublicKey.from_public_bytes(envelope.ephemeral))
        salt = envelope.ephemeral + key.public
        derived = HKDF(hashes.SHA256(), KEY_BYTES, salt=salt, info=PURPOSE).derive(agreed)
        secret = ChaCha20Poly1305(derived).decrypt(NONCE, envelope.box, bound)
        return Credential.model_validate_json(secret)
    except (InvalidTag, ValueError, ValidationError):
        # Without its cause: what was opened must not stand in any trace.
        raise SetupFailed(
            f"The stored credential {sealed.name!r} is damaged.", hint="Store it again."
        ) from None
