"""From what was typed to a request: files read, rules checked, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from seatrial.compiler import check_once
from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.domain.requests import Limits, TestRequest
from seatrial.domain.validation import Maxima, sources_of, validate, version_of
from seatrial.domain.validation.paths import AGENT_FILE
from seatrial.settings import Settings

from .collect import Collected, collect, requirements_of
from .lines import Line, Span, line
from .problems import Sources

REQUIREMENTS_FILE = "requirements.txt"

_SHOWN_FILES = 8
# What another installation's operator decides, only its server can check.
_OPERATORS = frozenset({"out_of_range", "provider_not_offered", "unknown_provider"})
_OPTIONS = {
    "model": "--model",
    "python": "--python",
    "query": "QUERY",
    "entry_point": "--entry",
    "timeout_seconds": "--timeout",
    "limits.memory_mb": "--memory",
    "limits.cpus": "--cpus",
    "limits.model_calls": "--model-calls",
    "limits.model_tokens": "--model-tokens",
    "limits.traffic_mb": "--traffic",
    "limits.concurrent_calls": "--concurrent-calls",
    "name": "--name",
    "credential": "--credential",
    "webhook": "--webhook",
    "env": "--env",
    "secrets": "--secret",
}


@dataclass(frozen=True)
class Wanted:
    """What was typed for `seatrial run`; None where nothing was."""

    agent: Path
    query: str
    files: tuple[Path, ...] = ()
    requirements: Path | None = None
    model: str | None = None
    timeout_seconds: int | None = None
    memory_mb: int | None = None
    cpus: float | None = None
    model_calls: int | None = None
    model_tokens: int | None = None
    traffic_mb: int | None = None
    concurrent_calls: int | None = None
    python: str | None = None
    entry: str | None = None
    egress: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    name: str | None = None
    credential: str | None = None
    webhook: str | None = None
    env: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    record: bool = False


@dataclass(frozen=True)
class Submission:
    """A request, with where its texts came from and what was left out."""

    request: TestRequest
    sources: Sources
    skipped: dict[str, str]


def prepare(wanted: Wanted) -> Submission:
    """Read everything. InvalidRequest when a file cannot be sent."""
    collected = collect(wanted.agent, wanted.files)
    path = wanted.requirements or _beside(wanted.agent)
    requirements = requirements_of(path) if path else ""
    sources = Sources(collected.files, collected.origins, requirements, path, _OPTIONS)
    request = TestRequest.model_validate(
        {
            "files": collected.files,
            "requirements": requirements,
            "entry_point": _entry_point(wanted.entry, collected),
            "limits": _limits(wanted),
            "query": wanted.query,
            "egress": wanted.egress,
            "allow": wanted.allow,
            "env": variables("--env", wanted.env),
            "secrets": variables("--secret", wanted.secrets),
            **_given(
                model=wanted.model,
                python=wanted.python,
                timeout_seconds=wanted.timeout_seconds,
                name=wanted.name,
                credential=wanted.credential,
                webhook=wanted.webhook,
                record=wanted.record or None,
            ),
        }
    )
    return Submission(request, sources, collected.skipped)


def _limits(wanted: Wanted) -> Limits:
    return Limits.model_validate(
        _given(
            memory_mb=wanted.memory_mb,
            cpus=wanted.cpus,
            model_calls=wanted.model_calls,
            model_tokens=wanted.model_tokens,
            traffic_mb=wanted.traffic_mb,
            concurrent_calls=wanted.concurrent_calls,
        )
    )


def check(request: TestRequest, settings: Settings) -> None:
    """Every rule that can be checked here. InvalidRequest.

    The local data folder's own maxima apply to local tests only: a server knows its own.
    """
    maxima = Maxima(
        timeout_seconds=settings.max_timeout_seconds,
        memory_mb=settings.max_memory_mb,
        cpus=settings.max_cpus,
        processes=settings.max_processes,
        disk_mb=settings.max_disk_mb,
        open_files=settings.max_open_files,
        model_calls=settings.max_model_calls,
        model_tokens=settings.max_model_tokens or Maxima.model_tokens,
        traffic_mb=settings.max_traffic_mb,
        concurrent_calls=settings.max_concurrent_calls,
    )
    version = version_of(request.python or settings.python)
    findings = check_once(sources_of(request.files), version)
    problems = validate(request, maxima, default_python=settings.python, findings=findings)
    if settings.url:
        problems = [problem for problem in problems if problem.code not in _OPERATORS]
    if problems:
        raise InvalidRequest(tuple(problems))


def said(submission: Submission) -> list[Line]:
    """What is sent and what is not."""
    request = submission.request
    names = [_shown_name(name, submission.sources) for name in request.files]
    more = f" and {len(names) - _SHOWN_FILES} more" if len(names) > _SHOWN_FILES else ""
    size = sum(len(text.encode()) for text in request.files.values())
    shown = f"{', '.join(names[:_SHOWN_FILES])}{more} ({_size(size)})"
    lines = [line(Span("Sending   ", "dim"), shown)]
    if submission.sources.requirements_path is not None:
        packages = sum(1 for one in request.requirements.splitlines() if _is_package(one))
        path = submission.sources.requirements_path
        lines.append(line(Span("Packages  ", "dim"), f"{packages} from {path}"))
    for name, reason in submission.skipped.items():
        lines.append(line(Span("Not sent  ", "warn"), f"{name}: {reason}"))
    return lines


def _beside(agent: Path) -> Path | None:
    folder = agent if agent.is_dir() else agent.parent
    path = folder / REQUIREMENTS_FILE
    return path if path.is_file() else None


def _entry_point(entry: str | None, collected: Collected) -> str | None:
    """`NAME` is looked for in agent.py; the agent's file may be named as it is called here."""
    if entry is None:
        return None
    file, colon, name = entry.rpartition(":")
    if not colon:
        return f"{AGENT_FILE}:{entry}"
    own_name = collected.origins[AGENT_FILE].name
    if file == own_name and file not in collected.files:
        file = AGENT_FILE
    return f"{file}:{name}"


def variables(option: str, given: Iterable[str]) -> dict[str, str]:
    """What `NAME=VALUE` says, for each; the last of a name counts. InvalidRequest."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            # Not repeated: somebody may have typed a secret.
            raise unreadable(option, "It is written NAME=VALUE.")
        found[name] = value
    return found


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _shown_name(name: str, sources: Sources) -> str:
    """`bot.py as agent.py` where the names differ."""
    origin = sources.origins[name].name
    return name if origin == name.rpartition("/")[2] else f"{origin} as {name}"


def _is_package(text: str) -> bool:
    return bool(text.strip()) and not text.lstrip().startswith(("#", "-"))


def _size(size: int) -> str:
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1000:,.0f} kB"


def unreadable(option: str, message: str) -> InvalidRequest:
    """An option whose value cannot be read."""
    return InvalidRequest((FieldProblem(option, message),))
