"""From what was typed to a request: files read, rules checked, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from seatrial.compiler import check_once
from seatrial.domain.errors import FieldProblem, InvalidRequest
from seatrial.domain.requests import Limits, TestRequest
from seatrial.domain.validation import Maxima, sources_of, validate, version_of
from seatrial.domain.validation.paths import AGENT_FILE
from seatrial.settings import Settings

from .collect import Collected, collect_project, requirements_of
from .dependencies import Dependencies, dependencies_of
from .lines import Line, Span, line
from .problems import Sources
from .project import Project, agent_file, project_of, shown

_SHOWN_FILES = 8
_SHOWN_SKIPPED = 20
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
    project: Project
    left_out: tuple[str, ...] = ()
    """Declared packages that cannot be installed in a test."""


def prepare(wanted: Wanted) -> Submission:
    """Read everything. InvalidRequest when a file cannot be sent."""
    file, name = agent_file(wanted.agent)
    project = project_of(file)
    collected = collect_project(project, wanted.files)
    needed = _dependencies(wanted, project)
    requirements, path = (needed.text, needed.path) if needed else ("", None)
    sources = Sources(collected.files, collected.origins, requirements, path, _OPTIONS)
    request = TestRequest.model_validate(
        {
            "files": collected.files,
            "requirements": requirements,
            "entry_point": _entry_point(wanted.entry or name, collected),
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
    left_out = needed.left_out if needed else ()
    return Submission(request, sources, collected.skipped, project, left_out)


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
    lines = [*_said_project(submission), *_said_files(submission), *_said_packages(submission)]
    for name, reason in list(submission.skipped.items())[:_SHOWN_SKIPPED]:
        lines.append(line(Span("Not sent  ", "warn"), f"{name}: {reason}"))
    more = len(submission.skipped) - _SHOWN_SKIPPED
    if more > 0:
        lines.append(line(Span("Not sent  ", "warn"), f"{more:,} more"))
    return lines


def _said_project(submission: Submission) -> Iterator[Line]:
    project = submission.project
    if project.file is not None:
        text = f"{shown(project.root)} (the folder that the agent's imports begin in)"
        yield line(Span("Project   ", "dim"), text)


def _said_files(submission: Submission) -> Iterator[Line]:
    request = submission.request
    names = [_shown_name(name, submission.sources) for name in request.files]
    more = f" and {len(names) - _SHOWN_FILES} more" if len(names) > _SHOWN_FILES else ""
    size = sum(len(text.encode()) for text in request.files.values())
    text = f"{', '.join(names[:_SHOWN_FILES])}{more} ({_size(size)})"
    yield line(Span("Sending   ", "dim"), text)


def _said_packages(submission: Submission) -> Iterator[Line]:
    path = submission.sources.requirements_path
    if path is None:
        return
    packages = sum(1 for one in submission.request.requirements.splitlines() if _is_package(one))
    yield line(Span("Packages  ", "dim"), f"{packages} from {shown(path)}")
    if submission.left_out:
        names = ", ".join(submission.left_out)
        text = f"{names}: no version is declared for it; --requirements FILE can name it."
        yield line(Span("Left out  ", "warn"), text)


def _dependencies(wanted: Wanted, project: Project) -> Dependencies | None:
    """The file that was named, or what the project declares."""
    if wanted.requirements is None:
        return dependencies_of(project)
    return Dependencies(requirements_of(wanted.requirements), wanted.requirements)


def _entry_point(entry: str | None, collected: Collected) -> str | None:
    """`NAME` is looked for in the agent's file, which may be named as it is called here."""
    if entry is None:
        return None if collected.file == AGENT_FILE else collected.file
    file, colon, name = entry.rpartition(":")
    if not colon:
        return f"{collected.file}:{entry}"
    own_name = collected.origins[collected.file].name
    if file == own_name and file not in collected.files:
        file = collected.file
    return f"{_file_of_module(file, collected)}:{name}"


def _file_of_module(name: str, collected: Collected) -> str:
    """The file of `package.module`; the name itself where it is no module that is sent."""
    path = name.replace(".", "/") + ".py"
    found = (one for one in (path, f"src/{path}") if one in collected.files)
    return name if name in collected.files else next(found, name)


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
