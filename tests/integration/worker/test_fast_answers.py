"""What an answer says of itself, however fast it came."""

from __future__ import annotations

import os
import sys

import pytest
from tests.support import agents
from tests.support.fake_worker import rig

from seatrial.domain.events import ResultEvent
from seatrial.domain.phases import Outcome

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="the fake engine needs Linux and root"
    ),
]


@pytest.mark.spec("FR-005", "US2-1")
async def test_an_agent_that_answers_at_once_names_its_entry_point_in_result_and_journal() -> None:
    async with rig() as here:
        # What is called and what it answers arrive together: a few agents make that sure.
        for _ in range(4):
            test = await here.submit(agents.ECHO)
            done = await here.ended(test)
            assert done.outcome is Outcome.SUCCEEDED, done.failure
            [said] = [e.data for e in await here.events(test) if isinstance(e.data, ResultEvent)]
            assert done.result is not None
            for result in (said.result, done.result):
                assert (result.entry_point, result.framework) == ("agent.py:run", "function")
