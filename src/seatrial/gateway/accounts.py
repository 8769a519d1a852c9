"""What a request's model means to its owner, who may have credentials of their own.

A stored credential stands in for the operator's key and address of its provider, and for those
of no other: a key never goes to an address that another one named.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlsplit

from seatrial.domain.aws import AwsKeys
from seatrial.domain.credential_ports import CredentialReader
from seatrial.domain.credentials import SECRET_FIELDS, Credential
from seatrial.domain.errors import FailureError, NotFound
from seatrial.domain.failures import failure
from seatrial.domain.ports import ProviderState, ResolvedModel
from seatrial.domain.requests import TestRequest, model_names
from seatrial.settings import Settings

from . import addresses, blame
from .discovery import LocalProviders
from .keys import Keys, OperatorKeys

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
        self._shared = self._local(settings, self._operator)

    async def states(self) -> Sequence[ProviderState]:
        """See Providers: those of the machine, which everybody may use."""
        return await self._shared.states()

    async def resolve(self, request: TestRequest, owner: str) -> ResolvedModel:
        """See Providers."""
        stored = await self._stored(request, owner)
        if not stored:
            return await self._shared.resolve(request, owner)
        for credential in stored.values():
            await self._check_address(credential)
        named = {
            _ADDRESS_SETTINGS[provider]: credential.base_url
            for provider, credential in stored.items()
            if credential.base_url is not None
        }
        settings = self._settings.model_copy(update=named)
        local = self._local(settings, _AccountKeys(stored, self._operator))
        return await local.resolve(request, owner)

    async def _stored(self, request: TestRequest, owner: str) -> dict[str, Credential]:
        """The owner's credentials for the providers that the request may come to."""
        wanted = request.model or self._settings.default_model or "ollama:"
        providers = {name.partition(":")[0] for name in model_names(wanted)} & set(SECRET_FIELDS)
        found: dict[str, Credential] = {}
        for provider in sorted(providers):
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
        allowed = self._settings.private_base_urls
        try:
            await addresses.resolve(parts.hostname or "", port, may_be_private=allowed)
        except (OSError, UnicodeError, addresses.AddressRefused) as error:
            message = f"{credential.base_url}: {error}"
            raise FailureError(failure(blame.UNREACHABLE, message)) from None

    def _local(self, settings: Settings, keys: Keys) -> LocalProviders:
        return LocalProviders(settings, self._testmodel_url, environ=self._environ, keys=keys)


class _AccountKeys:
    """A user's keys where there are some, else the operator's; see Keys."""

    def __init__(self, stored: Mapping[str, Credential], operator: Keys) -> None:
        self._stored = stored
        self._operator = operator

    async def key(self, provider: str) -> str | None:
        """See Keys. None for a stored credential without a key, whatever the operator has."""
        stored = self._stored.get(provider)
        return stored.api_key if stored else await self._operator.key(provider)

    async def aws(self) -> AwsKeys | None:
        """See Keys."""
        stored = self._stored.get("bedrock")
        if stored is None:
            return await self._operator.aws()
        if stored.role_arn is not None:
            message = "This version does not assume the role that the credential names."
            to_do = "Store the credential without a role, or let the worker have the role."
            raise FailureError(failure("model.auth_failed", message, what_to_do=to_do))
        return AwsKeys(
            stored.access_key_id or "",
            stored.secret_access_key or "",
            stored.region or "",
            stored.session_token,
        )
