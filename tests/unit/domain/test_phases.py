"""Which phase may follow which."""

from __future__ import annotations

import itertools

import pytest

from seatrial.domain.phases import Phase, may_follow

ALLOWED = {
    (Phase.QUEUED, Phase.BUILDING),
    (Phase.QUEUED, Phase.COMPLETED),
    (Phase.BUILDING, Phase.RUNNING),
    (Phase.BUILDING, Phase.QUEUED),
    (Phase.BUILDING, Phase.COMPLETED),
    (Phase.RUNNING, Phase.QUEUED),
    (Phase.RUNNING, Phase.COMPLETED),
}


@pytest.mark.spec("US3-2")
@pytest.mark.parametrize(("current", "following"), list(itertools.product(Phase, Phase)))
def test_a_phase_is_followed_only_by_those_that_the_design_names(
    current: Phase, following: Phase
) -> None:
    assert may_follow(current, following) == ((current, following) in ALLOWED)


def test_a_completed_test_goes_nowhere() -> None:
    assert not any(may_follow(Phase.COMPLETED, following) for following in Phase)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_leads_to_an_end(phase: Phase) -> None:
    reached = {phase}
    while grown := {b for a, b in ALLOWED if a in reached} - reached:
        reached |= grown
    assert Phase.COMPLETED in reached
