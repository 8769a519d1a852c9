"""Seatrial's own log, on standard error."""

from __future__ import annotations

import logging

from seatrial.settings import Settings

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s %(message)s"


def configure_logs(settings: Settings) -> None:
    """Log at the level of the settings; libraries only what is worth a warning."""
    logging.basicConfig(format=_FORMAT, level=logging.WARNING, force=True)
    logging.getLogger("seatrial").setLevel(settings.log_level.upper())
