"""Who is calling: the holder of an API token, or the local user where that is enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from seatrial.domain.errors import NotAllowed, NotAuthenticated
from seatrial.domain.ports import User
from seatrial.services.users import user_of_token

from .deps import ServerDeps

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="An API token. Not needed on the same machine, unless the operator demands it.",
)


@dataclass(frozen=True)
class Identity:
    """The caller. `local`: on the same machine and without a token, so that machine's own user."""

    user: User
    local: bool

    @property
    def id(self) -> str:
        """The user's id, which owns tests."""
        return self.user.id


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

    async def identify(self, request: Request, token: str | None) -> Identity:
        """The caller of this request. NotAuthenticated."""
        if token is not None:
            return Identity(await user_of_token(self._deps.store, token), local=False)
        if "authorization" in request.headers:
            raise NotAuthenticated("The Authorization header is not of the form `Bearer TOKEN`.")
        name = self._deps.local_owner
        if name is None and came_over_socket(request.scope):
            name = self._deps.socket_owner
        if name is None:
            raise NotAuthenticated(
                "This server needs an API token.", hint="Send it as `Authorization: Bearer TOKEN`."
            )
        return Identity(await self._local_user(name), local=True)

    async def _local_user(self, name: str) -> User:
        if name not in self._local:
            self._local[name] = await self._deps.store.ensure_user(name)
        return self._local[name]


async def _caller(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Identity:
    authenticator = cast("Authenticator", request.app.state.authenticator)
    return await authenticator.identify(request, bearer.credentials if bearer else None)


Caller = Annotated[Identity, Depends(_caller)]
"""The identified caller, as a parameter of a route. Without one the answer is 401."""


def require_local(caller: Identity) -> None:
    """NotAllowed for everybody but this machine's own user."""
    if not caller.local:
        raise NotAllowed("Only this machine's own user may do this.")
