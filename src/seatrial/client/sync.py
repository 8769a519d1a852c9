"""The client for code without an event loop: `AsyncClient`'s own methods, each run to its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from .aio import AsyncClient
from .follow import Patience

P = ParamSpec("P")
R = TypeVar("R")

_CANCEL_SECONDS = 2.0


class _Loop:
    """An event loop in its own daemon thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="seatrial-client", daemon=True
        )
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run to the end and give the result; an interrupt of the caller cancels the work."""
        if self._loop.is_closed():
            work.close()
            raise RuntimeError("this client is closed")
        ended = threading.Event()
        future = asyncio.run_coroutine_threadsafe(_marked(work, ended), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            # What is cancelled must have let go before the caller goes on, for example to close it.
            ended.wait(_CANCEL_SECONDS)
            raise

    def close(self, first: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `first`, then end loop and thread. Idempotent."""
        if self._loop.is_closed():
            return
        self.run(first())
        self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _marked(work: Coroutine[Any, Any, R], ended: threading.Event) -> R:
    try:
        return await work
    finally:
        ended.set()


def _runs(
    method: Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Client, P], R]:
    @wraps(method)
    def run(self: Client, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.loop.run(method(self.source, *args, **kwargs))

    return run


def _iterates(
    method: Callable[Concatenate[AsyncClient, P], AsyncGenerator[R, None]],
) -> Callable[Concatenate[Client, P], Iterator[R]]:
    @wraps(method)
    def iterate(self: Client, *args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
        source = method(self.source, *args, **kwargs)
        try:
            while (step := self.loop.run(_step(source))) is not None:
                yield step[0]
        finally:
            self.loop.run(source.aclose())

    return iterate


async def _step(source: AsyncGenerator[R, None]) -> tuple[R] | None:
    """The next value, boxed; None at the end."""
    try:
        return (await anext(source),)
    except StopAsyncIteration:
        return None


class Client:
    """A connection to one Seatrial server, for code without an event loop.

        with Client() as client:  # or Client("https://…", token=token)
            test = client.submit(files={"agent.py": code}, query="hello")
            print(client.wait(test.id).outcome)

    Has the methods of `AsyncClient`, with the same promises; its iterators are plain ones. Any
    number of threads may share one client. An interrupt (Ctrl-C) ends the call, not the test.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        socket_path: Path | None = None,
        patience: Patience | None = None,
    ) -> None:
        """At `url` with `token`, behind the Unix socket `socket_path`, or as `AsyncClient` says."""
        self.source = AsyncClient(url, token=token, socket_path=socket_path, patience=patience)
        self.loop = _Loop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and end the thread. Idempotent."""
        self.loop.close(self.source.aclose)

    validate = _runs(AsyncClient.validate)
    submit = _runs(AsyncClient.submit)
    test = _runs(AsyncClient.test)
    tests = _runs(AsyncClient.tests)
    every_test = _iterates(AsyncClient.every_test)
    events = _iterates(AsyncClient.events)
    wait = _runs(AsyncClient.wait)
    cancel = _runs(AsyncClient.cancel)
    retry = _runs(AsyncClient.retry)
    recording = _runs(AsyncClient.recording)
    download_recording = _runs(AsyncClient.download_recording)
    packages = _runs(AsyncClient.packages)
    build_package = _runs(AsyncClient.build_package)
    download_package = _runs(AsyncClient.download_package)
    embed_token = _runs(AsyncClient.embed_token)
    delete = _runs(AsyncClient.delete)
    clear = _runs(AsyncClient.clear)
    queue = _runs(AsyncClient.queue)
    limits = _runs(AsyncClient.limits)
    providers = _runs(AsyncClient.providers)
    models = _runs(AsyncClient.models)
    pull_model = _iterates(AsyncClient.pull_model)
    environments = _runs(AsyncClient.environments)
    prune_environments = _runs(AsyncClient.prune_environments)
    set_credential = _runs(AsyncClient.set_credential)
    credentials = _runs(AsyncClient.credentials)
    credential = _runs(AsyncClient.credential)
    delete_credential = _runs(AsyncClient.delete_credential)
    rotate_credentials = _runs(AsyncClient.rotate_credentials)
    session = _runs(AsyncClient.session)
    tokens = _runs(AsyncClient.tokens)
    create_token = _runs(AsyncClient.create_token)
    revoke_token = _runs(AsyncClient.revoke_token)
    webhook_secret = _runs(AsyncClient.webhook_secret)
    health = _runs(AsyncClient.health)
