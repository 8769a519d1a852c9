"""Waits for what a worker finds out when it tries a package out."""

from __future__ import annotations

import time

from seatrial.client import Client
from seatrial.domain.packages import Rehearsal

_SECONDS = 300.0


def tried_out(client: Client, test_id: str) -> Rehearsal:
    """What came out of trying the test's only package out. The API tells it to who asks again."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        [package] = client.packages(test_id).packages
        if package.rehearsal.state not in {"waiting", "running"}:
            return package.rehearsal
        time.sleep(0.2)
    raise AssertionError("It was not tried out in time.")
