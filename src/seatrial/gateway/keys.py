"""Provider keys. This is the only file of Seatrial that reads one."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import unquote, urlsplit

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from seatrial.domain.advice import advice
from seatrial.domain.aws import AwsKeys
from seatrial.domain.credentials import SECRET_FIELDS, Credential
from seatrial.domain.errors import FailureError
from seatrial.domain.failures import failure
from seatrial.domain.ports import Upstream
from seatrial.settings import Settings

DEFAULT_REGION = "us-east-1"

_VARIABLES = {
    "openai": ("SEATRIAL_OPENAI_API_KEY", "OPENAI_API_KEY"),
    "anthropic": ("SEATRIAL_ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY"),
}
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_SIGNS_OF_AWS = (
    *_REGIONS,
    "AWS_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
_DENIED = "not authorized to perform"
_FORGET_SECONDS = 60.0


class Keys(Protocol):
    """Where keys come from: the operator's environment, or what users have stored."""

    async def key(self, provider: str) -> str | None:
        """The key of a provider that takes one; None when there is none."""
        ...

    async def aws(self) -> AwsKeys | None:
        """The credential for Bedrock; None when there is none."""
        ...

    def account(self, provider: str) -> str:
        """What stands for the provider's credential in memory: a digest that changes with it."""
        ...


Chain = Callable[[str | None], AwsKeys | None]
"""AWS's default chain: given a region or None, the credential of this process. It blocks."""


class OperatorKeys:
    """The keys of the server's own environment; see Keys."""

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        *,
        region: str | None = None,
        chain: Chain | None = None,
    ) -> None:
        """`region` wins over the environment's. Without `chain` it is botocore's."""
        self._environ = environ
        self._region = region
        self._chain = chain or default_chain
        self._found: AwsKeys | None = None
        self._asked = float("-inf")
        self._asking = asyncio.Lock()

    async def key(self, provider: str) -> str | None:
        """See Keys."""
        return provider_key(provider, self._environ)

    async def aws(self) -> AwsKeys | None:
        """See Keys. The chain may ask the network, so its answer is kept for a minute."""
        written = self._written()
        if written is not None:
            return written
        if not self._may_have_more():
            return None
        async with self._asking:
            if time.monotonic() - self._asked >= _FORGET_SECONDS:
                self._found = await asyncio.to_thread(self._chain, self._named_region)
                self._asked = time.monotonic()
        return self._found

    def account(self, provider: str) -> str:
        """See Keys. What the chain gives is one account however often its keys change."""
        if provider == "bedrock":
            names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
            return digest("operator", *(self._environ.get(name, "") for name in names))
        return digest("operator", provider_key(provider, self._environ) or "")

    def _written(self) -> AwsKeys | None:
        """Keys that the environment itself holds."""
        access, secret = (
            self._environ.get(name, "").strip()
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        )
        if not (access and secret):
            return None
        token = self._environ.get("AWS_SESSION_TOKEN", "").strip() or None
        return AwsKeys(access, secret, self._named_region or DEFAULT_REGION, token)

    def _may_have_more(self) -> bool:
        """Asking the chain costs a second where nothing of AWS is set up, as on most machines."""
        if self._region or any(self._environ.get(name) for name in _SIGNS_OF_AWS):
            return True
        home = self._environ.get("HOME")
        places = [Path(home, ".aws", name) for name in ("config", "credentials")] if home else []
        return any(place.is_file() for place in places)

    @property
    def _named_region(self) -> str | None:
        named = (self._region, *(self._environ.get(name) for name in _REGIONS))
        return next((region for region in named if region), None)


def default_chain(region: str | None) -> AwsKeys | None:
    """Profile, role, container or instance credentials of this process, as AWS's SDKs find them."""
    try:
        session = Session()
        found = session.get_credentials()
        where = region or session.get_config_variable("region") or DEFAULT_REGION
        return _frozen(found, where) if found is not None else None
    except BotoCoreError:
        return None


def _frozen(credentials: Credentials, region: str) -> AwsKeys:
    """The keys of now, with the way to those of later: roles' keys expire within hours."""

    def now() -> AwsKeys:
        try:
            found = credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            raise _without_keys(error) from None
        return AwsKeys(
            found.access_key or "", found.secret_key or "", region, found.token, refresh=refresh
        )

    async def refresh() -> AwsKeys:
        return await asyncio.to_thread(now)

    return now()


def _without_keys(error: BotoCoreError | ClientError) -> FailureError:
    """The worker's own identity gives no keys, for example as its role is refused."""
    said = str(error)
    if isinstance(error, ClientError) and _DENIED not in said:
        # AWS repeats what was signed, tokens included: only the error's name is safe.
        said = str(cast("Mapping[str, Any]", error.response.get("Error", {})).get("Code", ""))
    code = "model.access_denied" if _DENIED in said else "model.auth_failed"
    message = f"The worker's AWS identity gives no keys: {said}"
    to_do = advice("bedrock", "the model", code, said)
    return FailureError(failure(code, message, what_to_do=to_do, evidence=said))


def fixed(keys: AwsKeys | None = None, **by_provider: str) -> Keys:
    """Keys that are known already, such as one that a user has stored."""
    return _Fixed(keys, by_provider)


class _Fixed:
    def __init__(self, keys: AwsKeys | None, by_provider: Mapping[str, str]) -> None:
        self._keys = keys
        self._by_provider = by_provider

    async def key(self, provider: str) -> str | None:
        return self._by_provider.get(provider)

    async def aws(self) -> AwsKeys | None:
        return self._keys

    def account(self, provider: str) -> str:
        keys = self._keys
        given = (keys.access_key, keys.secret_key) if keys else ()
        return digest("fixed", self._by_provider.get(provider, ""), *given)


def digest(*parts: str) -> str:
    """One text for several, none of which can be read from it."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def provider_key(provider: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The operator's key for a provider, None when there is none."""
    for name in variables(provider):
        value = environ.get(name, "").strip()
        if value:
            return value
    return None


def variables(provider: str) -> tuple[str, ...]:
    """The environment variables that a provider's key is taken from, in order."""
    return _VARIABLES.get(provider, ())


def identity(upstream: Upstream) -> str:
    """Stands for the service and the credential with which it is called, and tells neither."""
    keys = upstream.credential
    parts = (upstream.provider, upstream.base_url, upstream.key, keys and keys.access_key)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


_SECRET_VARIABLES = (
    *(name for names in _VARIABLES.values() for name in names),
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "SEATRIAL_CREDENTIALS_KEY",
)
_URL_VARIABLES = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OLLAMA_HOST")


def operator_secrets(
    settings: Settings, environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Every secret of the operator that is written down: keys, and passwords in addresses.

    Those that AWS's chain finds elsewhere are known when a test's door opens.
    """
    written = [environ.get(name, "").strip() for name in _SECRET_VARIABLES]
    addresses = [environ.get(name) for name in _URL_VARIABLES]
    addresses += [settings.openai_base_url, settings.anthropic_base_url, settings.ollama_url]
    addresses += [settings.database_url, settings.index_url]
    passwords = [word for url in addresses if url for word in passwords_in(url)]
    # Several private keys may stand in one variable, with commas between them.
    parts = [part for value in written for part in value.split(",")]
    return tuple(dict.fromkeys(value for value in (*written, *parts, *passwords) if value))


def values_of(credential: Credential) -> tuple[str, ...]:
    """Every secret of a stored credential, with the password in its address."""
    fields = [getattr(credential, name) for name in SECRET_FIELDS[credential.provider]]
    return (*(value for value in fields if value), *passwords_in(credential.base_url or ""))


def passwords_in(url: str) -> tuple[str, ...]:
    """The password of an address, as it is written and as it is meant."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return ()
    return tuple(dict.fromkeys((password, unquote(password)))) if password else ()


def secrets(upstream: Upstream, now: AwsKeys | None = None) -> tuple[str, ...]:
    """Every secret of an upstream: keys, and a password written into its URL.

    `now` are the keys that an expiring credential gave for this call.
    """
    given = [upstream.key, *passwords_in(upstream.base_url)]
    for keys in (upstream.credential, now):
        if keys is not None:
            given += [keys.access_key, keys.secret_key, keys.session_token]
    return tuple(dict.fromkeys(value for value in given if value))
