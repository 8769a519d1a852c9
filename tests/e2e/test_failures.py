"""Every failure names its cause: code, whose fault and the event that proves it."""

from __future__ import annotations

import pytest

from seatrial.domain.errors import InvalidRequest
from seatrial.domain.events import FailureEvent
from seatrial.domain.phases import Outcome
from seatrial.domain.requests import Limits, TestRequest
from tests.support import agents
from tests.support.serving import Serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

CASES: dict[str, tuple[str, dict[str, object], str]] = {
    "exception": (
        "def run(query):\n    raise RuntimeError('the soup is cold')\n",
        {},
        "agent.exception",
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


@pytest.mark.spec("US3-3", "FR-013", "SC-007", "edge-3", "edge-10")
@pytest.mark.parametrize("case", CASES)
def test_a_failure_names_its_cause_and_proves_it(serving: Serving, case: str) -> None:
    source, fields, code = CASES[case]
    request = TestRequest.model_validate(
        {"files": agents.files(source), "query": "q", "model": "none", **fields}
    )
    with serving.client() as client:
        done = client.wait(client.submit(request).id)
        events = list(client.events(done.id, follow=False))

    assert done.outcome is Outcome.FAILED
    assert done.failure is not None
    assert done.failure.code.startswith(code)
    assert done.failure.whose == code.partition(".")[0]
    assert done.failure.message
    assert done.failure.what_to_do
    assert done.attempt == 1
    assert [e.data.failure for e in events if isinstance(e.data, FailureEvent)] == [done.failure]
    if done.failure.evidence_event is not None:
        assert 1 <= done.failure.evidence_event <= len(events)


@pytest.mark.spec("FR-007", "US3-5", "edge-2")
def test_an_agent_that_ignores_signals_ends_at_its_time_limit(serving: Serving) -> None:
    with serving.client() as client:
        test = client.submit(
            files=agents.files(agents.STUBBORN), query="x", model="none", timeout_seconds=6
        )
        done = client.wait(test.id)

    assert done.outcome is Outcome.TIMED_OUT
    assert done.failure is not None
    assert done.failure.code == "limit.timeout"
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
