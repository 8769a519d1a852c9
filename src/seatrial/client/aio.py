"""The asynchronous client: the API's calls as methods, by the API's own words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Self, Unpack
from urllib.parse import quote

from seatrial.domain.answers import (
    CredentialList,
    EnvironmentList,
    Freed,
    LimitList,
    ModelList,
    NewToken,
    ProviderList,
    Removed,
    Resealed,
    Session,
    TokenList,
    ValidationReport,
    WebhookSecret,
)
from seatrial.domain.credentials import Credential, CredentialInfo
from seatrial.domain.embedding import EmbedToken
from seatrial.domain.errors import FieldProblem, InvalidRequest, PlatformError
from seatrial.domain.events import Event, EventPage
from seatrial.domain.packages import PackageInfo, PackageList, Target
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.ports import EnvironmentInfo, ProviderState, QueueState, TokenInfo
from seatrial.domain.pulls import PullProgress
from seatrial.domain.recordings import RecordingInfo
from seatrial.domain.requests import LimitRange, TestRequest
from seatrial.domain.tests import Test, TestPage, TestSummary

from . import answers
from .address import resolved
from .errors import ServerUnreachable
from .fields import ChangeFields, RequestFields, changes, made
from .follow import Follower, Patience
from .pull import pulled
from .transport import PREFIX, Transport

PAGE_SIZE = 50
_EVENTS_PAGE = 1000


class AsyncClient:
    """A connection to one Seatrial server.

        async with AsyncClient() as client:  # or AsyncClient("https://…", token=token)
            test = await client.submit(files={"agent.py": code}, query="hello")
            async for event in client.events(test.id):
                print(event.data)

    Every method raises errors of `seatrial.domain.errors` only: `NotFound` for a test that does
    not exist or is somebody else's, `NotAuthenticated` and `NotAllowed` for the token,
    `ServerUnreachable` (a `PlatformError`) when nothing answers. One client serves any number
    of tasks of one event loop.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        socket_path: Path | None = None,
        patience: Patience | None = None,
    ) -> None:
        """At `url` with `token`, or behind the Unix socket `socket_path`.

        Without either: the server of SEATRIAL_URL, else the one that owns the local data folder
        (`seatrial serve`), by its socket and without a token. The token of a URL may come from
        SEATRIAL_TOKEN, or in the address that `seatrial serve` prints. `patience` limits how long
        a client tries to reconnect a lost event stream.
        """
        self._transport = Transport(resolved(url, token, socket_path))
        self._patience = patience or Patience()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Idempotent; tests that run are not touched."""
        await self._transport.aclose()

    async def validate(
        self, request: TestRequest | None = None, **fields: Unpack[RequestFields]
    ) -> tuple[FieldProblem, ...]:
        """Check a request without queueing it: every rule it breaks, none when it is good."""
        try:
            body = await self._post(f"{PREFIX}/validate", made(request, fields))
        except InvalidRequest as error:
            return error.problems
        return answers.read(ValidationReport, body).problems

    async def submit(
        self,
        request: TestRequest | None = None,
        *,
        idempotency_key: str | None = None,
        **fields: Unpack[RequestFields],
    ) -> Test:
        """Queue a test: a request, its fields as keyword arguments, or a request changed by them.

        The same `idempotency_key` within 24 hours gives the first call's test again, so a call
        whose answer was lost can be repeated. InvalidRequest, QueueFull, Conflict.
        """
        headers = _key(idempotency_key)
        body = await self._post(f"{PREFIX}/tests", made(request, fields), headers)
        return answers.read_test(body)

    async def test(self, test_id: str) -> Test:
        """The test as it stands now, with its queue place while it waits."""
        return answers.read_test(await self._transport.send("GET", _of(test_id)))

    async def tests(
        self,
        *,
        cursor: str | None = None,
        limit: int = PAGE_SIZE,
        outcome: Outcome | None = None,
        model: str | None = None,
        text: str = "",
    ) -> TestPage:
        """One page of your tests, newest first; `text` is searched in name, query and id.

        `model` is the first that a test named; `default` finds those that named none.
        The next page is asked for with this one's `next_cursor`.
        """
        query = {
            "cursor": cursor,
            "limit": limit,
            "outcome": outcome,
            "model": model,
            "q": text or None,
        }
        body = await self._transport.send("GET", f"{PREFIX}/tests", query=query)
        return answers.read(TestPage, body)

    async def every_test(
        self, *, outcome: Outcome | None = None, model: str | None = None, text: str = ""
    ) -> AsyncGenerator[TestSummary, None]:
        """All of your tests, newest first, page after page as they are consumed."""
        cursor: str | None = None
        while True:
            page = await self.tests(cursor=cursor, outcome=outcome, model=model, text=text)
            for summary in page.tests:
                yield summary
            cursor = page.next_cursor
            if cursor is None:
                return

    async def events(
        self, test_id: str, *, after: int = 0, follow: bool = True
    ) -> AsyncGenerator[Event, None]:
        """The journal's events numbered above `after`, each once and in order.

        With `follow`, until the test ends, across lost connections; without, what there is now.
        A loop that is left early should close the iterator (`contextlib.aclosing`).
        """
        source = self._followed(test_id, after) if follow else self._written(test_id, after)
        async with aclosing(source) as events:
            async for event in events:
                yield event

    async def wait(self, test_id: str) -> Test:
        """The completed test, when it is. Put `asyncio.timeout` around it to wait no longer."""
        test = await self.test(test_id)
        if test.phase is not Phase.COMPLETED:
            async with aclosing(self._followed(test_id, test.last_event)) as events:
                async for _ in events:
                    pass
            test = await self.test(test_id)
        return test

    async def cancel(self, test_id: str) -> Test:
        """Ask for the test's end. One that is completed is returned as it is."""
        return answers.read_test(await self._transport.send("POST", f"{_of(test_id)}/cancel"))

    async def retry(
        self,
        test_id: str,
        *,
        idempotency_key: str | None = None,
        **fields: Unpack[ChangeFields],
    ) -> Test:
        """A new test of the same request with these fields changed; the old one stays.

        `files`, `env` and `secrets` replace and add what they name and keep the rest; None removes
        one. The key is that of `submit`. InvalidRequest, QueueFull.
        """
        body = changes(fields).model_dump(mode="json", exclude_none=True)
        path = f"{_of(test_id)}/retry"
        answer = await self._transport.send("POST", path, json=body, headers=_key(idempotency_key))
        return answers.read_test(answer)

    async def recording(self, test_id: str) -> RecordingInfo:
        """The test's recorded model calls, without their bodies. NotFound when there are none."""
        body = await self._transport.send("GET", f"{_of(test_id)}/recording")
        return answers.read(RecordingInfo, body)

    async def download_recording(self, test_id: str) -> bytes:
        """The recorded model calls with their bodies: JSON lines, one a call. NotFound."""
        return await self._transport.send("GET", f"{_of(test_id)}/recording/calls")

    async def packages(self, test_id: str) -> PackageList:
        """The test's packages, and the targets that it can be packaged for."""
        body = await self._transport.send("GET", f"{_of(test_id)}/packages")
        return answers.read(PackageList, body)

    async def build_package(self, test_id: str, target: Target | None = None) -> PackageInfo:
        """Make a deployment package; without a target for the one that fits the provider.

        PackageRefused with the reason when there can be none, of a failed test for example.
        """
        order = {} if target is None else {"target": target}
        body = await self._transport.send("POST", f"{_of(test_id)}/packages", json=order)
        return answers.read(PackageInfo, body)

    async def download_package(self, test_id: str, target: Target) -> bytes:
        """The archive of a package that was made. NotFound when it was not."""
        return await self._transport.send("GET", f"{_of(test_id)}/packages/{target}.zip")

    async def embed_token(
        self, test_id: str, origins: Sequence[str], *, lifetime_seconds: int = 3600
    ) -> EmbedToken:
        """A token with which pages of these origins show this one test, and do nothing else.

        For `<seatrial-test>`; good for so many seconds, a minute to a day. InvalidRequest for an
        origin that is not written as browsers do (`https://host` or `https://host:port`).
        """
        order = {"origins": list(origins), "lifetime_seconds": lifetime_seconds}
        body = await self._transport.send("POST", f"{_of(test_id)}/embed", json=order)
        return answers.read(EmbedToken, body)

    async def delete(self, test_id: str) -> None:
        """Remove a completed test with its journal. Conflict while it is unfinished."""
        await self._transport.send("DELETE", _of(test_id))

    async def clear(self, before: datetime | None = None) -> int:
        """Remove your completed tests, or those created before a time; how many."""
        query = {"before": before.isoformat() if before else None}
        body = await self._transport.send("DELETE", f"{PREFIX}/tests", query=query)
        return answers.read(Removed, body).removed

    async def queue(self) -> QueueState:
        """How many tests wait and run, and how many can run at one time."""
        body = await self._transport.send("GET", f"{PREFIX}/queue")
        return answers.read(answers.QUEUE, body)

    async def limits(self) -> Mapping[str, LimitRange]:
        """What a test has that asks for nothing, and what it may ask for, by limit."""
        body = await self._transport.send("GET", f"{PREFIX}/limits")
        return answers.read(LimitList, body).limits

    async def providers(self) -> tuple[ProviderState, ...]:
        """Every configured provider, whether it is reachable, and why not."""
        body = await self._transport.send("GET", f"{PREFIX}/providers")
        return answers.read(ProviderList, body).providers

    async def models(self, provider: str, *, credential: str | None = None) -> tuple[str, ...]:
        """The names of a provider's models; none when it cannot be reached.

        With the name of a stored credential of yours, those that it leads to. NotFound when there
        is no such provider or credential.
        """
        query = {"credential": credential}
        body = await self._transport.send("GET", _models(provider), query=query)
        return answers.read(ModelList, body).models

    async def pull_model(
        self, model: str, *, provider: str = "ollama"
    ) -> AsyncGenerator[PullProgress, None]:
        """Have the server's own Ollama pull a model: its progress, until it is there.

        A model that is being pulled already is not pulled twice. Leaving the loop ends the pull
        unless others follow it; asked for again, it goes on where it stopped. NotAllowed where
        the operator lets nobody, InvalidRequest for a name that leads elsewhere than to Ollama's
        own library, PullFailed.
        """
        source = pulled(self._transport, _models(provider), model, self._patience.silence)
        async with aclosing(source) as steps:
            async for step in steps:
                yield step

    async def environments(self) -> tuple[EnvironmentInfo, ...]:
        """The built sets of dependencies, most recently used first."""
        body = await self._transport.send("GET", f"{PREFIX}/environments")
        return answers.read(EnvironmentList, body).environments

    async def prune_environments(self, keep_bytes: int = 0) -> int:
        """Remove the least recently used environments until the rest fits; bytes given back."""
        body = await self._transport.send(
            "POST", f"{PREFIX}/environments/prune", json={"keep_bytes": keep_bytes}
        )
        return answers.read(Freed, body).freed_bytes

    async def set_credential(self, name: str, credential: Credential) -> CredentialInfo:
        """Store a credential of yours; one of that name is replaced. It is never read back.

        InvalidRequest for a shape that its provider's credentials do not have.
        """
        body = credential.model_dump(mode="json", exclude_none=True)
        answer = await self._transport.send("PUT", _credential(name), json=body)
        return answers.read(CredentialInfo, answer)

    async def credentials(self) -> tuple[CredentialInfo, ...]:
        """Your credentials by name, without their secrets."""
        body = await self._transport.send("GET", f"{PREFIX}/credentials")
        return answers.read(CredentialList, body).credentials

    async def credential(self, name: str) -> CredentialInfo:
        """What may be known of one. NotFound."""
        return answers.read(CredentialInfo, await self._transport.send("GET", _credential(name)))

    async def delete_credential(self, name: str) -> None:
        """Remove it; tests that run go on with it. NotFound."""
        await self._transport.send("DELETE", _credential(name))

    async def rotate_credentials(self) -> int:
        """Seal everybody's credentials to a new key; how many.

        Only the server machine's own user may: NotAllowed.
        """
        body = await self._transport.send("POST", f"{PREFIX}/credentials/rotate")
        return answers.read(Resealed, body).resealed

    async def session(self) -> Session:
        """Who the server takes you for, and its version. NotAuthenticated."""
        return answers.read(Session, await self._transport.send("GET", f"{PREFIX}/session"))

    async def create_token(self, label: str, *, user: str | None = None) -> NewToken:
        """An API token of yours, or of the `user` of that name, made if new; shown this once.

        Only the server machine's own user may name another: NotAllowed.
        """
        wanted = {"label": label, "user": user}
        body = await self._transport.send("POST", f"{PREFIX}/tokens", json=wanted)
        return answers.read(NewToken, body)

    async def tokens(
        self, *, user: str | None = None, everyone: bool = False
    ) -> tuple[TokenInfo, ...]:
        """Your API tokens, those of the `user` of that name, or everyone's, without the tokens.

        Only the server machine's own user may ask for others': NotAllowed.
        """
        query = {"user": user, "everyone": "true" if everyone else None}
        body = await self._transport.send("GET", f"{PREFIX}/tokens", query=query)
        return answers.read(TokenList, body).tokens

    async def revoke_token(self, label: str, *, user: str | None = None) -> None:
        """Revoke your tokens of that label, or those of the `user` of that name.

        Tokens that were made through them end with them.

        Only the server machine's own user may name another: NotAllowed. NotFound when there is
        none.
        """
        path = f"{PREFIX}/tokens/{quote(label, safe='')}"
        await self._transport.send("DELETE", path, query={"user": user})

    async def webhook_secret(self) -> str:
        """What your webhooks are signed with, as the libraries of Standard Webhooks take it."""
        body = await self._transport.send("GET", f"{PREFIX}/webhooks/secret")
        return answers.read(WebhookSecret, body).secret

    async def health(self) -> bool:
        """Whether the server can take tests now. ServerUnreachable when none answers."""
        try:
            await self._transport.send("GET", "/readyz")
        except ServerUnreachable:
            raise
        except PlatformError:
            return False
        return True

    async def _post(
        self, path: str, request: TestRequest, headers: dict[str, str] | None = None
    ) -> bytes:
        body = request.model_dump(mode="json", exclude_unset=True)
        return await self._transport.send("POST", path, json=body, headers=headers)

    async def _written(self, test_id: str, after: int) -> AsyncGenerator[Event, None]:
        while True:
            query = {"after": after, "limit": _EVENTS_PAGE}
            body = await self._transport.send("GET", f"{_of(test_id)}/events", query=query)
            page = answers.read(EventPage, body)
            for event in page.events:
                after = event.number
                yield event
            if page.complete or not page.events:
                return

    def _followed(self, test_id: str, after: int) -> AsyncGenerator[Event, None]:
        async def ended(last: int) -> bool:
            test = await self.test(test_id)
            return test.phase is Phase.COMPLETED and test.last_event <= last

        return Follower(
            self._transport,
            f"{_of(test_id)}/events",
            after=after,
            patience=self._patience,
            ended=ended,
        ).events()


def _key(idempotency_key: str | None) -> dict[str, str] | None:
    return {"idempotency-key": idempotency_key} if idempotency_key is not None else None


def _credential(name: str) -> str:
    return f"{PREFIX}/credentials/{quote(name, safe='')}"


def _models(provider: str) -> str:
    return f"{PREFIX}/providers/{quote(provider, safe='')}/models"


def _of(test_id: str) -> str:
    return f"{PREFIX}/tests/{quote(test_id, safe='')}"
