"""Users and their tokens."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.support.databases import Clock, Opener

from seatrial.domain.errors import Conflict, NotAuthenticated, NotFound
from seatrial.domain.ports import TokenInfo
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


async def test_a_token_ends_with_the_one_that_made_it_and_so_do_its_own(store: SqlStore):
    ann = await store.ensure_user("ann")
    bob = await store.ensure_user("bob")
    await store.add_token(ann.id, "first", "stolen")
    await store.add_token(ann.id, "second", "hidden", parent="first")
    await store.add_token(ann.id, "third", "deeper", parent="second")
    await store.add_token(ann.id, "other", "phone")
    await store.add_token(bob.id, "bobs", "stolen")

    await store.remove_token(ann.id, "stolen")

    found = [await store.user_of_token(one) for one in ("first", "second", "third")]
    assert found == [None, None, None]
    assert await store.user_of_token("other") == ann
    assert await store.user_of_token("bobs") == bob


async def test_a_revoked_token_makes_no_other(store: SqlStore):
    ann = await store.ensure_user("ann")
    await store.add_token(ann.id, "first", "stolen")
    await store.remove_token(ann.id, "stolen")

    with pytest.raises(NotAuthenticated):
        await store.add_token(ann.id, "second", "hidden", parent="first")
    assert await store.tokens(ann.id) == ()


async def test_whatever_comes_first_no_token_outlives_its_maker(opened: Opener):
    """Made and revoked at once, from two processes: nothing is left of it in either order."""
    stores = [await opened(), await opened()]
    ann = await stores[0].ensure_user("ann")
    for turn in range(10):
        await stores[0].add_token(ann.id, f"first-{turn}", "stolen")
        await asyncio.gather(
            stores[0].add_token(ann.id, f"second-{turn}", "hidden", parent=f"first-{turn}"),
            stores[1].remove_token(ann.id, "stolen"),
            return_exceptions=True,
        )
    assert await stores[0].tokens(ann.id) == ()


async def test_a_user_has_as_many_tokens_as_may_be(opened: Opener):
    stores = [await opened(), await opened()]
    ann = await stores[0].ensure_user("ann")
    bob = await stores[0].ensure_user("bob")

    made = await asyncio.gather(
        *(
            store.add_token(ann.id, f"hash-{place}-{n}", "x", most=5)
            for place, store in enumerate(stores)
            for n in range(5)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(one, Conflict) for one in made) == 5
    assert len(await stores[0].tokens(ann.id)) == 5
    await stores[0].add_token(bob.id, "bobs", "x", most=5)


async def test_tokens_are_listed_with_their_last_use_to_the_minute(store: SqlStore, clock: Clock):
    ann = await store.ensure_user("ann")
    await store.add_token(ann.id, "a" * 64, "laptop")
    made = clock.now
    await store.add_token(ann.id, "b" * 64, "script", parent="a" * 64)
    clock.forward(10)
    await store.user_of_token("a" * 64)
    clock.forward(59)
    await store.user_of_token("a" * 64)

    laptop, script = await store.tokens()

    assert laptop == TokenInfo("a" * 12, "ann", "laptop", made, made + timedelta(seconds=10))
    assert (script.last_used, script.parent) == (None, "a" * 12)
    clock.forward(1)
    await store.user_of_token("a" * 64)
    assert (await store.tokens(ann.id))[0].last_used == clock.now
    assert await store.tokens("u-nobody") == ()
