"""The end of a test in one view: the answer, what it cost, whose fault, and what to do next."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

from seatrial.domain.failures import Failure
from seatrial.domain.fixes import PULL_MODEL
from seatrial.domain.phases import Outcome, Phase
from seatrial.domain.receipts import Receipt
from seatrial.domain.tests import Durations, Metrics, Result, Test

from .journal import removed_text, wait_text
from .lines import Line, Panel, Role, Span, line

_WHOSE = {
    "agent": "the agent's code",
    "dependencies": "the requirements",
    "model": "the model service",
    "limit": "a limit of the test",
    "platform": "Seatrial or what it runs on",
    "user": "the request",
}
_ROLES: dict[Outcome, Role] = {Outcome.SUCCEEDED: "good", Outcome.CANCELLED: "warn"}
_STEPS = (
    *("queued", "resolved", "built", "started", "first_output", "running", "cleaned", "total"),
)
_SHOWN_FILES = 5
_MEBIBYTE = 1024 * 1024
_OPTIONS = {
    "timeout_seconds": "--timeout",
    "memory_mb": "--memory",
    "python": "--python",
    "add_egress": "--egress",
    "add_allow": "--allow",
    "model_calls": "--model-calls",
    "model_tokens": "--model-tokens",
    "traffic_mb": "--traffic",
}
"""The option by which a fix is typed."""


def panels(test: Test) -> list[Panel]:
    """What to show of a test as it stands; for a completed one, its end."""
    if test.phase is not Phase.COMPLETED:
        return [Panel(f"{test.phase} · {test.id}", "strong", tuple(_unfinished(test)))]
    role = _ROLES.get(test.outcome or Outcome.FAILED, "bad")
    title = f"{(test.outcome or test.phase).replace('_', ' ')} · {test.id}"
    shown = [Panel(title, role, (*_answer(test.result), *_facts(test)))]
    if test.failure is not None:
        shown.append(Panel(test.failure.title, "bad", tuple(_failure(test.failure))))
    return shown


def next_steps(test: Test) -> list[Line]:
    """What people do after this, as commands."""
    retry = "Run it again:" if test.failure is None else "Run it again, changed:"
    change = "--query TEXT" if test.failure is None else "--file agent.py"
    if test.failure is not None and test.failure.fix:
        change = "--fix"
    steps = [("", f"seatrial tests show {test.id}"), ("", f"seatrial tests logs {test.id}")]
    if test.outcome is Outcome.SUCCEEDED:
        steps.append(("Package it: ", f"seatrial package {test.id}"))
    steps.append((f"{retry} ", f"seatrial tests retry {test.id} {change}"))
    heads = ("Next  ", *["      "] * len(steps))
    return [
        line(Span(head + why, "dim"), Span(command, "name"))
        for head, (why, command) in zip(heads, steps, strict=False)
    ]


def _unfinished(test: Test) -> Iterator[Line]:
    yield line(Span("query   ", "dim"), test.request.query)
    if test.queue is not None:
        yield line(
            Span("queue   ", "dim"), f"place {test.queue.position}{wait_text(test.queue.wait)}"
        )
    if test.cancel_requested:
        yield line("It is being stopped.")
    yield line(Span("follow  ", "dim"), Span(f"seatrial tests logs -f {test.id}", "name"))


def _answer(result: Result | None) -> Iterator[Line]:
    if result is None or not result.response:
        return
    yield from (line(text) for text in result.response.rstrip("\n").split("\n"))
    if result.value is not None:
        yield line(Span("value   ", "dim"), json.dumps(result.value, ensure_ascii=False))
    yield line("")


def _facts(test: Test) -> Iterator[Line]:
    metrics = test.metrics or Metrics()
    times = _times(metrics.durations)
    if times:
        yield line(Span("time    ", "dim"), times)
    used = _used(metrics)
    if used:
        yield line(Span("used    ", "dim"), used)
    yield from _model(test, metrics)
    yield from _receipt(test.receipt)
    yield from _unenforced(test.receipt)
    yield from _allowed(test)
    yield from _cleanup(test.receipt)
    result = test.result
    if result is not None and result.entry_point:
        framework = f" ({result.framework})" if result.framework else ""
        yield line(Span("entry   ", "dim"), f"{result.entry_point}{framework}")
    yield from _written(result)
    yield from _webhook(test)
    if test.retry_of:
        yield line(Span("retry   ", "dim"), f"of {test.retry_of}")


def _written(result: Result | None) -> Iterator[Line]:
    """What the agent left in its folders, which are gone."""
    if result is None or not result.files:
        return
    shown = ", ".join(f"{one.path} ({one.size:,} bytes)" for one in result.files[:_SHOWN_FILES])
    rest = max(0, len(result.files) - _SHOWN_FILES) + result.files_not_listed
    more = f" and {rest:,} more" if rest > 0 else ""
    yield line(Span("left    ", "dim"), shown + more)


def _webhook(test: Test) -> Iterator[Line]:
    told = test.webhook
    if told is not None:
        tries = f" after {told.attempts} attempts" if told.attempts > 1 else ""
        yield line(Span("webhook ", "dim"), f"{told.state}{tries} {told.message}")


def _times(durations: Durations) -> str:
    named = ((step.replace("_", " "), getattr(durations, step)) for step in _STEPS)
    return " · ".join(f"{name} {seconds:.1f} s" for name, seconds in named if seconds is not None)


def _used(metrics: Metrics) -> str:
    parts: list[str] = []
    if metrics.memory_peak_bytes is not None:
        limit = metrics.memory_limit_bytes
        of = f" of {limit / _MEBIBYTE:.0f} MiB" if limit else " MiB"
        parts.append(f"memory {metrics.memory_peak_bytes / _MEBIBYTE:.0f}{of}")
    if metrics.cpu_seconds is not None:
        parts.append(f"CPU {metrics.cpu_seconds:.2f} s")
    if metrics.processes_peak is not None:
        parts.append(f"processes {metrics.processes_peak}")
    if metrics.log_dropped_bytes:
        parts.append(f"{metrics.log_dropped_bytes:,} bytes of log dropped")
    return " · ".join(parts)


def _model(test: Test, metrics: Metrics) -> Iterator[Line]:
    model = test.result.model if test.result else test.request.model
    if model:
        yield line(Span("model   ", "dim"), model)
    if test.result is not None and test.result.model_fallback:
        said = "The default model was not there: the built-in test model stood in for it."
        yield line(Span(f"        {said}", "warn"))
    if metrics.model_calls:
        errors = f", {metrics.model_call_errors} failed" if metrics.model_call_errors else ""
        known = "" if metrics.tokens_known else " at least"
        tokens = f"tokens{known} {metrics.input_tokens:,} in, {metrics.output_tokens:,} out"
        yield line(Span("calls   ", "dim"), f"{metrics.model_calls}{errors} · {tokens}")
    if test.request.replay_of is not None:
        said = f"answered from the recording of {test.request.replay_of}: no model was asked"
        yield line(Span("replay  ", "dim"), said)
    if test.request.record:
        command = f"seatrial tests retry {test.id} --replay"
        yield line(Span("recorded  ", "dim"), Span(command, "name"))


def _receipt(receipt: Receipt | None) -> Iterator[Line]:
    """What of secrets is to be known; nothing where there was none to look for."""
    if receipt is None or not receipt.leaks.secrets:
        return
    leaks = receipt.leaks
    where = ", ".join(place for place, scan in leaks.places.items() if scan.hits)
    found = f"{leaks.hits} secrets in {where}" if leaks.hits else "no secret"
    said = f"{found} ({leaks.secrets} looked for in {leaks.bytes:,} bytes)"
    yield line(Span("leaks   ", "dim"), Span(said, "bad" if leaks.hits else "plain"))
    if receipt.leaked_artifacts:
        said = "No package is made of this test: a secret would stand in it."
        yield line(Span(f"        {said}", "bad"))
    if receipt.exposed:
        names = ", ".join(f"{name} ({of})" for name, of in receipt.exposed.items())
        yield line(Span("exposed ", "dim"), Span(f"{names}: the agent had them", "warn"))


def _unenforced(receipt: Receipt | None) -> Iterator[Line]:
    """The limits that the container engine did not enforce."""
    if receipt is not None and receipt.unenforced:
        names = ", ".join(receipt.unenforced)
        yield line(Span("limits  ", "dim"), Span(f"not enforced by the engine: {names}", "warn"))


def _allowed(test: Test) -> Iterator[Line]:
    """What the model service may do beyond answering, and whether it was used."""
    if not test.request.allow:
        return
    used = test.receipt.allowed if test.receipt else {}
    said = {True: " (used)", False: " (not used)", None: ""}
    parts = [f"{entry}{said[used.get(entry)]}" for entry in test.request.allow]
    yield line(Span("allowed ", "dim"), Span(", ".join(parts), "warn"))


def _cleanup(receipt: Receipt | None) -> Iterator[Line]:
    """When each part of the container was gone, and what was not."""
    if receipt is None:
        return
    if receipt.removed:
        yield line(Span("cleaned ", "dim"), removed_text(receipt.removed))
    if receipt.left:
        names = ", ".join(receipt.left).replace("_", " ")
        yield line(Span("left    ", "dim"), Span(f"{names}: removed later", "warn"))


def _failure(failure: Failure) -> Iterator[Line]:
    yield line(Span("whose   ", "dim"), f"{_WHOSE[failure.whose]} ({failure.code})")
    for number, text in enumerate(failure.message.rstrip("\n").split("\n")):
        yield line(Span("what    " if number == 0 else "        ", "dim"), text)
    for number, text in enumerate(failure.evidence.rstrip("\n").split("\n")):
        if text:
            yield line(Span("proof   " if number == 0 else "        ", "dim"), Span(text, "bad"))
    if failure.evidence_event is not None:
        yield line(Span(f"        event {failure.evidence_event} of the journal", "dim"))
    yield line(Span("to do   ", "dim"), Span(failure.what_to_do, "strong"))
    yield from _fix(failure)
    if failure.incident:
        yield line(Span("incident  ", "dim"), failure.incident)


def _fix(failure: Failure) -> Iterator[Line]:
    """The change as something to type."""
    for name, value in failure.fix.items():
        if name == "add_requirement":
            # It begins a line: the file's last one may have no newline.
            command = f"printf '\\n%s\\n' {shlex.quote(str(value))} >> requirements.txt"
            yield line(Span("        ", "dim"), Span(command, "name"))
        elif name == PULL_MODEL:
            command = f"seatrial providers pull {shlex.quote(str(value))}"
            yield line(Span("        ", "dim"), Span(command, "name"))
        elif name in _OPTIONS:
            typed = f"{_OPTIONS[name]} {shlex.quote(str(value))}"
            yield line(Span("        ", "dim"), Span(typed, "name"))
        else:
            yield line(Span(f"        {name.replace('_', ' ')}: {value}", "name"))
