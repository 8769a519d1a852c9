"""Users and their tokens."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.databases import Opener

from seatrial.domain.errors import NotFound
from seatrial.store import SqlStore


async def test_a_name_is_one_user(opened: Opener):
    stores = [await opened() for _ in range(3)]

    users = await asyncio.gather(*(store.ensure_user("ann") for store in stores * 3))

    assert len({user.id for user in users}) == 1
    assert users[0].name == "ann"
    assert (await stores[0].ensure_user("bob")).id != users[0].id


async def test_who_holds_a_token_acts_as_its_user_until_it_is_revoked(store: SqlStore):
    ann = await store.ensure_user("ann")
    bob = await store.ensure_user("bob")
    await store.add_token(ann.id, "hash-1", "laptop")
    await store.add_token(ann.id, "hash-2", "laptop")
    await store.add_token(ann.id, "hash-3", "phone")
    await store.add_token(bob.id, "hash-4", "laptop")

    assert await store.user_of_token("hash-1") == ann
    assert await store.remove_token(ann.id, "laptop")
    assert not await store.remove_token(ann.id, "laptop")
    found = [await store.user_of_token(f"hash-{n}") for n in (1, 2, 3, 4)]
    assert found == [None, None, ann, bob]


@pytest.mark.parametrize("token_hash", ["", "nobody's", "\0", "\ud800"])
async def test_a_token_that_was_never_added_is_nobodys(store: SqlStore, token_hash: str):
    assert await store.user_of_token(token_hash) is None


async def test_adding_a_token_again_is_the_same(store: SqlStore):
    ann = await store.ensure_user("ann")
    await store.add_token(ann.id, "hash", "laptop")

    await store.add_token(ann.id, "hash", "laptop")

    assert await store.user_of_token("hash") == ann


async def test_a_token_needs_a_user(store: SqlStore):
    with pytest.raises(NotFound):
        await store.add_token("u-nobody", "hash", "laptop")
