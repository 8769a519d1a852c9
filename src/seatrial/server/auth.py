"""Who is calling: the holder of an API token, or this machine's own user.

A token for embedding is no API token: the two routes that take a `Reader` take it, no other.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param

from seatrial.domain.embedding import PREFIX as EMBED_PREFIX
from seatrial.domain.embedding import Grant
from seatrial.domain.errors import LocalTokenNeeded, NotAllowed, NotAuthenticated
from seatrial.domain.ports import User
from seatrial.services.embed_test import granted
from seatrial.services.users import token_hash, user_of_token

from .deps import ServerDeps

_KNOWN = "seatrial.caller"
"""Where a request keeps its caller once that is known."""

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description=(
        "The local token that `seatrial serve` prints, or a user's API token. Not needed over the "
        "Unix socket in the data folder."
    ),
)
_WHERE_IT_IS = (
    "`seatrial serve --show-token` prints it on the server's machine. Send it as `Authorization: "
    "Bearer TOKEN`: from SEATRIAL_TOKEN, or as `token=` in Python."
)


@dataclass(frozen=True)
class Identity:
    """The caller. `local`: this machine's own user, by the socket or the local token.

    `token_hash` is that of the API token that it came with, None without one.
    """

    user: User
    local: bool
    token_hash: str | None = None

    @property
    def id(self) -> str:
        """The user's id, which owns tests."""
        return self.user.id


@dataclass(frozen=True)
class Reading:
    """The reader of one test: as its owner, or with a `grant`, for so many seconds from now."""

    owner: str
    grant: Grant | None = None
    seconds: float | None = None


def came_over_socket(scope: Mapping[str, Any]) -> bool:
    """Whether the request came over a Unix socket: the server's address then has no port."""
    server: tuple[str, int | None] | None = scope.get("server")
    return server is not None and server[1] is None


class Authenticator:
    """Finds out who is calling. Knows the local users after their first request."""

    def __init__(self, deps: ServerDeps) -> None:
        """Asks the store of `deps`."""
        self._deps = deps
        self._local: dict[str, User] = {}

    async def identify_early(self, request: Request) -> None:
        """The same as `identify`, before a route is chosen; routes then find the caller."""
        scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
        is_bearer = scheme.lower() == "bearer" and bool(token)
        request.scope[_KNOWN] = await self.identify(request, token if is_bearer else None)

    async def identify(self, request: Request, token: str | None) -> Identity:
        """The caller of this request. NotAuthenticated; NotAllowed for a token for embedding."""
        if token is not None and token.startswith(EMBED_PREFIX):
            raise NotAllowed("A token for embedding reads its one test, and does nothing else.")
        if token is not None:
            return await self._holder(token)
        if "authorization" in request.headers:
            raise self._nobody("The Authorization header is not of the form `Bearer TOKEN`.")
        name = self._deps.local_owner
        if name is None and came_over_socket(request.scope):
            name = self._deps.socket_owner
        if name is None:
            raise self._nobody()
        return Identity(await self._local_user(name), local=True)

    async def reading(self, request: Request, token: str | None, test_id: str) -> Reading:
        """Who reads that test with this request: its owner, or a page that was let in.

        NotAuthenticated; TokenExpired, NotAllowed and NotFound for tokens for embedding.
        """
        if token is None or not token.startswith(EMBED_PREFIX):
            return Reading((await self.identify(request, token)).id)
        origin, now = request.headers.get("origin"), datetime.now(UTC)
        grant = granted(self._deps.webhook_key, token, test_id, origin=origin, now=now)
        return Reading(grant.owner, grant, grant.expires - now.timestamp())

    async def _holder(self, token: str) -> Identity:
        """The caller with this token. NotAuthenticated."""
        local, owner = self._deps.local_token, self._deps.socket_owner
        if local and owner and hmac.compare_digest(token.encode(), local.encode()):
            return Identity(await self._local_user(owner), local=True)
        try:
            user = await user_of_token(self._deps.store, token)
            return Identity(user, local=False, token_hash=token_hash(token))
        except NotAuthenticated as error:
            raise self._nobody(error.message, error.hint) from error

    def _nobody(self, message: str = "", hint: str = "") -> NotAuthenticated:
        """What a caller without a valid token is answered: it says where to find one."""
        if self._deps.local_token and not self._deps.local_owner:
            message = message or "This server asks for its local token."
            return LocalTokenNeeded(message, hint=_WHERE_IT_IS)
        return NotAuthenticated(
            message or "This server needs an API token.",
            hint=hint or "Send it as `Authorization: Bearer TOKEN`.",
        )

    async def _local_user(self, name: str) -> User:
        if name not in self._local:
            self._local[name] = await self._deps.store.ensure_user(name)
        return self._local[name]


async def _caller(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Identity:
    if _KNOWN in request.scope:
        return cast("Identity", request.scope[_KNOWN])
    authenticator = cast("Authenticator", request.app.state.authenticator)
    return await authenticator.identify(request, bearer.credentials if bearer else None)


Caller = Annotated[Identity, Depends(_caller)]
"""The identified caller, as a parameter of a route. Without one the answer is 401."""


async def _reading(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Reading:
    authenticator = cast("Authenticator", request.app.state.authenticator)
    token = bearer.credentials if bearer else None
    return await authenticator.reading(request, token, str(request.path_params["test_id"]))


Reader = Annotated[Reading, Depends(_reading)]
"""Who reads the test of the route's `test_id`, as a parameter. Takes tokens for embedding too."""


def is_operator(caller: Identity, deps: ServerDeps) -> bool:
    """Whether the caller may read what concerns all users."""
    return caller.local or caller.user.name in deps.settings.operator_names


def require_operator(caller: Identity, deps: ServerDeps) -> None:
    """Raises: NotAllowed for callers who are not the operator."""
    if not is_operator(caller, deps):
        raise NotAllowed(
            "Only the operator may read this.",
            hint="SEATRIAL_OPERATORS names the users who may, besides the machine's own user.",
        )


def require_local(caller: Identity) -> None:
    """NotAllowed for everybody but this machine's own user."""
    if not caller.local:
        raise NotAllowed("Only this machine's own user may do this.")
