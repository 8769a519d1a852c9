"""Has the operator's own Ollama pull models; see seatrial.domain.pulls.ModelPulls."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

import aiohttp

from seatrial.domain.errors import PullFailed
from seatrial.domain.pulls import PullProgress
from seatrial.settings import Settings

from . import pull_errors
from .admission import shown
from .places import Places
from .providers import ollama
from .providers.base import JsonObject, error_text, parse_object, tokens
from .relay import without_secrets
from .sessions import CONNECT_SECONDS

SILENCE_SECONDS = 900.0
"""How long Ollama may say nothing: checking the digest of a large model takes minutes."""

_PAUSE_SECONDS = 0.1
"""Between two looks at the progress, which Ollama tells more often than people can see."""

_SUCCESS = "success"


class OllamaPulls:
    """The pulls that this process has asked for; each model has one, whoever follows it."""

    def __init__(self, settings: Settings, *, environ: Mapping[str, str] = os.environ) -> None:
        """Asks the Ollama of the settings, else of `environ`, never one that a user has named."""
        self._places = Places(settings, environ)
        self._running: dict[str, _Pull] = {}

    async def pull(self, model: str) -> AsyncGenerator[PullProgress, None]:
        """See ModelPulls."""
        name = ollama.canonical(model)
        pull = self._running.get(name)
        if pull is None:
            pull = _Pull(self._places.ollama, model, lambda ended: self._forget(name, ended))
            self._running[name] = pull
        async with aclosing(pull.follow()) as steps:
            async for step in steps:
                yield step

    def _forget(self, name: str, ended: _Pull) -> None:
        if self._running.get(name) is ended:
            del self._running[name]


class _Pull:
    """One pull and all who follow it. It runs from now on, as long as somebody does."""

    def __init__(self, base_url: str, model: str, forget: Callable[[_Pull], None]) -> None:
        self._base_url = base_url
        self._address = without_secrets(base_url)
        self._model = model
        self._forget = forget
        self._layers: dict[str, tuple[int, int]] = {}
        self._latest = PullProgress(model=model, status="")
        self._changes = 0
        self._news = asyncio.Event()
        self._followers = 0
        self._work = asyncio.create_task(self._run())
        self._work.add_done_callback(lambda _: self._over())

    async def follow(self) -> AsyncGenerator[PullProgress, None]:
        """The newest progress whenever there is a newer one, until the end. PullFailed."""
        seen = 0
        self._followers += 1
        try:
            while True:
                news = self._news
                if self._changes != seen:
                    seen = self._changes
                    yield self._latest
                    await asyncio.sleep(_PAUSE_SECONDS)
                elif self._work.done():
                    self._work.result()
                    return
                else:
                    await news.wait()
        finally:
            self._followers -= 1
            if not self._followers:
                await self._stop()

    async def _stop(self) -> None:
        """End what nobody follows any more: Ollama stops when its caller goes away."""
        self._forget(self)
        self._work.cancel()
        await asyncio.wait({self._work})
        if not self._work.cancelled():
            self._work.exception()  # Somebody was told it, or nobody wants to know.

    def _over(self) -> None:
        self._forget(self)
        self._tell()

    def _tell(self) -> None:
        """Wake all who follow."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
        )
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            answer = await self._ask(session)
            async with answer:
                await self._read(answer)

    async def _ask(self, session: aiohttp.ClientSession) -> aiohttp.ClientResponse:
        order = {"model": self._model, "stream": True}
        url = f"{self._base_url}/api/pull"
        try:
            answer = await session.post(url, json=order, allow_redirects=False)
            if answer.status == 200:
                return answer
            body = await answer.content.read(pull_errors.MOST_BYTES)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise pull_errors.unreachable(error, self._address) from None
        raise pull_errors.of_status(answer.status, body, self._model, self._address)

    async def _read(self, answer: aiohttp.ClientResponse) -> None:
        """Take line after line, to the one that says that the model is there."""
        try:
            async for line in answer.content:
                if line.strip():
                    self._take(line)
                if self._latest.done:
                    return
        except (aiohttp.ClientError, OSError, ValueError):
            raise pull_errors.interrupted(self._address) from None
        raise pull_errors.interrupted(self._address)

    def _take(self, line: bytes) -> None:
        said = parse_object(line) or {}
        error, status = error_text(said), said.get("status")
        if error is not None:
            raise pull_errors.of_text(error, self._model)
        if not isinstance(status, str):
            raise PullFailed(
                f"{self._address} answered what is not Ollama's progress.",
                hint="Check that OLLAMA_HOST is the address of an Ollama.",
            )
        self._measure(said)
        self._latest = PullProgress(
            model=self._model,
            status=shown(status),
            completed_bytes=sum(completed for completed, _ in self._layers.values()),
            total_bytes=sum(total for _, total in self._layers.values()),
            done=status == _SUCCESS,
        )
        self._changes += 1
        self._tell()

    def _measure(self, said: JsonObject) -> None:
        """Note how far a layer is. What is not begun has no `completed`."""
        digest, total = said.get("digest"), tokens(said, "total")
        if isinstance(digest, str) and total is not None:
            self._layers[digest] = (min(tokens(said, "completed") or 0, total), total)
