"""What a request's model means to its owner, who may have credentials of their own.

A stored credential stands in for the operator's key and address of its provider, and for those
of no other: a key never goes to an address that another one named.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from seatrial.domain.allowances import S3, values_of
from seatrial.domain.aws import AwsKeys
from seatrial.domain.credential_ports import CredentialReader
from seatrial.domain.credentials import SECRET_FIELDS, TOOL_SECRET, Credential
from seatrial.domain.errors import FailureError, NotFound
from seatrial.domain.failures import failure
from seatrial.domain.ports import ProviderState, ResolvedModel
from seatrial.domain.requests import TestRequest, model_names
from seatrial.settings import Settings

from . import addresses, blame
from .aws import AwsApi
from .discovery import LocalProviders
from .keys import Keys, OperatorKeys, digest
from .places import Places
from .preflight import Preflight
from .roles import AssumedRole, Role
from .stored_listing import StoredListing, names_address

_ADDRESS_SETTINGS = {
    "ollama": "ollama_url",
    "openai": "openai_base_url",
    "anthropic": "anthropic_base_url",
}


class AccountProviders:
    """The providers of this machine and of its users; see seatrial.domain.ports.Providers."""

    def __init__(
        self,
        settings: Settings,
        testmodel_url: Callable[[], Awaitable[str | None]],
        credentials: CredentialReader,
        *,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """`testmodel_url` as for LocalProviders."""
        self._settings = settings
        self._testmodel_url = testmodel_url
        self._credentials = credentials
        self._environ = environ
        self._operator: Keys = OperatorKeys(environ, region=settings.aws_region)
        self._places = Places(settings, environ)
        self._aws = AwsApi()
        self._preflight = Preflight(self._places, settings.preflight_cache_seconds, aws=self._aws)
        self._shared = self._local(settings, self._operator)
        self._lists = StoredListing(self._settled, environ, self._check_address)

    async def states(self) -> Sequence[ProviderState]:
        """See Providers: those of the machine, which everybody may use."""
        return await self._shared.states()

    async def listed(self, owner: str, provider: str, credential: str) -> ProviderState:
        """See Providers."""
        stored = await self._credentials.open(owner, provider, credential)
        if stored is None:
            raise NotFound(f"You have no credential {credential!r}.")
        try:
            return await self._lists.ask(
                stored, digest("listed", owner, credential, stored.model_dump_json())
            )
        except FailureError as error:
            return ProviderState(provider, reachable=False, reason=error.failure.message)

    async def resolve(
        self, request: TestRequest, owner: str, *, test_id: str, checked: bool = True
    ) -> ResolvedModel:
        """See Providers."""
        stored = await self._stored(request, owner)
        if not stored:
            return await self._shared.resolve(request, owner, checked=checked)
        for credential in stored.values():
            await self._check_address(credential)
        settings = self._settled(*stored.values())
        keys = _AccountKeys(stored, self._operator, self._assumed(stored, request, test_id))
        local = self._local(settings, keys, names_address(*stored.values()))
        return await local.resolve(request, owner, checked=checked)

    def _settled(self, *stored: Credential) -> Settings:
        """The settings with the addresses of these credentials in the place of the operator's."""
        named = {
            _ADDRESS_SETTINGS[one.provider]: one.base_url
            for one in stored
            if one.base_url is not None
        }
        return self._settings.model_copy(update=named)

    def _assumed(
        self, stored: Mapping[str, Credential], request: TestRequest, test_id: str
    ) -> AssumedRole | None:
        """The role of the stored credential, one for the whole test; None when it has none."""
        credential = stored.get("bedrock")
        if credential is None or credential.role_arn is None:
            return None
        keys = _stored_keys(credential)
        if keys is None:
            _must_be_assumable(credential.role_arn, self._settings.aws_assumable_roles)
        role = Role(
            credential.role_arn,
            credential.region or "",
            test_id,
            keys.current if keys else self._operators_keys,
            _names_of(request, self._settings, "bedrock"),
            credential.external_id,
            buckets=values_of(S3, request.allow),
        )
        return AssumedRole(role, self._aws, self._places.sts)

    async def _operators_keys(self) -> AwsKeys:
        found = await self._operator.aws()
        if found is None:
            message = "The credential names a role, and neither it nor the worker has AWS keys."
            to_do = "Store it with keys, or give the worker AWS credentials, then test again."
            raise FailureError(failure("model.auth_failed", message, what_to_do=to_do))
        return found

    async def _stored(self, request: TestRequest, owner: str) -> dict[str, Credential]:
        """The owner's credentials for the providers that the request may come to."""
        found: dict[str, Credential] = {}
        for provider in sorted(providers_of(request, self._settings)):
            try:
                credential = await self._credentials.open(owner, provider, request.credential)
            except NotFound as error:
                raise FailureError(failure("model.auth_failed", error.message)) from None
            if credential is not None:
                found[provider] = credential
        return found

    async def _check_address(self, credential: Credential) -> None:
        """FailureError when a user's address leads where no user may send the gateway."""
        if credential.base_url is None:
            return
        parts = urlsplit(credential.base_url)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
        allowed = self._settings.allows_private_urls
        try:
            await addresses.resolve(parts.hostname or "", port, may_be_private=allowed)
        except (OSError, UnicodeError) as error:
            setting = "" if allowed else f" ({addresses.PRIVATE_SETTING})"
            message = f"{credential.base_url}: {error}{setting}"
            raise FailureError(failure(blame.UNREACHABLE, message)) from None

    def _local(
        self, settings: Settings, keys: Keys, users: frozenset[str] = frozenset()
    ) -> LocalProviders:
        return LocalProviders(
            settings,
            self._testmodel_url,
            environ=self._environ,
            keys=keys,
            preflight=self._preflight,
            users=users,
        )


def providers_of(request: TestRequest, settings: Settings) -> frozenset[str]:
    """The providers that a request may come to and that users may have credentials for."""
    wanted = request.model or settings.default_model or "ollama:"
    named = {name.partition(":")[0] for name in model_names(wanted)}
    return frozenset(named & (set(SECRET_FIELDS) - {TOOL_SECRET}))


def _names_of(request: TestRequest, settings: Settings, provider: str) -> tuple[str, ...]:
    """The provider's models that the request names, or that it gets by default."""
    named = model_names(request.model or settings.default_model or "")
    parts = (name.partition(":") for name in named)
    return tuple(model for kind, _, model in parts if kind == provider and model)


class _AccountKeys:
    """A user's keys where there are some, else the operator's; see Keys."""

    def __init__(
        self, stored: Mapping[str, Credential], operator: Keys, role: AssumedRole | None
    ) -> None:
        self._stored = stored
        self._operator = operator
        self._role = role

    async def key(self, provider: str) -> str | None:
        """See Keys. None for a stored credential without a key, whatever the operator has."""
        stored = self._stored.get(provider)
        return stored.api_key if stored else await self._operator.key(provider)

    async def aws(self) -> AwsKeys | None:
        """See Keys."""
        stored = self._stored.get("bedrock")
        if stored is None:
            return await self._operator.aws()
        return self._role.keys if self._role else _stored_keys(stored)

    def account(self, provider: str) -> str:
        """See Keys."""
        stored = self._stored.get(provider)
        if stored is None:
            return self._operator.account(provider)
        return digest("stored", stored.model_dump_json())


def _stored_keys(credential: Credential) -> AwsKeys | None:
    """The AWS keys that it holds; None when it names a role alone."""
    if credential.access_key_id is None or credential.secret_access_key is None:
        return None
    return AwsKeys(
        credential.access_key_id,
        credential.secret_access_key,
        credential.region or "",
        credential.session_token,
    )


def _must_be_assumable(arn: str, patterns: str) -> None:
    """FailureError unless the operator lets users have this role with the worker's own keys.

    Otherwise whoever may store a credential could have every role that trusts the worker.
    """
    if any(fnmatchcase(arn, pattern.strip()) for pattern in patterns.split(",")):
        return
    message = f"The worker's own AWS identity may not be used to assume {arn}."
    to_do = (
        "Store the credential with keys of its own, or let the operator list the role in "
        "SEATRIAL_AWS_ASSUMABLE_ROLES."
    )
    raise FailureError(failure("model.auth_failed", message, what_to_do=to_do))
