"""Short questions to AWS's own services, through botocore, in threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from seatrial.domain.aws import AwsKeys

from .scrub import KnownSecrets

BAD_KEYS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""The errors with which AWS refuses keys, whatever they were used for."""


class AwsRefused(Exception):
    """AWS answered with an error: its code and its own words."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(f"{code}: {said}")
        self.code = code
        self.said = said


class AwsSilent(Exception):
    """AWS could not be asked; the text says why."""


class AwsApi:
    """Asks any service of AWS by the name of an operation."""

    def __init__(self) -> None:
        """Loads nothing before the first question."""
        self._session: Session | None = None
        # Making clients is not safe in threads; calling them is.
        self._making = threading.Lock()

    async def ask(
        self,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        keys: AwsKeys,
        *,
        endpoint: str | None,
        seconds: float,
    ) -> Mapping[str, Any]:
        """The answer. Asked once; `endpoint` None is the region's own. AwsRefused, AwsSilent."""

        def work() -> Mapping[str, Any]:
            client = self._client(service, keys, endpoint, seconds)
            try:
                return getattr(client, operation)(**params)
            finally:
                client.close()

        try:
            async with asyncio.timeout(2 * seconds):
                return await asyncio.to_thread(work)
        except ClientError as error:
            told = cast("Mapping[str, Any]", error.response.get("Error", {}))
            # Told of a wrong signature, AWS repeats what was signed, tokens included.
            known = KnownSecrets((keys.access_key, keys.secret_key, keys.session_token))
            said = known.text(str(told.get("Message", "")))
            raise AwsRefused(str(told.get("Code", "")), said) from None
        except (BotoCoreError, ValueError, OSError) as error:
            raise AwsSilent(str(error) or type(error).__name__) from None

    def _client(self, service: str, keys: AwsKeys, endpoint: str | None, seconds: float) -> Any:
        config = Config(
            connect_timeout=seconds,
            read_timeout=seconds,
            retries={"total_max_attempts": 1},
            proxies={},  # As model calls go: without the host's proxies.
        )
        with self._making:
            self._session = self._session or Session()
            return cast("Any", self._session).create_client(
                service,
                region_name=keys.region,
                endpoint_url=endpoint,
                aws_access_key_id=keys.access_key,
                aws_secret_access_key=keys.secret_key,
                aws_session_token=keys.session_token,
                config=config,
            )
