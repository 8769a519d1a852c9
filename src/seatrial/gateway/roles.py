"""Roles that are assumed for one test: keys on demand, renewed before they expire."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from seatrial.domain.advice import advice
from seatrial.domain.aws import AwsKeys
from seatrial.domain.errors import FailureError
from seatrial.domain.failures import failure

from .aws import BAD_KEYS, AwsApi, AwsRefused, AwsSilent
from .session_policy import session_policy

ASK_SECONDS = 5.0
"""How long AWS STS may take for an answer."""

_EARLY = timedelta(minutes=5)
_SHARE = 3
"""Keys are renewed 5 minutes before they expire, or a third of their time if that is less."""

_NOT_IN_A_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)


@dataclass(frozen=True)
class Role:
    """Which role, for whom. `source` gives the keys that assume it; `session` names the test.

    The keys can do no more than invoke these `models` and read these S3 `buckets`.
    """

    arn: str
    region: str
    session: str
    source: Callable[[], Awaitable[AwsKeys]] = field(repr=False)
    models: tuple[str, ...]
    external_id: str | None = field(default=None, repr=False)
    buckets: tuple[str, ...] = ()


class AssumedRole:
    """One role for one test. Nothing is asked before the first keys are needed."""

    def __init__(
        self,
        role: Role,
        aws: AwsApi,
        endpoint: str | None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`endpoint` of AWS STS; None is the region's own."""
        self._role = role
        self._aws = aws
        self._endpoint = endpoint
        self._clock = clock
        self._keys: AwsKeys | None = None
        self._expires = self._renew_at = datetime.min.replace(tzinfo=UTC)
        self._turn = asyncio.Lock()

    @property
    def keys(self) -> AwsKeys:
        """Keys that are none yet: whoever signs takes the `current` ones."""
        return AwsKeys("", "", self._role.region, refresh=self._current)

    async def _current(self) -> AwsKeys:
        async with self._turn:
            if self._keys is None or self._clock() >= self._renew_at:
                self._keys = await self._renewed(self._keys)
            return self._keys

    async def _renewed(self, old: AwsKeys | None) -> AwsKeys:
        """New keys, or the old ones when AWS gives none now and they are still good."""
        try:
            return await self._assume()
        except FailureError:
            if old is None or self._clock() >= self._expires:
                raise
            return old

    async def _assume(self) -> AwsKeys:
        role = self._role
        params = {
            "RoleArn": role.arn,
            "RoleSessionName": _session_name(role.session),
            "Policy": session_policy(role.arn, role.region, role.models, role.buckets),
        }
        if role.external_id is not None:
            params["ExternalId"] = role.external_id
        source = await role.source()
        try:
            answer = await self._aws.ask(
                "sts", "assume_role", params, source, endpoint=self._endpoint, seconds=ASK_SECONDS
            )
        except AwsSilent as error:
            raise self._failed("model.unreachable", f"AWS STS does not answer: {error}") from None
        except AwsRefused as error:
            code = "model.auth_failed" if error.code in BAD_KEYS else "model.access_denied"
            raise self._failed(code, f"{error.code}: {error.said}") from None
        given = answer["Credentials"]
        now = self._clock()
        self._expires = given["Expiration"]
        self._renew_at = self._expires - min(_EARLY, (self._expires - now) / _SHARE)
        return AwsKeys(
            given["AccessKeyId"],
            given["SecretAccessKey"],
            role.region,
            given["SessionToken"],
            refresh=self._current,
        )

    def _failed(self, code: str, said: str) -> FailureError:
        arn = self._role.arn
        return FailureError(
            failure(
                code,
                f"The role {arn} could not be assumed. {said}"[:1000],
                what_to_do=advice("bedrock", arn, code, said),
                evidence=said[:600],
            )
        )


def _session_name(text: str) -> str:
    """What CloudTrail shows: 2 to 64 characters of those that AWS takes."""
    return _NOT_IN_A_NAME.sub("-", f"seatrial-{text}")[:64]
