"""API tokens."""

from __future__ import annotations

import re

import pytest

from seatrial.domain.errors import InvalidRequest, NotAuthenticated, NotFound
from seatrial.services import users
from seatrial.store import SqlStore


def test_tokens_have_256_random_bits_and_differ() -> None:
    tokens = {users.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(re.fullmatch(r"st_[A-Za-z0-9_-]{43}", token) for token in tokens)


async def test_a_token_leads_to_its_user_until_it_is_revoked(store: SqlStore) -> None:
    ann, token = await users.create_token(store, "ann", "laptop")
    bob, other = await users.create_token(store, "bob", "laptop")
    assert await users.user_of_token(store, token) == ann
    await users.revoke_token(store, ann.id, "laptop")
    with pytest.raises(NotAuthenticated):
        await users.user_of_token(store, token)
    assert await users.user_of_token(store, other) == bob
    with pytest.raises(NotFound):
        await users.revoke_token(store, ann.id, "laptop")


@pytest.mark.parametrize("token", ["", "st_", "x" * 46, "st_" + "é" * 43, "st_" + "x" * 44])
async def test_what_is_no_token_is_nobodys(store: SqlStore, token: str) -> None:
    with pytest.raises(NotAuthenticated):
        await users.user_of_token(store, token)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101])
async def test_a_name_that_cannot_be_shown_gets_no_token(store: SqlStore, name: str) -> None:
    with pytest.raises(InvalidRequest):
        await users.create_token(store, name, "laptop")
