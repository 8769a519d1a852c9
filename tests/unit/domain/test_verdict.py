"""One outcome and one cause for every way in which an attempt can end."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.test_causes import CAUSES

from seatrial.domain.events import MetricEvent, ModelCallEvent
from seatrial.domain.failures import CATALOGUE
from seatrial.domain.phases import Outcome
from seatrial.domain.record import AgentError, AgentExit, AttemptRecord
from seatrial.domain.requests import Limits, TestRequest
from seatrial.domain.tests import Result
from seatrial.domain.validation import Maxima
from seatrial.domain.verdict import Ending, Verdict, verdict

REQUEST = TestRequest(
    files={"agent.py": ""}, query="q", model="ollama:m", timeout_seconds=7, limits=Limits()
)
MB = 2**20

ANSWER = Result(response="an answer")
GOOD_EXIT = AgentExit(0, None, "exited", memory_peak_bytes=9 * MB)
GOOD_CALL = ModelCallEvent(provider="ollama", model="m", status=200, latency_seconds=0.1)
BAD_CALL = GOOD_CALL.model_copy(
    update={"status": 429, "error": "model.rate_limited", "message": "slow down"}
)
LOST_CALL = GOOD_CALL.model_copy(update={"status": 200, "error": "model.lost_mid_stream"})
ERROR = AgentError("call", "ValueError", "no soup", "agent.py", 4)

DONE = AttemptRecord(
    entry_point="agent.py:run",
    result=ANSWER,
    exit=GOOD_EXIT,
    exit_event=20,
    calls=(GOOD_CALL,),
    last_call_event=9,
    last_log_event=8,
    last_log_line="last words",
)
RAISED = replace(
    DONE,
    result=None,
    error=ERROR,
    error_event=12,
    exit=replace(GOOD_EXIT, code=1),
)


def raised(**error: object) -> AttemptRecord:
    return replace(RAISED, error=replace(ERROR, **error))


def ended(record: AttemptRecord = DONE, **exit_: object) -> AttemptRecord:
    return replace(record, exit=replace(GOOD_EXIT, **exit_))


def sampled(peak_mb: int, record: AttemptRecord = DONE) -> AttemptRecord:
    sample = MetricEvent(
        memory_bytes=MB, memory_peak_bytes=peak_mb * MB, cpu_seconds=0.1, processes=2
    )
    return replace(record, last_metric=sample)


NAMED = Ending(model_named=True)
NO_EXIT = replace(DONE, exit=None, exit_event=None)
KILLED = Ending(container_code=137)
OK = Outcome.SUCCEEDED


@dataclass(frozen=True)
class Row:
    """What is known, and what has to come of it: an outcome, or a failure's code."""

    record: AttemptRecord
    ending: Ending
    expected: Outcome | str
    evidence_event: int | None = None
    evidence: str = ""


ROWS: dict[str, Row] = {
    # --- success
    "result, exit 0 and the named model called": Row(DONE, NAMED, OK),
    "no model named and none called": Row(replace(DONE, calls=()), Ending(), OK),
    "the named model called at last, after an error": Row(
        replace(DONE, calls=(BAD_CALL, GOOD_CALL)), NAMED, OK
    ),
    "the model failed once more after a good call": Row(
        replace(DONE, calls=(GOOD_CALL, BAD_CALL)), NAMED, OK
    ),
    "no model named, and a call that failed": Row(replace(DONE, calls=(BAD_CALL,)), Ending(), OK),
    "complete before a cancellation took hold": Row(DONE, Ending(stopped="cancelled"), OK),
    "complete before the deadline took hold": Row(ended(reason="deadline"), NAMED, OK),
    "complete although its worker died": Row(DONE, replace(NAMED, adopted=True), OK),
    "complete although orphaned": Row(ended(reason="orphaned"), NAMED, OK),
    "a limit of processes that did not matter": Row(ended(process_limit_hits=2), NAMED, OK),
    "a disk that was full and did not matter": Row(ended(disk_full=True), NAMED, OK),
    # --- cancelled, timed out: before every other cause
    "cancelled by the worker": Row(
        RAISED, Ending(stopped="cancelled", container_code=137), Outcome.CANCELLED
    ),
    "cancelled as the harness says": Row(
        ended(RAISED, code=None, signal=15, reason="cancelled"), Ending(), Outcome.CANCELLED
    ),
    "cancelled with an answer but killed": Row(
        ended(code=None, signal=9, reason="cancelled"), Ending(), Outcome.CANCELLED
    ),
    "cancelled and over time at once": Row(
        ended(code=None, signal=9, reason="deadline"),
        Ending(stopped="cancelled"),
        Outcome.CANCELLED,
    ),
    "cancelled before the named model was called": Row(
        replace(DONE, calls=()), Ending(stopped="cancelled", model_named=True), Outcome.CANCELLED
    ),
    "over time as the harness says": Row(
        ended(replace(DONE, result=None), code=None, signal=15, reason="deadline"),
        Ending(),
        "limit.timeout",
        8,
        "last words",
    ),
    "over time as the engine had to say": Row(
        replace(NO_EXIT, result=None),
        Ending(stopped="deadline", container_code=137),
        "limit.timeout",
        8,
    ),
    "over time after an exception": Row(
        ended(RAISED, code=1, reason="deadline"), Ending(), "limit.timeout"
    ),
    # --- memory
    "killed by the kernel": Row(
        ended(code=None, signal=9, oom_kills=1), Ending(), "limit.memory", 20
    ),
    "a child killed by the kernel, exit 0 and an answer": Row(
        ended(oom_kills=1), NAMED, "limit.memory", 20
    ),
    "Python's own MemoryError": Row(raised(type="MemoryError"), Ending(), "limit.memory"),
    "the engine says that memory ran out": Row(
        NO_EXIT, Ending(container_code=137, container_oom=True), "limit.memory"
    ),
    "container 137 without an exit frame, last seen full": Row(
        sampled(500, NO_EXIT), KILLED, "limit.memory"
    ),
    "memory before what the exception says": Row(
        ended(RAISED, code=1, oom_kills=3), Ending(), "limit.memory"
    ),
    # --- the platform
    "container 137 without an exit frame": Row(NO_EXIT, KILLED, "platform.worker_lost"),
    "137, last seen small": Row(sampled(40, NO_EXIT), KILLED, "platform.worker_lost"),
    "137, measured over its limit": Row(sampled(3000, NO_EXIT), KILLED, "platform.worker_lost"),
    "killed because it was silent, though last seen full": Row(
        sampled(512, NO_EXIT), Ending(container_code=137, stopped="silent"), "platform.worker_lost"
    ),
    "ended without a report": Row(
        NO_EXIT,
        Ending(container_code=1, evidence="Traceback"),
        "platform.worker_lost",
        None,
        "Traceback",
    ),
    "an answer without an exit frame is no success": Row(
        NO_EXIT, Ending(container_code=0), "platform.worker_lost"
    ),
    "never started": Row(
        ended(replace(DONE, result=None), code=None, reason="not_started"),
        Ending(),
        "platform.worker_lost",
        20,
    ),
    "orphaned": Row(
        ended(replace(DONE, result=None), code=None, signal=9, reason="orphaned"),
        Ending(),
        "platform.worker_lost",
    ),
    "an exception while its worker was dead": Row(
        RAISED, Ending(adopted=True), "platform.worker_lost", 12, "ValueError: no soup"
    ),
    "a model call lost while its worker was dead": Row(
        replace(RAISED, calls=(LOST_CALL,)), Ending(adopted=True), "platform.worker_lost", 9
    ),
    "memory is memory, adopted or not": Row(
        ended(code=None, signal=9, oom_kills=1), Ending(adopted=True), "limit.memory"
    ),
    # --- limits
    "a response over its limit": Row(
        replace(DONE, result=None, too_large_bytes=9 * MB, too_large_event=14),
        NAMED,
        "agent.response_too_large",
        14,
    ),
    "the disk is full, as the harness saw": Row(
        ended(raised(type="OSError"), code=1, disk_full=True), Ending(), "limit.disk", 12
    ),
    "the disk is full, as the exception says": Row(
        raised(type="OSError", message="[Errno 28] No space left on device"),
        Ending(),
        "limit.disk",
        12,
    ),
    "no more files, as the harness saw": Row(
        ended(raised(type="OSError"), code=1, disk_full=True, full="files", full_folder="/tmp"),
        Ending(),
        "limit.files",
        12,
    ),
    "no more open files, as the exception says": Row(
        raised(type="OSError", message="[Errno 24] Too many open files: '/dev/null'"),
        Ending(),
        "limit.open_files",
        12,
    ),
    "no more threads, where no counter shows it": Row(
        raised(type="RuntimeError", message="can't start new thread"),
        Ending(),
        "limit.processes",
        12,
    ),
    "a full disk before the processes": Row(
        ended(RAISED, code=1, disk_full=True, process_limit_hits=1), Ending(), "limit.disk"
    ),
    "no more processes, as an exception": Row(
        ended(RAISED, code=1, process_limit_hits=1),
        Ending(),
        "limit.processes",
        12,
        "ValueError: no soup",
    ),
    "no more processes, without an exception": Row(
        ended(replace(DONE, result=None), code=1, process_limit_hits=1),
        Ending(),
        "limit.processes",
        20,
        "last words",
    ),
    # --- the agent
    "nothing to call": Row(
        raised(stage="detect", message="No"), Ending(), "agent.no_entrypoint", 12
    ),
    "a module is missing": Row(
        raised(stage="load", type="ModuleNotFoundError", module="yaml"),
        Ending(),
        "agent.import_error",
        12,
    ),
    "a module is missing in a call": Row(raised(module="yaml"), Ending(), "agent.import_error"),
    "code that is no Python": Row(
        raised(stage="load", type="SyntaxError"), Ending(), "agent.syntax_error", 12
    ),
    "indented badly": Row(
        raised(stage="load", type="IndentationError"), Ending(), "agent.syntax_error"
    ),
    "a SyntaxError of code that the agent compiled itself": Row(
        raised(type="SyntaxError"), Ending(), "agent.exception"
    ),
    "an exception": Row(RAISED, Ending(), "agent.exception", 12, "ValueError: no soup"),
    "an exception, exit 0": Row(ended(RAISED), Ending(), "agent.exception", 12),
    "an exception after a good answer": Row(
        replace(RAISED, result=ANSWER), Ending(), "agent.exception"
    ),
    "an exception after a call that succeeded": Row(
        replace(RAISED, calls=(BAD_CALL, GOOD_CALL)), Ending(), "agent.exception"
    ),
    "exit code": Row(
        ended(replace(DONE, result=None), code=3), Ending(), "agent.exited", 8, "last words"
    ),
    "exit code after an answer": Row(ended(code=3), NAMED, "agent.exited"),
    "a signal": Row(
        ended(replace(DONE, last_stderr_event=6, last_stderr_line="oh"), code=None, signal=11),
        Ending(),
        "agent.exited",
        6,
        "oh",
    ),
    "an exit code without a line of output": Row(
        ended(replace(DONE, last_log_event=None, last_log_line=""), code=1),
        Ending(),
        "agent.exited",
        20,
    ),
    "no answer after writing over its own report": Row(
        replace(DONE, result=None, tampered_event=7), NAMED, "agent.tampered", 7
    ),
    "an answer before writing over its own report": Row(
        replace(DONE, tampered_event=21), NAMED, OK
    ),
    "an exception before writing over its own report": Row(
        replace(RAISED, tampered_event=21), Ending(), "agent.exception"
    ),
    "no response": Row(replace(DONE, result=None), NAMED, "agent.no_response", 8, "last words"),
    "a response of blanks": Row(
        replace(DONE, result=Result(response=" \n")), NAMED, "agent.no_response"
    ),
    "the named model was never called": Row(
        replace(DONE, calls=()), NAMED, "agent.no_model_call", 20
    ),
    # --- the model
    "an exception after a call that failed": Row(
        replace(RAISED, calls=(GOOD_CALL, BAD_CALL)),
        Ending(),
        "model.rate_limited",
        9,
        "slow down",
    ),
    "an exit code after a call that failed": Row(
        ended(replace(DONE, calls=(BAD_CALL,)), code=1), Ending(), "model.rate_limited", 9
    ),
    "no response after a call that failed": Row(
        replace(DONE, result=None, calls=(BAD_CALL,)), NAMED, "model.rate_limited", 9
    ),
    "an answer although the only call failed": Row(
        replace(DONE, calls=(BAD_CALL,)), NAMED, "model.rate_limited", 9
    ),
    "an answer although the only call broke off": Row(
        replace(DONE, calls=(LOST_CALL,)), NAMED, "model.lost_mid_stream", 9
    ),
    "a missing module before a call that failed": Row(
        replace(raised(module="yaml"), calls=(BAD_CALL,)), Ending(), "agent.import_error"
    ),
    "a call whose error no catalogue knows": Row(
        replace(RAISED, calls=(BAD_CALL.model_copy(update={"error": "model.of_tomorrow"}),)),
        Ending(),
        "model.bad_request",
    ),
}


@pytest.mark.spec("US3-3", "FR-013", "SC-007")
@pytest.mark.parametrize("name", ROWS)
def test_an_attempt_ends_for_its_true_cause(name: str) -> None:
    row = ROWS[name]
    decided = verdict(REQUEST, row.record, row.ending)

    if isinstance(row.expected, Outcome):
        assert decided == Verdict(row.expected)
        return
    assert decided.failure is not None
    assert decided.failure.code == row.expected
    over_time = row.expected == "limit.timeout"
    assert decided.outcome is (Outcome.TIMED_OUT if over_time else Outcome.FAILED)
    if row.evidence_event is not None:
        assert decided.failure.evidence_event == row.evidence_event
    if row.evidence:
        assert decided.failure.evidence == row.evidence


def test_every_cause_that_can_come_of_a_container_has_a_row() -> None:
    rows = {row.expected for row in ROWS.values()}
    found_before_a_container_stands = {"agent.no_entrypoint"}
    found_at_the_door = {"agent.host_not_allowed", "agent.reach_not_allowed"}
    found_at_the_door |= {
        "agent.secret_sent",
        "agent.host_unreachable",
        "agent.client_timeout",
    }
    recognized_inside = {code for code, *_ in CAUSES.values()}
    agent = {code for code in CATALOGUE if code.startswith("agent.")}
    assert agent - found_before_a_container_stands - found_at_the_door - recognized_inside <= rows
    elsewhere = {"limit.build_timeout", "limit.build_size"}
    elsewhere |= {"limit.model_calls", "limit.model_tokens", "limit.traffic"}
    assert {code for code in CATALOGUE if code.startswith("limit.")} - elsewhere <= rows


FIXES: dict[str, tuple[Row, dict[str, str | int]]] = {
    "timeout": (ROWS["over time as the harness says"], {"timeout_seconds": 14}),
    "memory": (ROWS["killed by the kernel"], {"memory_mb": 1024}),
    "disk": (ROWS["the disk is full, as the harness saw"], {"disk_mb": 128}),
    "processes": (ROWS["no more processes, as an exception"], {"processes": 256}),
    "open files": (ROWS["no more open files, as the exception says"], {"open_files": 2048}),
    "response": (ROWS["a response over its limit"], {"response_kb": 9216}),
    "exception": (ROWS["an exception"], {}),
}


@pytest.mark.parametrize("name", FIXES)
def test_a_limit_offers_its_double_as_the_fix(name: str) -> None:
    row, fix = FIXES[name]
    decided = verdict(REQUEST, row.record, row.ending)
    assert decided.failure is not None
    assert decided.failure.fix == fix


SAID: dict[str, str] = {
    "over time as the harness says": "The agent ran 7.1 s of the 7 s allowed",
    "killed by the kernel": "512 MiB were used of the 512 MiB allowed",
    "the disk is full, as the harness saw": "/tmp is full: 64 MiB were used of the 64 MiB allowed",
    "no more files, as the harness saw": "/tmp holds 65,536 files: no more are allowed",
    "no more processes, as an exception": "its limit of 128 processes and threads",
    "no more open files, as the exception says": "1024 files and connections open",
    "a response over its limit": "9216 KiB; 1024 KiB are allowed",
}


@pytest.mark.parametrize("name", SAID)
def test_a_limit_says_what_was_used_and_what_was_allowed(name: str) -> None:
    row = ROWS[name]
    exited = replace(
        row.record.exit or GOOD_EXIT,
        wall_seconds=7.1,
        memory_peak_bytes=512 * MB,
        processes_peak=130,
        full="files" if "files" in name else "bytes",
        full_folder="/tmp",
        used_bytes=64 * MB,
        used_files=65_536,
    )
    decided = verdict(REQUEST, replace(row.record, exit=exited), row.ending)
    assert decided.failure is not None
    assert SAID[name] in decided.failure.message


def test_time_that_went_into_other_limits_is_told() -> None:
    row = ROWS["over time as the harness says"]
    record = ended(
        row.record,
        code=None,
        signal=9,
        reason="deadline",
        oom_kills=3,
        process_limit_hits=9,
        full="bytes",
        full_folder="/tmp",
    )
    decided = verdict(REQUEST, record, row.ending)
    assert decided.failure is not None
    assert "3 of its processes for memory" in decided.failure.message
    assert "limit of 128 processes" in decided.failure.message
    assert "/tmp was full" in decided.failure.message


def test_a_limit_that_may_not_be_raised_offers_no_change() -> None:
    for name in SAID:
        row = ROWS[name]
        most = Maxima(7, 512, 1.0, 128, 64, 1024, 4096, 1024)
        decided = verdict(REQUEST, row.record, replace(row.ending, maxima=most))
        assert decided.failure is not None
        assert decided.failure.fix == {}
        assert decided.failure.what_to_do


def test_no_fix_asks_for_more_time_than_anybody_gets() -> None:
    request = REQUEST.model_copy(update={"timeout_seconds": 3000})
    row = ROWS["over time as the harness says"]
    decided = verdict(request, row.record, row.ending)
    assert decided.failure is not None
    assert decided.failure.fix == {"timeout_seconds": 3600}


@pytest.mark.spec("FR-013")
@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("yaml", "pyyaml"),
        ("PIL", "pillow"),
        ("bs4", "beautifulsoup4"),
        ("sklearn", "scikit-learn"),
        ("strands", "strands-agents"),
        ("requests", "requests"),
        ("langchain_core", "langchain-core"),
    ],
)
def test_a_missing_module_names_the_package_to_add(module: str, package: str) -> None:
    decided = verdict(REQUEST, raised(stage="load", module=module), Ending())
    assert decided.failure is not None
    assert decided.failure.fix == {"add_requirement": package}
    assert repr(module) in decided.failure.message
    assert repr(package) in decided.failure.what_to_do


@pytest.mark.parametrize(
    "module",
    ["x\n--index-url=http://a", "-r/etc/passwd", "a b", "git+https://a/x", "", "ä", "x" * 200],
)
def test_what_no_package_is_called_is_never_offered_as_a_requirement(module: str) -> None:
    decided = verdict(REQUEST, raised(stage="load", module=module), Ending())
    assert decided.failure is not None
    assert decided.failure.code == "agent.import_error"
    assert decided.failure.fix == {}
    assert len(decided.failure.message) < 1000


def test_a_child_out_of_memory_is_told_as_such() -> None:
    row = ROWS["a child killed by the kernel, exit 0 and an answer"]
    decided = verdict(REQUEST, row.record, row.ending)
    assert decided.failure is not None
    assert "in a child process" in decided.failure.message


# --------------------------------------------------------------------------- any record at all

texts = st.text(max_size=30)
counts = st.integers(-(2**63), 2**63 - 1)
small = st.integers(-1, 3)
numbers = st.none() | st.integers(1, 100)
seconds = st.floats(0, 1e9)

exits = st.builds(
    AgentExit,
    code=st.none() | small,
    signal=st.none() | st.integers(0, 64),
    reason=st.sampled_from(["exited", "deadline", "cancelled", "orphaned", "not_started"]),
    wall_seconds=seconds,
    memory_peak_bytes=counts,
    memory_limit_bytes=st.none() | counts,
    oom_kills=small | counts,
    process_limit_hits=small,
    disk_full=st.booleans(),
    full=st.sampled_from(["", "bytes", "files"]) | texts,
    full_folder=texts,
    used_bytes=counts,
    used_files=counts,
)
errors = st.builds(
    AgentError,
    stage=st.sampled_from(["load", "call", "detect"]),
    type=st.sampled_from(["MemoryError", "OSError", "SyntaxError"]) | texts,
    message=texts | st.just("[Errno 28]"),
    file=st.none() | texts,
    line=st.none() | counts,
    module=st.none() | texts,
)
calls = st.builds(
    ModelCallEvent,
    provider=texts,
    model=texts,
    status=st.none() | st.integers(0, 999),
    latency_seconds=seconds,
    error=st.none() | st.sampled_from(sorted(CATALOGUE)) | texts,
    message=texts,
)
records = st.builds(
    AttemptRecord,
    entry_point=texts,
    result=st.none() | st.builds(Result, response=texts),
    too_large_bytes=st.none() | counts,
    error=st.none() | errors,
    error_event=numbers,
    exit=st.none() | exits,
    exit_event=numbers,
    calls=st.lists(calls, max_size=3).map(tuple),
    last_call_event=numbers,
    last_metric=st.none()
    | st.builds(
        MetricEvent,
        memory_bytes=counts,
        memory_peak_bytes=counts,
        cpu_seconds=seconds,
        processes=counts,
    ),
    tampered_event=numbers,
    too_large_event=numbers,
    replay_difference=texts,
    replay_difference_event=numbers,
    last_log_event=numbers,
    last_log_line=texts,
    last_stderr_event=numbers,
    last_stderr_line=texts,
)
endings = st.builds(
    Ending,
    container_code=st.none() | st.sampled_from([0, 1, 137, 143]),
    container_oom=st.booleans(),
    evidence=texts,
    stopped=st.sampled_from([None, "cancelled", "deadline", "silent"]),
    model_named=st.booleans(),
    adopted=st.booleans(),
)


@given(records, endings)
def test_every_record_has_exactly_one_end(record: AttemptRecord, ending: Ending) -> None:
    decided = verdict(REQUEST, record, ending)

    if decided.outcome in {Outcome.SUCCEEDED, Outcome.CANCELLED}:
        assert decided.failure is None
    else:
        assert decided.failure is not None
        entry = CATALOGUE[decided.failure.code]
        assert decided.failure.whose == entry.whose
        assert decided.failure.message
        assert decided.failure.what_to_do
    if decided.outcome is Outcome.SUCCEEDED:
        assert record.exit is not None
        assert record.exit.code == 0
        assert record.result is not None
        assert record.result.response.strip()


@given(records, endings)
def test_a_dead_worker_is_never_the_agents_fault(record: AttemptRecord, ending: Ending) -> None:
    decided = verdict(REQUEST, record, replace(ending, adopted=True))
    assert decided.failure is None or decided.failure.whose in {"limit", "platform", "dependencies"}
