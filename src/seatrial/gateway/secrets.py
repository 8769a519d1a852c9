"""Opens the secrets of a test, so that its agent gets what it asked for and nobody sees them."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Mapping

from seatrial.domain.credential_ports import SecretReader
from seatrial.domain.credentials import TOOL_SECRET
from seatrial.domain.errors import FailureError, NotFound
from seatrial.domain.failures import failure
from seatrial.domain.redaction import Known
from seatrial.domain.requests import TestRequest
from seatrial.settings import Settings

from . import keys
from .accounts import providers_of
from .redaction import EventRedactor
from .scrub import KnownSecrets


class TestSecrets:
    """Fulfils the port `Secrets`. One object per process."""

    __test__ = False

    def __init__(
        self,
        settings: Settings,
        credentials: SecretReader,
        *,
        also: Iterable[str] = (),
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """`also` are further values of the operator, such as the password of a package index."""
        self._settings = settings
        self._credentials = credentials
        self._own = (*keys.operator_secrets(settings, environ), *also)
        self._live: weakref.WeakSet[KnownSecrets] = weakref.WeakSet()
        self._always = KnownSecrets(self._own)

    def redactor(self, redacted: Iterable[str] = ()) -> EventRedactor:
        """See Secrets."""
        known = KnownSecrets(self._own)
        self._live.add(known)
        return EventRedactor(known, redacted)

    async def open(self, request: TestRequest, owner: str, known: Known) -> Mapping[str, str]:
        """See Secrets."""
        for provider in sorted(providers_of(request, self._settings)):
            await self._learn(owner, provider, request.credential, known)
        found = {
            variable: await self._tool_secret(owner, variable, name)
            for variable, name in request.secrets.items()
        }
        known.learn(found.values())
        return found

    def text(self, text: str) -> str:
        """A text of this process's own log without the secrets of any test that runs."""
        text = self._always.text(text)
        for known in tuple(self._live):
            text = known.text(text)
        return text

    async def _learn(self, owner: str, provider: str, name: str | None, known: Known) -> None:
        try:
            credential = await self._credentials.open(owner, provider, name)
        except NotFound:
            return  # resolving the model says so
        if credential is not None:
            known.learn(keys.values_of(credential))

    async def _tool_secret(self, owner: str, variable: str, name: str) -> str:
        try:
            credential = await self._credentials.open_named(owner, TOOL_SECRET, name)
        except NotFound as error:
            message = f"{variable}: {error.message}"
            raise FailureError(failure("user.secret_not_found", message)) from None
        return credential.value or ""
