"""P12: two tests that run at one time share nothing that they could see, fill or signal."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from .conftest import Place
from .corpus import End

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

PROBE = Path(__file__).with_name("probes") / "neighbours.py"
PAIRS = ("mark-of-ann mark-of-bob", "mark-of-bob mark-of-ann")


def _ask(place: Place, pair: str) -> End:
    return place.ask(PROBE.read_text(), pair, timeout_seconds=120)


@pytest.mark.spec("SC-005", "FR-011", "edge-5")
def test_two_runs_at_once_find_no_trace_of_each_other(place: Place) -> None:
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(partial(_ask, place), PAIRS))
    assert [end.test.outcome for end in ends] == ["succeeded"] * 2, [end.said for end in ends]
    ann, bob = (json.loads(end.response) for end in ends)

    assert max(ann["from"], bob["from"]) < min(ann["to"], bob["to"]), "they did not overlap"
    assert ann["found"] == bob["found"] == []
    assert ann["doors"] == bob["doors"] == []
    # On gVisor each has a kernel of its own, whose numbers may be the same.
    for shared in ("uid",) if place.engine == "gvisor" else ("uid", "network", "ipc"):
        assert ann[shared] != bob[shared], shared
    for one in (ann, bob):
        _is_alone(one, place.engine)


def _is_alone(one: dict[str, Any], engine: str) -> None:
    """Its own message queue, its own twenty children, the supervisor and the forwarder."""
    assert one["queues"] == (None if engine == "gvisor" else 1)  # gVisor's kernel lists none
    assert one["processes"] == 23
