"""Lists the models that a stored credential leads to, for its owner alone."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from seatrial.domain.credentials import Credential
from seatrial.domain.ports import ProviderState
from seatrial.settings import Settings

from .keys import fixed, values_of
from .listing import Listing
from .places import Places
from .scrub import KnownSecrets

KEPT_SECONDS = 15.0
"""For how long an answer stands: people open and close a list, and their service is asked once."""

_MOST = 1_000
"""Answers that are kept at one time."""

_NOT_LISTED = "Its models are not listed here: type the name of one."

Settled = Callable[[Credential], Settings]
"""The settings with the credential's address in the place of the operator's."""


class StoredListing:
    """The lists of all users, each under its credential as it was when it was asked."""

    def __init__(
        self,
        settled: Settled,
        environ: Mapping[str, str],
        check_address: Callable[[Credential], Awaitable[None]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`check_address` raises FailureError for an address where no user may send us."""
        self._settled = settled
        self._environ = environ
        self._check_address = check_address
        self._clock = clock
        self._kept: dict[str, tuple[float, ProviderState]] = {}

    async def ask(self, credential: Credential, account: str) -> ProviderState:
        """What the credential's service lists, without anything secret. FailureError.

        `account` stands for owner and credential and changes with them.
        """
        until, known = self._kept.get(account, (float("-inf"), None))
        if known is not None and self._clock() < until:
            return known
        await self._check_address(credential)
        state = self._harmless(await self._asked(credential), credential)
        self._keep(account, state)
        return state

    async def _asked(self, credential: Credential) -> ProviderState:
        settings = self._settled(credential)
        keys = fixed(None, **{credential.provider: credential.api_key or ""})
        places = Places(settings, self._environ, users=names_address(credential))
        listing = Listing(places, keys, None)
        state = await listing.of(credential.provider)
        if state is None:
            return ProviderState(credential.provider, reachable=True, reason=_NOT_LISTED)
        return state

    def _harmless(self, state: ProviderState, credential: Credential) -> ProviderState:
        """A service may repeat what it was sent."""
        secrets = KnownSecrets(values_of(credential))
        models = tuple(secrets.text(model) for model in state.models)
        return replace(state, reason=secrets.text(state.reason), models=models, base_url="")

    def _keep(self, account: str, state: ProviderState) -> None:
        now = self._clock()
        if len(self._kept) >= _MOST:
            self._kept = {key: one for key, one in self._kept.items() if one[0] > now}
        if len(self._kept) < _MOST:
            self._kept[account] = (now + KEPT_SECONDS, state)


def names_address(*stored: Credential) -> frozenset[str]:
    """The providers of those credentials that name an address of their own."""
    return frozenset(one.provider for one in stored if one.base_url is not None)
