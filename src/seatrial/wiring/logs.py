"""Seatrial's own log, on standard error."""

from __future__ import annotations

import logging
from collections.abc import Callable

from seatrial.settings import Settings

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s %(message)s"


def configure_logs(settings: Settings) -> None:
    """Log at the level of the settings; libraries only what is worth a warning."""
    logging.basicConfig(format=_FORMAT, level=logging.WARNING, force=True)
    logging.getLogger("seatrial").setLevel(settings.log_level.upper())


def clean_logs(clean: Callable[[str], str]) -> None:
    """Write nothing any more that `clean` would take out, tracebacks included."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Clean(clean))


class _Clean(logging.Formatter):
    def __init__(self, clean: Callable[[str], str]) -> None:
        super().__init__(_FORMAT)
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        """The whole entry, with what it says of an exception."""
        return self._clean(super().format(record))
