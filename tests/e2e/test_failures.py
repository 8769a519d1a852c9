"""Every failure names its cause: code, whose fault and the event that proves it."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.client import Client
from seatrial.domain.errors import InvalidRequest
from seatrial.domain.events import Event
from seatrial.domain.requests import Limits, TestRequest
from seatrial.domain.tests import Test
from tests.support import agents
from tests.support.serving import Serving

from .conftest import Provoked

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

HOSTILE = Path(__file__).parents[1] / "hostile" / "agents"

CASES: dict[str, tuple[str, dict[str, object], str]] = {
    "exception": (
        "def run(query):\n    raise RuntimeError('the soup is cold')\n",
        {},
        "agent.exception",
    ),
    "made code with an error": (
        "exec('def run(:')\ndef run(query): return 'x'\n",
        {},
        "agent.syntax_error",
    ),
    "missing module": ("import yaml\ndef run(query): return 'x'\n", {}, "agent.import_error"),
    "no entry point": ("x = 1\n", {}, "agent.no_entrypoint"),
    "no response": ("def run(query): return ''\n", {}, "agent.no_response"),
    "exit code": (
        "import os\ndef run(query):\n    print('bye', flush=True)\n    os._exit(3)\n",
        {},
        "agent.exited",
    ),
    "signal": (
        "import os, signal\ndef run(query): os.kill(os.getpid(), signal.SIGKILL)\n",
        {},
        "agent.exited",
    ),
    "forged report": ((HOSTILE / "lying_result.py").read_text(), {}, "agent.tampered"),
    "huge response": (
        "def run(query): return 'x' * 3_000_000\n",
        {},
        "agent.response_too_large",
    ),
    "memory": (
        "def run(query):\n    hoard = []\n    while True: hoard.append(bytearray(2**24))\n",
        {"limits": Limits(memory_mb=128)},
        "limit.memory",
    ),
    "disk": (
        "def run(query):\n"
        "    with open('/tmp/fill', 'wb') as file:\n"
        "        while True: file.write(b'x' * 2**20)\n",
        {"limits": Limits(disk_mb=16)},
        "limit.disk",
    ),
    "files": (
        (HOSTILE / "inode_bomb.py").read_text(),
        {"limits": Limits(disk_mb=16, memory_mb=96)},
        "limit.files",
    ),
    "open files": (
        (HOSTILE / "open_files.py").read_text(),
        {"limits": Limits(open_files=64)},
        "limit.open_files",
    ),
    "processes": (
        "import os, time\n"
        "def run(query):\n"
        "    for _ in range(500):\n"
        "        if os.fork() == 0: time.sleep(30)\n",
        {"limits": Limits(processes=16)},
        "limit.processes",
    ),
    "no such package": (
        "def run(query): return 'x'\n",
        {"requirements": "seatrial-no-such-package==1.0\n"},
        "dependencies.not_found",
    ),
    "conflict": (
        "def run(query): return 'x'\n",
        {"requirements": "six==1.16.0\nsix==1.15.0\n"},
        "dependencies.conflict",
    ),
    "wrong Python": (
        "def run(query): return 'x'\n",
        {"requirements": "smithy-aws-event-stream==0.3.0\n"},
        "dependencies.python_mismatch",
    ),
    "model absent": (
        "def run(query): return 'x'\n",
        {"model": "ollama:llama3.2"},
        "model.unreachable",
    ),
    "model not named": (
        agents.ASK.replace('os.environ["SEATRIAL_MODEL"]', '"llama3.2"'),
        {"model": "testmodel"},
        "model.not_allowed",
    ),
    "model never called": (
        "def run(query): return 'made up'\n",
        {"model": "testmodel"},
        "agent.no_model_call",
    ),
}

OTHERWISE = {("files", "podman"): "limit.memory"}
"""Podman's folders have no limit of files there; what they take counts as memory."""


def submitted(client: Client, source: str, **fields: object) -> Test:
    """Send an agent that asks for no model unless the fields say so."""
    given = {"files": agents.files(source), "query": "q", "model": "none", **fields}
    return client.submit(TestRequest.model_validate(given))


def ended(client: Client, test: Test) -> tuple[Test, list[Event]]:
    """The finished test and its journal."""
    return client.wait(test.id), list(client.events(test.id, follow=False))


@pytest.mark.spec("US3-3", "FR-013", "SC-007", "edge-3", "edge-10")
@pytest.mark.parametrize(
    "case",
    [pytest.param(name, marks=pytest.mark.provokes(case[2])) for name, case in CASES.items()],
)
def test_a_failure_names_its_cause_and_proves_it(
    serving: Serving, engine_name: str, provoked: Provoked, case: str
) -> None:
    source, fields, code = CASES[case]
    with serving.client() as client:
        done, events = ended(client, submitted(client, source, **fields))

    provoked(done, events, OTHERWISE.get((case, engine_name), code))


@pytest.mark.spec("FR-007", "US3-5", "edge-2")
@pytest.mark.provokes("limit.timeout")
def test_an_agent_that_ignores_signals_ends_at_its_time_limit(
    serving: Serving, provoked: Provoked
) -> None:
    with serving.client() as client:
        done, events = ended(client, submitted(client, agents.STUBBORN, timeout_seconds=6))

    provoked(done, events)
    assert done.failure is not None
    assert done.failure.evidence == "not stopping"
    assert done.metrics is not None
    assert done.metrics.wall_seconds is not None
    assert 6 <= done.metrics.wall_seconds < 20


@pytest.mark.spec("FR-013", "US1-1")
@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"files": {"agent.py": "def run(:\n  pass"}}, "files", "agent.py"),
        ({"files": {"other.py": "x"}}, "files", "agent.py"),
        ({"files": {"agent.py": "x=1", "../up.py": "x"}}, "files", ".."),
        ({"files": {"agent.py": "#" * 1_100_000}}, "files", "1"),
        ({"requirements": "no such == thing =="}, "requirements", "line 1"),
        ({"requirements": "# long\n" * 20_000}, "requirements", "100"),
        ({"query": "q" * 100_001}, "query", "100"),
        ({"timeout_seconds": 3601}, "timeout_seconds", "3600"),
        ({"limits": Limits(memory_mb=10**6)}, "limits.memory_mb", "4096"),
        ({"model": "nobody:model"}, "model", "nobody"),
    ],
)
def test_bad_input_is_refused_before_anything_is_queued(
    serving: Serving, fields: dict[str, object], field: str, text: str
) -> None:
    good = {"files": agents.files(agents.ECHO), "query": "q", "model": "none"}
    request = TestRequest.model_validate({**good, **fields})
    with serving.client() as client:
        before = client.tests(limit=1)
        with pytest.raises(InvalidRequest) as refused:
            client.submit(request)
        assert client.tests(limit=1) == before

    problems = [problem for problem in refused.value.problems if problem.field.startswith(field)]
    assert problems, refused.value.problems
    shown = " ".join(f"{p.message} {p.file} line {p.line}".replace(",", "") for p in problems)
    assert text in shown
