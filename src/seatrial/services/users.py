"""Users and their API tokens.

A token is `st_` and 43 characters of base64url: 256 random bits. Only its SHA-256 is stored; a
hash that fast is right for a secret that cannot be guessed. Looking the hash up in an index
reveals by its timing nothing about the token, so the comparison needs no further care.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence

from seatrial.domain.errors import FieldProblem, InvalidRequest, NotAuthenticated, NotFound
from seatrial.domain.ports import TokenInfo, User, Users

_TOKEN = re.compile(r"st_[A-Za-z0-9_-]{43}", re.ASCII)
_MAX_NAME_CHARACTERS = 100


def new_token() -> str:
    """A fresh token, which nobody knows yet."""
    return f"st_{secrets.token_urlsafe(32)}"


def is_token(text: str) -> bool:
    """Whether the text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def token_hash(token: str) -> str:
    """What is stored of a token: the SHA-256 in hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


async def create_token(
    users: Users,
    user_name: str,
    label: str,
    *,
    parent: str | None = None,
    most: int | None = None,
) -> tuple[User, str]:
    """A token of the user of that name, who is made when there is none.

    Shown once: it cannot be read back. It ends with the token whose hash is `parent`. Raises:
    InvalidRequest for a name or label that cannot be, Conflict when the user has `most` already.
    """
    _check("user", user_name)
    _check("label", label)
    user = await users.ensure_user(user_name)
    token = new_token()
    await users.add_token(user.id, token_hash(token), label, parent=parent, most=most)
    return user, token


async def list_tokens(users: Users, user_id: str | None = None) -> Sequence[TokenInfo]:
    """The user's API tokens, or with None every user's."""
    return await users.tokens(user_id)


async def list_tokens_of(users: Users, user_name: str) -> Sequence[TokenInfo]:
    """The same for the user of that name. NotFound when there is none."""
    return await users.tokens((await _user_named(users, user_name)).id)


async def revoke_token(users: Users, user_id: str, label: str) -> None:
    """Revoke the user's tokens of that label, and all that were made through them. NotFound."""
    _check("label", label)
    if not await users.remove_token(user_id, label):
        raise NotFound("There is no token of that label.")


async def revoke_token_of(users: Users, user_name: str, label: str) -> None:
    """The same for the user of that name. NotFound also when there is no such user."""
    await revoke_token(users, (await _user_named(users, user_name)).id, label)


async def _user_named(users: Users, name: str) -> User:
    _check("user", name)
    user = await users.user_named(name)
    if user is None:
        raise NotFound("There is no user of that name.")
    return user


async def user_of_token(users: Users, token: str) -> User:
    """Whose token it is. NotAuthenticated when it is nobody's."""
    user = await users.user_of_token(token_hash(token)) if is_token(token) else None
    if user is None:
        raise NotAuthenticated("The API token is not known.", hint="Check it, or make a new one.")
    return user


def _check(field: str, text: str) -> None:
    if not (text.strip() and len(text) <= _MAX_NAME_CHARACTERS and text.isprintable()):
        message = f"It has 1 to {_MAX_NAME_CHARACTERS} printable characters."
        raise InvalidRequest((FieldProblem(field, message),))
