"""Limits in seconds, on a machine that has other things to do as well."""

from __future__ import annotations

import os


def allowed(seconds: float) -> float:
    """What so many seconds of a quiet machine may take on this one, as busy as it is now."""
    waiting_for_each_core = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(1.0, 1.5 * waiting_for_each_core)
