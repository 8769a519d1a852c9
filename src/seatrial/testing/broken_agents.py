"""Small broken agents and what their failures have to say, read from TOML files and judged.

One file per kind; each `[[agent]]` names what is sent and what a person expects:

- what is sent: `source` (agent.py), `files`, `requirements`, `python`, `model` ("none" where it
  is absent), `query`, `entry_point`, `egress`, `env`, `limits`, `timeout_seconds`;
- how the test fails: `code` and `whose` match the failure's whole, `evidence` and `advice` are
  regular expressions that its texts contain, `never` those that its advice does not contain;
  `ends_within` is the longest time that the run may take, in seconds;
- or `refused`: what the refusal of the request contains; or `answer`: no failure is expected;
- what follows from the advice: `after` changes the request (`without` removes files), `fix`
  applies the change that the failure offers. Either way the test then succeeds.

Every expectation is written by hand from what the agent does wrong, never from what was printed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from seatrial.domain.errors import InvalidRequest
from seatrial.domain.failures import Failure
from seatrial.domain.fixes import changes_of
from seatrial.domain.requests import RetryChanges
from seatrial.domain.tests import Test

_SENT = (
    "requirements",
    "python",
    "model",
    "query",
    "entry_point",
    "egress",
    "env",
    "limits",
    "timeout_seconds",
)


class BrokenAgent(BaseModel):
    """One agent, and what is expected of its test. The module says what each field means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: str
    source: str = "def run(query):\n    return query\n"
    files: Mapping[str, str] = {}
    requirements: str = ""
    python: str | None = None
    model: str = "none"
    query: str = "What is the weather in Paris?"
    entry_point: str | None = None
    egress: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    limits: Mapping[str, int] = {}
    timeout_seconds: int = 60
    code: str = ".+"
    whose: str = ".+"
    evidence: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    ends_within: float | None = None
    refused: tuple[str, ...] = ()
    answer: str | None = None
    after: Mapping[str, Any] = {}
    fix: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of its test request."""
        sent = self.model_dump(include=set(_SENT), exclude_none=True)
        return {**sent, "files": {**self.files, "agent.py": self.source}}

    @property
    def fields_after(self) -> dict[str, Any] | None:
        """The fields of the request once its advice was followed; None where nothing is given."""
        if not self.after:
            return None
        changed = {**self.fields, **{k: v for k, v in self.after.items() if k != "without"}}
        files = {**self.fields["files"], **self.after.get("files", {})}
        left = {path: text for path, text in files.items() if path not in self._without}
        return {**changed, "files": left}

    @property
    def _without(self) -> tuple[str, ...]:
        return tuple(self.after.get("without", ()))


def read(folder: Path) -> Iterator[BrokenAgent]:
    """The agents of the folder's TOML files, in the order of their kinds and places.

    Raises: pydantic.ValidationError for a field that is unknown or has another type.
    """
    for file in sorted(folder.glob("*.toml")):
        for fields in tomllib.loads(file.read_text())["agent"]:
            yield BrokenAgent(kind=file.stem, **fields)


def faults_of_refusal(agent: BrokenAgent, error: InvalidRequest) -> list[str]:
    """What is wrong with a refusal: one sentence each, none when it is as expected."""
    if not agent.refused:
        return [f"was refused: {error}"]
    return [
        f"the refusal lacks {part!r}: {error}"
        for part in agent.refused
        if not _in(part, str(error))
    ]


def faults_of_end(agent: BrokenAgent, done: Test) -> list[str]:
    """What is wrong with how a test ended: one sentence each, none when it is as expected."""
    if agent.refused:
        return [f"was not refused; it {done.outcome}"]
    if agent.answer is not None:
        return _faults_of_answer(agent.answer, done)
    if done.failure is None:
        return [f"{done.outcome} with {done.result and done.result.response!r}"]
    return [*_faults_of_failure(agent, done.failure), *_faults_of_time(agent, done)]


def faults_of_success(done: Test) -> list[str]:
    """What is wrong with the test that follows the advice: it has to succeed."""
    if done.failure is None and done.outcome == "succeeded":
        return []
    return [f"after the advice: {done.failure and text_of(done.failure)}"]


def changes_offered(done: Test) -> RetryChanges | None:
    """The change that the failure offers, as a retry takes it; None without one."""
    if done.failure is None or not done.failure.fix:
        return None
    return changes_of(done.failure.fix, done.request)


def text_of(failure: Failure) -> str:
    """The failure on one line, for a report."""
    parts = (failure.code, failure.evidence, failure.message, failure.what_to_do)
    return " | ".join(" ".join(part.split()) for part in parts)


def _faults_of_answer(answer: str, done: Test) -> list[str]:
    response = done.result.response if done.result else ""
    if done.failure is not None:
        return [f"failed: {text_of(done.failure)}"]
    return [] if re.fullmatch(answer, response.strip()) else [f"answered {response!r}"]


def _faults_of_failure(agent: BrokenAgent, failure: Failure) -> list[str]:
    shown = f"{failure.evidence}\n{failure.message}"
    advice = f"{failure.what_to_do}\n{failure.message}"
    wrong = [
        *(["code"] if not re.fullmatch(agent.code, failure.code) else []),
        *(["whose"] if not re.fullmatch(agent.whose, failure.whose) else []),
        *(f"evidence lacks {part!r}" for part in agent.evidence if not _in(part, shown)),
        *(f"advice lacks {part!r}" for part in agent.advice if not _in(part, advice)),
        *(f"advice has {part!r}" for part in agent.never if _in(part, advice)),
    ]
    return [f"{', '.join(wrong)}: {text_of(failure)}"] if wrong else []


def _faults_of_time(agent: BrokenAgent, done: Test) -> list[str]:
    ran = (done.metrics and done.metrics.wall_seconds) or 0.0
    if agent.ends_within is None or ran <= agent.ends_within:
        return []
    return [f"ran for {ran:.0f} s"]


def _in(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None
