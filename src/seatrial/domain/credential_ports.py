"""The contracts of stored credentials, between services, store and gateway."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from .credentials import Credential, CredentialInfo, GatewayKey, SealedCredential


class Credentials(Protocol):
    """Sealed credentials, by owner and name, and the keys that they are sealed to.

    Nothing here can open one. Another owner's credential does not exist.
    """

    async def put_credential(self, sealed: SealedCredential) -> CredentialInfo:
        """Write it; one of that name is replaced and keeps the time it was made.

        Conflict when it is not sealed to the current gateway key: read that again.
        """
        ...

    async def credentials(self, owner: str) -> Sequence[CredentialInfo]:
        """The owner's, by name."""
        ...

    async def credential(self, owner: str, name: str) -> CredentialInfo:
        """What may be known of it. NotFound."""
        ...

    async def sealed_credential(self, owner: str, name: str) -> SealedCredential:
        """It as it is stored. NotFound."""
        ...

    async def delete_credential(self, owner: str, name: str) -> None:
        """Remove it. NotFound."""
        ...

    async def sealed_to_others(self, key_id: str) -> Sequence[SealedCredential]:
        """Every owner's that are sealed to another key than this."""
        ...

    async def replace_sealed(self, old: SealedCredential, key_id: str, sealed: str) -> bool:
        """The same secret, sealed anew. False, and nothing is changed, when it is no longer old."""
        ...

    async def gateway_key(self) -> GatewayKey | None:
        """The key that credentials are sealed to now; None before a gateway gave one."""
        ...

    async def set_gateway_key(self, key: GatewayKey, *, instead_of: str | None) -> bool:
        """Seal to this one from now on. False when `instead_of` is not the current one's id."""
        ...


class CredentialReader(Protocol):
    """Opens stored credentials. Only the gateway's process has one."""

    async def open(self, owner: str, provider: str, name: str | None) -> Credential | None:
        """The owner's credential for the provider: the named one, else the one that is meant.

        A name that belongs to another provider counts as none. None when there is none for the
        provider. NotFound for a name that is not there; SetupFailed when this process has not
        the key for it.
        """
        ...


class SecretReader(CredentialReader, Protocol):
    """Opens what agents themselves are given, too."""

    async def open_named(self, owner: str, provider: str, name: str) -> Credential:
        """The owner's credential of that name and provider. NotFound; SetupFailed as above."""
        ...


CredentialSealer = Callable[[str, str, Credential, GatewayKey], SealedCredential]
"""(owner, name, credential, key): seals it to that key."""


class KeyRotation(Protocol):
    """Changes the key that credentials are sealed to."""

    async def rotate(self) -> int:
        """Make a new key, seal everything to it, forget the old one; how many were sealed.

        Conflict when the key is the operator's own setting. Whoever repeats it after a failure
        finishes what was begun.
        """
        ...
