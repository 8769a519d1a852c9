"""The process that only works: tests come from a database that others serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from seatrial.domain.errors import SetupFailed
from seatrial.settings import Settings
from seatrial.store import open_store
from seatrial.worker import Worker

from .logs import configure_logs
from .loop_lag import watch_loop_lag
from .owner import owned
from .parts import worker_parts
from .serve import stop_on_signals
from .vault import open_vault


async def run_worker(settings: Settings, *, announce: Callable[[str], None] = print) -> None:
    """Work until SIGTERM or SIGINT. SetupFailed without a PostgreSQL to share."""
    if settings.database_url is None:
        raise SetupFailed(
            "A worker of its own shares a PostgreSQL database with its server.",
            hint="Set SEATRIAL_DATABASE_URL, or run `seatrial serve`, which works by itself.",
        )
    settings = without_private_urls(settings)
    configure_logs(settings)
    with owned(settings.data_dir):
        store = open_store(settings.store_url)
        await store.open()
        try:
            vault = await open_vault(settings, store)
            async with worker_parts(settings, store, vault, announce) as parts:
                # Other workers may take what this one cannot: its tests never fail for its engine.
                worker = Worker(replace(parts, engine_wait_seconds=None))
                announce(f"Worker {parts.name} takes up to {parts.max_running} tests at a time")
                await _until_stopped(worker)
        finally:
            await store.aclose()


def without_private_urls(settings: Settings) -> Settings:
    """Without private addresses unless a setting allows them.

    Only the server knows whether users have accounts: its own settings are not this process's.
    """
    if settings.require_token is None and settings.private_base_urls is None:
        return settings.model_copy(update={"private_base_urls": False})
    return settings


async def _until_stopped(worker: Worker) -> None:
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    working = asyncio.create_task(worker.run())
    waiting = asyncio.create_task(stopping.wait())
    watching = asyncio.create_task(watch_loop_lag())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    worker.stop()
    try:
        await working
    finally:
        watching.cancel()
