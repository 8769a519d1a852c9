"""AWS keys as the gateway signs with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AwsKeys:
    """A credential for one AWS region; nothing of it but the region is shown by repr.

    `refresh` is given when the keys expire: it gives those that are valid now, and raises
    FailureError (`model.auth_failed`) when there are none any more.
    """

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str
    session_token: str | None = field(default=None, repr=False)
    refresh: Callable[[], Awaitable[AwsKeys]] | None = field(
        default=None, repr=False, compare=False
    )

    async def current(self) -> AwsKeys:
        """The keys to sign with now."""
        return await self.refresh() if self.refresh is not None else self
