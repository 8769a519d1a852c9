"""Tests through faults at random, on a real engine and database that are broken on purpose.

A run prints its seed. To see it again:

    SEATRIAL_CHAOS_SEED=N pytest -s -n0 tests/chaos

With SEATRIAL_TEST_FULL=1 it drives 200 tests, through every fault in every phase;
SEATRIAL_CHAOS_TESTS sets another number, SEATRIAL_CHAOS_ENGINE=podman another engine. The same
seed gives the same tests and faults; how they meet still depends on the machine.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import cast

import pytest

from seatrial.engines.private import Kind

from . import checks
from .faults import EVERYWHERE, SPLIT
from .plan import Round, plan
from .site import Site, site
from .story import Story

FULL = bool(os.environ.get("SEATRIAL_TEST_FULL"))
SEED = int(os.environ.get("SEATRIAL_CHAOS_SEED") or random.SystemRandom().randrange(10**9))
ENGINE = cast("Kind", os.environ.get("SEATRIAL_CHAOS_ENGINE", "docker"))
TESTS_A_ROUND = 4 if FULL else 6

pytestmark = [pytest.mark.engine, pytest.mark.timeout(7200 if FULL else 1500)]


def _name(split: bool) -> str:
    return "PostgreSQL" if split else "SQLite"


async def survive(running: Site, rounds: Sequence[Round]) -> None:
    """Carry the plan out, then look at everything that must hold."""
    story = Story(running, SEED)
    try:
        await story.run(rounds)
        planned = [test for each in rounds for test in each.tests]
        wrong = await checks.all_tests(story, planned)
        wrong += await checks.capacity_is_back(story)
        wrong += await checks.nothing_is_left(running)
        wrong += [
            f"{daemon.name} ended by itself: {daemon.ends}"
            for daemon in running.daemons
            if daemon.ends
        ]
        story.say("everything was looked at")
    finally:
        await story.aclose()
    logs = "".join(f"--- {daemon.name}\n{daemon.log[-4000:]}" for daemon in running.daemons)
    assert not wrong, "\n".join([f"seed {SEED}", *wrong, logs])
    assert set(await running.stop()) == {0}


@pytest.mark.postgres
@pytest.mark.spec("SC-006", "edge-3", "edge-7", "FR-009")
@pytest.mark.parametrize("split", [True, False] if FULL else [True], ids=_name)
async def test_tests_outlive_faults_of_every_part_in_every_phase(split: bool) -> None:
    """Server and workers apart over PostgreSQL; in the full suite one process with SQLite, too."""
    count = int(os.environ.get("SEATRIAL_CHAOS_TESTS") or (200 if FULL else 24))
    print(f"\nSEATRIAL_CHAOS_SEED={SEED}: {count} tests on {ENGINE} and {_name(split)}")
    rounds = plan(SEED, count, -(-count // TESTS_A_ROUND), list(SPLIT if split else EVERYWHERE))
    async with site(ENGINE, split=split) as running:
        await survive(running, rounds)
