"""Sealed credentials and the keys that they are sealed to. Nothing here can open one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from seatrial.domain.credentials import CredentialInfo, GatewayKey, SealedCredential
from seatrial.domain.envelope import decoded, encoded
from seatrial.domain.errors import Conflict, NotFound

from .convert import clean
from .database import Lock, Reading
from .part import Part, repeated
from .tables import credentials, gateway_keys

_CURRENT = select(gateway_keys).order_by(gateway_keys.c.current_since.desc()).limit(1)


class SqlCredentials(Part):
    """Fulfils the port `Credentials`."""

    @repeated
    async def put_credential(self, sealed: SealedCredential) -> CredentialInfo:
        """Write it; one of that name is replaced and keeps the time it was made. Conflict."""
        async with self._database.writing(lock=Lock.CREDENTIALS) as writing:
            current = await writing.row(_CURRENT)
            if current is None or current.id != sealed.key_id:
                raise Conflict("The credential is not sealed to the current key.")
            old = await writing.row(_one(sealed.owner, sealed.name))
            if old is not None:
                await writing.execute(
                    delete(credentials).where(*_is(sealed.owner, sealed.name)), {}
                )
            values = {
                "owner": sealed.owner,
                "name": sealed.name,
                "provider": sealed.provider,
                "base_url": sealed.base_url,
                "region": sealed.region,
                "key_id": sealed.key_id,
                "sealed": sealed.sealed,
                "created_at": writing.now if old is None else old.created_at,
                "updated_at": writing.now,
            }
            await writing.execute(insert(credentials), values)
            return _info(await _found(writing, sealed.owner, sealed.name))

    async def credentials(self, owner: str) -> Sequence[CredentialInfo]:
        """The owner's, by name."""
        wanted = select(credentials).where(credentials.c.owner == clean(owner))
        async with self._database.reading() as reading:
            rows = await reading.rows(wanted)
        # Sorted here: databases differ in the order of letters.
        return tuple(sorted((_info(row) for row in rows), key=lambda info: info.name))

    async def credential(self, owner: str, name: str) -> CredentialInfo:
        """What may be known of it. NotFound."""
        async with self._database.reading() as reading:
            return _info(await _found(reading, owner, name))

    async def sealed_credential(self, owner: str, name: str) -> SealedCredential:
        """It as it is stored. NotFound."""
        async with self._database.reading() as reading:
            return _sealed(await _found(reading, owner, name))

    @repeated
    async def delete_credential(self, owner: str, name: str) -> None:
        """Remove it. NotFound."""
        async with self._database.writing() as writing:
            if (await writing.execute(_gone(owner, name), {})).rowcount == 0:
                raise _no_such(name)

    async def sealed_to_others(self, key_id: str) -> Sequence[SealedCredential]:
        """Every owner's that are sealed to another key than this."""
        wanted = select(credentials).where(credentials.c.key_id != key_id)
        async with self._database.reading() as reading:
            return tuple(_sealed(row) for row in await reading.rows(wanted))

    @repeated
    async def replace_sealed(self, old: SealedCredential, key_id: str, sealed: str) -> bool:
        """The same secret, sealed anew. False when it is no longer `old`."""
        still = (*_is(old.owner, old.name), credentials.c.sealed == old.sealed)
        changed = update(credentials).where(*still).values(key_id=key_id, sealed=sealed)
        async with self._database.writing(lock=Lock.CREDENTIALS) as writing:
            return (await writing.execute(changed, {})).rowcount > 0

    async def gateway_key(self) -> GatewayKey | None:
        """The key that credentials are sealed to now; None before a gateway gave one."""
        async with self._database.reading() as reading:
            row = await reading.row(_CURRENT)
        return None if row is None else GatewayKey(row.id, decoded(row.public))

    @repeated
    async def set_gateway_key(self, key: GatewayKey, *, instead_of: str | None) -> bool:
        """Seal to this one from now on. False when `instead_of` is not the current one's id."""
        async with self._database.writing(lock=Lock.CREDENTIALS) as writing:
            current = await writing.row(_CURRENT)
            if (current.id if current is not None else None) != instead_of:
                return False
            # The others go: what is sealed to them says so itself.
            await writing.execute(delete(gateway_keys), {})
            values = {"id": key.id, "public": encoded(key.public), "current_since": writing.now}
            await writing.execute(insert(gateway_keys), values)
            return True


def _is(owner: str, name: str) -> tuple[Any, Any]:
    return credentials.c.owner == clean(owner), credentials.c.name == clean(name)


def _one(owner: str, name: str) -> Any:
    return select(credentials).where(*_is(owner, name))


def _gone(owner: str, name: str) -> Any:
    return delete(credentials).where(*_is(owner, name))


async def _found(reading: Reading, owner: str, name: str) -> Row[Any]:
    row = await reading.row(_one(owner, name))
    if row is None:
        raise _no_such(name)
    return row


def _no_such(name: str) -> NotFound:
    return NotFound(f"You have no credential {clean(name)[:64]!r}.")


def _info(row: Row[Any]) -> CredentialInfo:
    return CredentialInfo(
        name=row.name,
        provider=row.provider,
        base_url=row.base_url,
        region=row.region,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _sealed(row: Row[Any]) -> SealedCredential:
    return SealedCredential(
        owner=row.owner,
        name=row.name,
        provider=row.provider,
        key_id=row.key_id,
        sealed=row.sealed,
        base_url=row.base_url,
        region=row.region,
    )
