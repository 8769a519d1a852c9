"""Sealed credentials in the database: each its owner's, sealed to the current key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.databases import Clock

from seatrial.domain.credentials import GatewayKey, SealedCredential
from seatrial.domain.errors import Conflict, NotFound
from seatrial.store import SqlStore

OLD, NEW = GatewayKey("old", bytes(32)), GatewayKey("new", bytes(range(32)))


def a_credential(owner: str = "ann", name: str = "work") -> SealedCredential:
    return SealedCredential(owner, name, "openai", "old", "box", base_url="https://x.test")


@pytest.fixture
async def ready(store: SqlStore) -> SqlStore:
    assert await store.gateway_key() is None
    assert await store.set_gateway_key(OLD, instead_of=None)
    return store


async def test_a_credential_is_its_owners_alone(ready: SqlStore) -> None:
    await ready.put_credential(a_credential())
    await ready.put_credential(a_credential(name="a"))
    assert [info.name for info in await ready.credentials("ann")] == ["a", "work"]
    assert await ready.sealed_credential("ann", "work") == a_credential()
    assert await ready.credentials("bob") == ()
    for call in (ready.credential, ready.sealed_credential, ready.delete_credential):
        with pytest.raises(NotFound):
            await call("bob", "work")
    await ready.delete_credential("ann", "work")
    with pytest.raises(NotFound):
        await ready.delete_credential("ann", "work")


async def test_writing_again_replaces_and_keeps_the_time_it_was_made(
    ready: SqlStore, clock: Clock
) -> None:
    first = await ready.put_credential(a_credential())
    clock.now += timedelta(seconds=5)
    again = await ready.put_credential(replace(a_credential(), sealed="box 2", base_url=None))
    assert (again.created_at, again.base_url) == (first.created_at, None)
    assert again.updated_at == first.updated_at + timedelta(seconds=5)
    assert (await ready.sealed_credential("ann", "work")).sealed == "box 2"


async def test_what_is_sealed_to_a_former_key_is_refused_and_what_was_is_found(
    ready: SqlStore,
) -> None:
    await ready.put_credential(a_credential())
    assert not await ready.set_gateway_key(NEW, instead_of=None)
    assert await ready.set_gateway_key(NEW, instead_of="old")
    assert await ready.gateway_key() == NEW
    with pytest.raises(Conflict):
        await ready.put_credential(a_credential(name="late"))
    assert await ready.sealed_to_others("new") == (a_credential(),)
    assert await ready.replace_sealed(a_credential(), "new", "box 2")
    assert not await ready.replace_sealed(a_credential(), "new", "box 3")
    assert await ready.sealed_to_others("new") == ()
