"""The process that serves: the API, and on one machine the worker and the gateway with it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from seatrial.domain.credential_ports import KeyRotation
from seatrial.domain.errors import PlatformError, SetupFailed
from seatrial.domain.ports import Store
from seatrial.domain.pulls import ModelPulls
from seatrial.server.app import create_app
from seatrial.server.deps import ServerDeps
from seatrial.server.guards import is_loopback
from seatrial.server.listen import serve as serve_on
from seatrial.server.listen import tcp_socket, unix_socket
from seatrial.server.metrics import ServerMetrics
from seatrial.server.webhooks import WebhookSender
from seatrial.settings import Settings
from seatrial.store import open_store

from . import access, retention
from .logs import configure_logs
from .loop_lag import watch_loop_lag
from .owner import owned
from .webhook_key import load_webhook_key

if TYPE_CHECKING:
    # Container libraries are imported only where a worker runs: a server needs none.
    from seatrial.worker import Worker, WorkerDeps


LOCAL_USER = "local"
_IDLE_ROUND_SECONDS = 0.5
_OPEN_PORT = (
    "Warning: the port asks for no token (SEATRIAL_REQUIRE_TOKEN=0): every user and every program "
    "of this machine can use it as you."
)


async def serve(
    settings: Settings,
    *,
    with_worker: bool = True,
    listen: bool = True,
    announce: Callable[[str], None] = print,
    on_terminal: bool = False,
) -> None:
    """Serve until SIGTERM, SIGINT or, when so set, until nobody needed it for a while.

    `listen` False leaves out the TCP port: only the data folder's socket is there. `on_terminal`
    True lets what is announced contain the port's token: only its user sees it. FolderOwned;
    SetupFailed for an address that is taken or that nobody guards.
    """
    refuse_open_address(settings, listen=listen)
    configure_logs(settings)
    with owned(settings.data_dir):
        async with contextlib.AsyncExitStack() as stack:
            store = open_store(settings.store_url)
            await store.open()
            stack.push_async_callback(store.aclose)
            parts: WorkerDeps | None = None
            vault: KeyRotation | None = None
            if with_worker:
                from .parts import worker_parts
                from .vault import open_vault

                vault = opener = await open_vault(settings, store)
                parts = await stack.enter_async_context(
                    worker_parts(settings, store, opener, announce)
                )
            if warning := retention.warning(settings):
                announce(warning)
            if listen and settings.has_open_port:
                announce(_OPEN_PORT)
            deps = _deps(settings, store, parts, vault)
            stack.callback(access.withdraw, settings)
            address = _Announcement(settings, announce, with_token=on_terminal)
            await _run(deps, parts, _sockets(settings, listen=listen), address)


def refuse_open_address(settings: Settings, *, listen: bool) -> None:
    """SetupFailed for an address beyond this machine where users have no accounts."""
    if listen and not settings.has_accounts and not is_loopback(settings.host):
        raise SetupFailed(
            f"{settings.host} can be reached from other machines, and users have no accounts.",
            hint="Set SEATRIAL_REQUIRE_TOKEN=1 and make a token: seatrial users token NAME",
        )


def _deps(
    settings: Settings, store: Store, parts: WorkerDeps | None, rotation: KeyRotation | None
) -> ServerDeps:
    return ServerDeps(
        store=store,
        settings=settings,
        providers=parts.providers if parts else None,
        pulls=_pulls(settings) if parts else None,
        environments=parts.environments if parts else None,
        key_rotation=rotation,
        webhook_key=load_webhook_key(settings),
        local_owner=LOCAL_USER if settings.has_open_port else None,
        socket_owner=LOCAL_USER,
        # An open port takes it too: a browser that has kept it goes on.
        local_token=None if settings.has_accounts else access.local_token(settings.data_dir),
    )


async def _run(
    deps: ServerDeps,
    parts: WorkerDeps | None,
    sockets: list[socket.socket],
    announcement: _Announcement,
) -> None:
    settings = deps.settings
    started = asyncio.Event()
    worker = _worker(parts) if parts else None
    stop_on_signals(deps.stopping)
    async with asyncio.TaskGroup() as tasks:
        sender = WebhookSender(
            deps.store, deps.webhook_key, may_be_private=settings.allows_private_urls
        )
        helpers = [tasks.create_task(retention.keep_removing(settings, deps.store))]
        helpers.append(tasks.create_task(sender.run()))
        if worker is not None:
            tasks.create_task(_work(worker, deps.stopping))
            helpers.append(tasks.create_task(_idle(settings, deps, worker)))
            helpers.append(tasks.create_task(_stop_working(worker, deps.stopping)))
        helpers.append(tasks.create_task(announcement.when(started, sockets)))
        app = create_app(deps)
        measured = cast("ServerMetrics", app.state.metrics)
        helpers.append(tasks.create_task(watch_loop_lag(measured.lagged)))
        await serve_on(app, deps, sockets, started=started)
        for helper in helpers:
            helper.cancel()
        if worker is not None:
            worker.stop()


def _pulls(settings: Settings) -> ModelPulls:
    from seatrial.gateway import OllamaPulls

    return OllamaPulls(settings)


def _worker(parts: WorkerDeps) -> Worker:
    from seatrial.worker import Worker

    return Worker(parts)


async def _work(worker: Worker, stopping: asyncio.Event) -> None:
    """Run the worker; the server ends with it."""
    try:
        await worker.run()
    finally:
        stopping.set()


async def _stop_working(worker: Worker, stopping: asyncio.Event) -> None:
    """Hand tests back while the server still ends its answers: nothing new is begun."""
    await stopping.wait()
    worker.stop()


class _Announcement:
    """Says where the server listens, and records it."""

    def __init__(
        self, settings: Settings, announce: Callable[[str], None], *, with_token: bool
    ) -> None:
        self._settings = settings
        self._announce = announce
        self._with_token = with_token

    async def when(self, started: asyncio.Event, sockets: list[socket.socket]) -> None:
        """Announce every socket once the server has started."""
        await started.wait()
        for bound in sockets:
            if bound.family != socket.AF_UNIX:
                host, port = bound.getsockname()[:2]
                self._port(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        self._announce(f"Seatrial serves on {self._settings.socket_path}")

    def _port(self, url: str) -> None:
        where = access.publish(self._settings, url)
        if self._with_token or where.access != "token":
            self._announce(f"Seatrial serves on {access.page_address(self._settings, where)}")
            return
        # What is written to a file or a service's log may be read by others.
        self._announce(f"Seatrial serves on {url}")
        self._announce("It asks for a token: `seatrial serve --show-url` prints it.")


async def _idle(settings: Settings, deps: ServerDeps, worker: Worker) -> None:
    """End a process that nobody needs; one without such a setting stays."""
    while settings.idle_exit_seconds:
        await asyncio.sleep(_IDLE_ROUND_SECONDS)
        quiet = deps.activity.idle_seconds > settings.idle_exit_seconds
        if quiet and not worker.running and not await _has_queued(deps.store):
            deps.stopping.set()
            return


async def _has_queued(store: Store) -> bool:
    """Whether tests wait. A database that does not answer may hold some."""
    try:
        return bool((await store.state()).queued)
    except PlatformError:
        return True


def stop_on_signals(stopping: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT set the event; a second one ends the process at once."""
    loop = asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        if stopping.is_set():
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)


def _sockets(settings: Settings, *, listen: bool) -> list[socket.socket]:
    sockets = [unix_socket(settings.socket_path)]
    if listen:
        sockets.append(tcp_socket(settings.host, settings.port))
    return sockets
