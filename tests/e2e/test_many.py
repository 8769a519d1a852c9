"""Several users with several tests at once."""

from __future__ import annotations

import pytest

from seatrial.domain.errors import NotFound
from seatrial.domain.phases import Outcome
from tests.support import agents
from tests.support.serving import Serving

from .conftest import MakeServing

pytestmark = [pytest.mark.engine, pytest.mark.model, pytest.mark.timeout(400)]


def _token(process: Serving, user: str) -> str:
    """A new token, from the command that an operator types."""
    done = process.cli("users", "token", user)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.spec("SC-005", "SC-010", "FR-014", "FR-004", "edge-5")
def test_twelve_tests_of_three_users_run_at_once_and_see_only_their_own(
    make_serving: MakeServing,
) -> None:
    process = make_serving(max_running="12")
    tokens = [_token(process, user) for user in ("ann", "bob", "cem")]
    clients = [process.client(token) for token in tokens]
    submitted = [
        (client, client.submit(files=agents.files(agents.SLOW), query="20", model="none"))
        for _ in range(4)
        for client in clients
    ]
    ended = [client.wait(test.id) for client, test in submitted]

    assert [test.outcome for test in ended] == [Outcome.SUCCEEDED] * 12
    assert all(test.attempt == 1 for test in ended)
    # The last three came when four fifths of the slots were taken, or more.
    waits = [test.metrics.durations.queued for test in ended if test.metrics]
    assert len([wait for wait in waits if wait is not None and wait < 60]) == 12
    for client in clients:
        own = {test.id for owner, test in submitted if owner is client}
        assert {found.id for found in client.tests().tests} == own
    foreign = submitted[1][1].id
    with pytest.raises(NotFound):
        clients[0].test(foreign)
    for client in clients:
        client.close()
