"""Users and their tokens."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from seatrial.domain.errors import Conflict, NotAuthenticated, NotFound, StoreUnavailable
from seatrial.domain.ports import TokenInfo, User

from .convert import clean
from .database import Lock, Writing
from .ids import new_user_id
from .part import Part, repeated
from .tables import tokens, users

_USER = select(users.c.id, users.c.name)

_TOKEN = (
    select(users.c.name, tokens)
    .join(tokens)
    .order_by(users.c.name, tokens.c.label, tokens.c.created_at, tokens.c.hash)
)

_ID_DIGITS = 12
"""Of the hash: enough to name a token, and no way to the token."""

_NOTED_EVERY = timedelta(minutes=1)


class SqlUsers(Part):
    """Fulfils the port `Users`."""

    @repeated
    async def ensure_user(self, name: str) -> User:
        """The user of that name, made when there is none."""
        name = clean(name)
        async with self._database.writing(lock=Lock.USERS) as writing:
            row = await writing.row(_USER.where(users.c.name == name))
            if row is not None:
                return User(row.id, row.name)
            user = User(new_user_id(writing.now), name)
            values = {"id": user.id, "name": user.name, "created_at": writing.now}
            await writing.execute(insert(users), values)
            return user

    async def user_named(self, name: str) -> User | None:
        """The user of that name; None when there is none."""
        async with self._database.reading() as reading:
            row = await reading.row(_USER.where(users.c.name == clean(name)))
        return None if row is None else User(row.id, row.name)

    @repeated
    async def add_token(
        self,
        user_id: str,
        token_hash: str,
        label: str,
        *,
        parent: str | None = None,
        most: int | None = None,
    ) -> None:
        """Let the holder of the token act as the user. Again is the same."""
        values = {"user_id": user_id, "label": clean(label)}
        async with self._database.writing(lock=Lock.USERS) as writing:
            if await writing.row(_USER.where(users.c.id == user_id)) is None:
                raise NotFound(f"There is no user {user_id!r}.")
            same = update(tokens).where(tokens.c.hash == token_hash)
            if (await writing.execute(same.values(values), {})).rowcount:
                return
            await _check_room(writing, user_id, most)
            await _check_parent(writing, parent)
            row = {**values, "hash": token_hash, "parent": parent, "created_at": writing.now}
            await writing.execute(insert(tokens), row)

    async def user_of_token(self, token_hash: str) -> User | None:
        """The user of the token, whose last use is noted about once a minute."""
        found = _USER.add_columns(tokens.c.last_used).join(tokens)
        async with self._database.reading() as reading:
            row = await reading.row(found.where(tokens.c.hash == clean(token_hash)))
            now = reading.now
        if row is None:
            return None
        if row.last_used is None or now - row.last_used >= _NOTED_EVERY:
            await self._note_use(token_hash)
        return User(row.id, row.name)

    async def tokens(self, user_id: str | None = None, *, limit: int = 1000) -> Sequence[TokenInfo]:
        """The user's tokens, or every user's."""
        found = _TOKEN if user_id is None else _TOKEN.where(tokens.c.user_id == user_id)
        async with self._database.reading() as reading:
            rows = await reading.rows(found.limit(limit))
        return tuple(_info(row) for row in rows)

    @repeated
    async def remove_token(self, user_id: str, label: str) -> bool:
        """Revoke the user's tokens of that label; those made through them go with them."""
        gone = delete(tokens).where(tokens.c.user_id == user_id, tokens.c.label == clean(label))
        async with self._database.writing(lock=Lock.USERS) as writing:
            return (await writing.execute(gone, {})).rowcount > 0

    @repeated
    async def _note_use(self, token_hash: str) -> None:
        """Write when the token was used. A database that cannot write now must refuse nobody."""
        with contextlib.suppress(StoreUnavailable):
            async with self._database.writing(durable=False) as writing:
                used = update(tokens).where(tokens.c.hash == token_hash)
                await writing.execute(used.values(last_used=writing.now), {})


async def _check_room(writing: Writing, user_id: str, most: int | None) -> None:
    if most is None:
        return
    mine = select(func.count()).select_from(tokens).where(tokens.c.user_id == user_id)
    if await writing.number(mine) >= most:
        raise Conflict(
            f"This user has {most:,} API tokens, which is the limit.",
            hint="Revoke one that is not used: seatrial users tokens",
        )


async def _check_parent(writing: Writing, parent: str | None) -> None:
    """The token that asks may have been revoked since it was recognised."""
    if parent is None:
        return
    if await writing.row(select(tokens.c.hash).where(tokens.c.hash == parent)) is None:
        raise NotAuthenticated("The API token was revoked.")


def _info(row: Row[Any]) -> TokenInfo:
    return TokenInfo(
        id=row.hash[:_ID_DIGITS],
        user=row.name,
        label=row.label,
        created_at=row.created_at,
        last_used=row.last_used,
        parent=None if row.parent is None else row.parent[:_ID_DIGITS],
    )
