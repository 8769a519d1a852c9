"""Users and their tokens."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from seatrial.domain.errors import NotFound
from seatrial.domain.ports import User

from .convert import clean
from .database import Lock
from .ids import new_user_id
from .part import Part
from .tables import tokens, users

_USER = select(users.c.id, users.c.name)


class SqlUsers(Part):
    """Fulfils the port `Users`."""

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

    async def add_token(self, user_id: str, token_hash: str, label: str) -> None:
        """Let the holder of the token act as the user. Again is the same. NotFound."""
        values = {"hash": token_hash, "user_id": user_id, "label": clean(label)}
        async with self._database.writing(lock=Lock.USERS) as writing:
            if await writing.row(_USER.where(users.c.id == user_id)) is None:
                raise NotFound(f"There is no user {user_id!r}.")
            await writing.execute(delete(tokens).where(tokens.c.hash == token_hash), {})
            await writing.execute(insert(tokens), {**values, "created_at": writing.now})

    async def user_of_token(self, token_hash: str) -> User | None:
        """Whose token that is; None when it is nobody's."""
        found = _USER.join(tokens).where(tokens.c.hash == clean(token_hash))
        async with self._database.reading() as reading:
            row = await reading.row(found)
        return None if row is None else User(row.id, row.name)

    async def remove_token(self, user_id: str, label: str) -> bool:
        """Revoke the user's tokens of that label; False when there was none."""
        gone = delete(tokens).where(tokens.c.user_id == user_id, tokens.c.label == clean(label))
        async with self._database.writing() as writing:
            return (await writing.execute(gone, {})).rowcount > 0
