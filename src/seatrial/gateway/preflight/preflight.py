"""Checks a model before its test starts, and remembers for a short time that it was good.

Whatever a provider does not tell, or does not let this credential ask, fails no test: the
agent's own call will tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from seatrial.domain.ports import Upstream
from seatrial.gateway.aws import AwsApi
from seatrial.gateway.places import Places

from .bedrock import BedrockCheck
from .listed import check_anthropic, check_openai
from .ollama import OllamaCheck

_MOST = 10_000
"""Good answers that are remembered at one time."""

_Key = tuple[str, str, str, str, str]


class Preflight:
    """The checks of all providers, behind one memory."""

    def __init__(
        self,
        places: Places,
        kept_seconds: float,
        *,
        aws: AwsApi | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A good answer stands for `kept_seconds`; a bad one is asked again each time."""
        self._kept_seconds = kept_seconds
        self._clock = clock
        self._good: dict[_Key, float] = {}
        self._checks = {
            "ollama": OllamaCheck(places).check,
            "openai": check_openai,
            "anthropic": check_anthropic,
            "bedrock": BedrockCheck(places, aws or AwsApi()).check,
        }

    async def check(self, owner: str, account: str, upstream: Upstream, model: str) -> None:
        """Return when nothing speaks against a call of this model.

        `account` stands for the credential and changes with it. FailureError: model.auth_failed,
        .access_denied, .not_found or .unreachable, each with what to do.
        """
        key = (owner, account, upstream.provider, upstream.base_url, model)
        if self._clock() < self._good.get(key, float("-inf")):
            return
        await self._checks[upstream.provider](upstream, model)
        self._remember(key)

    def _remember(self, key: _Key) -> None:
        now = self._clock()
        if len(self._good) >= _MOST:
            self._good = {known: until for known, until in self._good.items() if until > now}
        if len(self._good) < _MOST:
            self._good[key] = now + self._kept_seconds
