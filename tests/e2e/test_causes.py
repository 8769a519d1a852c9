"""Broken agents of the corpus, end to end: the cause is named, and its advice works.

`benchmarks/diagnosis.py` runs the whole corpus; these are the cases of each code that the
product recognizes by what the agent did, and some of every other kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seatrial.client import Client
from seatrial.testing import broken_agents
from seatrial.testing.broken_agents import BrokenAgent
from tests.support.serving import Serving

from .conftest import Provoked

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

CORPUS = Path(__file__).parents[2] / "benchmarks" / "broken_agents"
AGENTS = {f"{agent.kind}: {agent.name}": agent for agent in broken_agents.read(CORPUS)}

PROVOKED = {
    "variables: error of the agent's own": "agent.variable_missing",
    "files: template beside the module, not sent": "agent.file_missing",
    "files: beside a package": "agent.read_only",
    "programs: uvx, asynchronous": "agent.program_missing",
    "addresses: LM Studio": "agent.address_unreachable",
    "hosts: allowed, no such host, with requests": "agent.host_unreachable",
    "input: two questions of a script": "agent.input_ended",
    "entry: Flask": "agent.web_server",
    "modules: submodule that an installed package lacks": "dependencies.version_mismatch",
    "modules: extra of a package, in the library's words": "dependencies.incomplete",
}
ALSO = (
    "addresses: address of the home network",
    "code: second event loop",
    "entry: notebook export",
    "entry: two functions alike",
    "input: loop that swallows the end",
    "files: SQLite below /var/lib",
    "hosts: with httpx, swallowed",
    "modules: own folder that lacks one module",
    "modules: own module that was not sent",
    "modules: own file that hides a package",
    "modules: two packages that do not fit, both with versions",
    "modules: package that is too old for what it needs",
    "modules: package that imports what it does not bring along",
    "variables: exit code alone",
    "variables: KeyError of a dict is no variable",
    "variables: method of None",
)


@pytest.fixture(scope="module")
def client(docker_socket: str) -> Iterator[Client]:
    process = Serving({"docker_host": docker_socket}).start()
    with process.client() as client:
        yield client
    process.close()


@pytest.mark.spec("FR-013", "SC-007")
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.provokes(code)) for name, code in PROVOKED.items()],
)
def test_a_recognized_cause_is_named_and_its_advice_works(
    client: Client, name: str, provoked: Provoked
) -> None:
    agent = AGENTS[name]
    done = client.wait(client.submit(**agent.fields).id)
    provoked(done, list(client.events(done.id)))
    assert broken_agents.faults_of_end(agent, done) == []
    assert_advice_works(client, agent, done.id)


@pytest.mark.spec("FR-013")
@pytest.mark.parametrize("name", ALSO)
def test_a_broken_agent_is_explained_as_written_down(client: Client, name: str) -> None:
    agent = AGENTS[name]
    done = client.wait(client.submit(**agent.fields).id)
    assert broken_agents.faults_of_end(agent, done) == []
    assert_advice_works(client, agent, done.id)


def assert_advice_works(client: Client, agent: BrokenAgent, test_id: str) -> None:
    """Follow the advice as the corpus says, and apply the change that the failure offers."""
    if agent.fields_after is not None:
        after = client.wait(client.submit(**agent.fields_after).id)
        assert broken_agents.faults_of_success(after) == []
    if agent.fix:
        changes = broken_agents.changes_offered(client.test(test_id))
        assert changes is not None
        again = client.retry(test_id, **changes.model_dump(exclude_unset=True))
        assert broken_agents.faults_of_success(client.wait(again.id)) == []


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(AGENTS) >= 120
    assert len(PROVOKED) + len(ALSO) >= 20
