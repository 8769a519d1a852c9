"""The corpus: agents that mean harm, how each must end, and one server that runs them all."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from seatrial.client import Client
from seatrial.domain.errors import InvalidRequest
from seatrial.domain.events import Event, LogEvent, NoticeEvent
from seatrial.domain.requests import Limits, TestRequest
from seatrial.domain.tests import Test

AGENTS = Path(__file__).with_name("agents")
EXPECTED: Mapping[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("expected.toml").read_text(encoding="utf-8")
)
NAMES = sorted(path.stem for path in AGENTS.glob("*.py"))

_LIMITS: Mapping[str, Any] = {"memory_mb": 256, "cpus": 0.5, "processes": 64, "disk_mb": 32}


class Expected(BaseModel):
    """How an agent must end on one engine; see expected.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: str
    failure: str | None = None
    timeout: int = 90
    attempts: int = 1
    limits: Mapping[str, Any] = {}
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def expected(name: str, engine: str) -> Expected:
    """What expected.toml says."""
    entry = dict(EXPECTED[name])
    changes = entry.pop("on", {}).get(engine, {})
    return Expected.model_validate({**entry, **changes})


@dataclass(frozen=True)
class End:
    """A test that has ended, with its whole journal."""

    test: Test
    events: tuple[Event, ...]

    @property
    def response(self) -> str:
        return self.test.result.response if self.test.result else ""

    @property
    def output(self) -> str:
        return "".join(one.data.text for one in self.events if isinstance(one.data, LogEvent))

    @property
    def said(self) -> str:
        """Everything that a person would read of it."""
        failure = self.test.failure
        parts = [self.output, self.response]
        parts += [failure.message, failure.evidence] if failure else []
        return "\n".join(parts)

    def told(self, code: str = "") -> list[NoticeEvent]:
        """The notices of that code, or all."""
        found = [one.data for one in self.events if isinstance(one.data, NoticeEvent)]
        return [one for one in found if code in {"", one.code}]


def ended(client: Client, test_id: str) -> End:
    """Wait for a test's end."""
    done = client.wait(test_id)
    return End(done, tuple(client.events(test_id, follow=False)))


def files_of(name: str) -> dict[str, str]:
    """The files of a request for that agent."""
    return {"agent.py": (AGENTS / f"{name}.py").read_text(encoding="utf-8")}


class Corpus:
    """Sends every agent at once and waits for each when it is asked for."""

    def __init__(self, client: Client, engine: str) -> None:
        self._client, self._engine = client, engine
        self._tests: dict[str, Test | InvalidRequest] = {}
        self._ends: dict[str, End] = {}

    def send(self, names: list[str]) -> None:
        with ThreadPoolExecutor(4) as pool:
            self._tests |= dict(zip(names, pool.map(self._send, names), strict=True))

    def _send(self, name: str) -> Test | InvalidRequest:
        wanted = expected(name, self._engine)
        request = TestRequest(
            files=files_of(name),
            query="q",
            model="none",
            timeout_seconds=wanted.timeout,
            limits=Limits.model_validate({**_LIMITS, **wanted.limits}),
            name=name,
        )
        try:
            return self._client.submit(request)
        except InvalidRequest as refused:
            return refused

    def refusal(self, name: str) -> InvalidRequest | None:
        """Why it was not even queued; None when it was."""
        test = self._tests[name]
        return test if isinstance(test, InvalidRequest) else None

    def end(self, name: str) -> End:
        """How it ended; one that nobody asked for before is sent now."""
        if name not in self._tests:
            self.send([name])
        test = self._tests[name]
        assert isinstance(test, Test), test
        if name not in self._ends:
            self._ends[name] = ended(self._client, test.id)
        return self._ends[name]

    def all_ends(self) -> dict[str, End]:
        """Every agent that was queued."""
        return {name: self.end(name) for name in self._tests if self.refusal(name) is None}
