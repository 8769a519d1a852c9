"""Removes old tests, by age and by size, and says so when they are not even a week old."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from seatrial.domain.errors import PlatformError
from seatrial.domain.ports import Store
from seatrial.settings import Settings

log = logging.getLogger(__name__)

WEEK = timedelta(days=7)
"""How long users may count on finding their tests again (the specification's assumption)."""

_ROUND_SECONDS = 3600.0


def warning(settings: Settings) -> str:
    """What the operator should know of how long tests are kept; empty when nothing."""
    if not 0 < settings.retention_days < WEEK.days:
        return ""
    kept = "1 day" if settings.retention_days == 1 else f"{settings.retention_days} days"
    return (
        f"Tests are removed after {kept} (SEATRIAL_RETENTION_DAYS): "
        f"users expect to find them for {WEEK.days} days at least."
    )


async def keep_removing(settings: Settings, store: Store) -> None:
    """Look every hour until cancelled. A database that is away is tried again next time."""
    while True:
        try:
            await remove_old(settings, store)
        except PlatformError as error:
            log.warning("old tests could not be removed: %s", error)
        await asyncio.sleep(_ROUND_SECONDS)


async def remove_old(settings: Settings, store: Store) -> int:
    """Remove what is too old, then what does not fit; how many tests. StoreUnavailable."""
    removed = 0
    if settings.retention_days:
        age = timedelta(days=settings.retention_days)
        removed += await store.remove_older(datetime.now(UTC) - age)
    if settings.history_max_gb:
        size = int(settings.history_max_gb * 2**30)
        ended = await store.remove_beyond(size)
        removed += len(ended)
        _tell(ended, settings.history_max_gb)
    return removed


def _tell(ended: Sequence[datetime], limit_gb: float) -> None:
    young = [moment for moment in ended if datetime.now(UTC) - moment < WEEK]
    if young:
        log.warning(
            "%d tests of the last %d days were removed: the history reached %g GiB "
            "(SEATRIAL_HISTORY_MAX_GB)",
            len(young),
            WEEK.days,
            limit_gb,
        )
