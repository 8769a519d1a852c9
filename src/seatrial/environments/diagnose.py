"""Says why a build stage failed: from its exit and its output to a catalogue entry. Pure.

The wordings are uv's own, recorded from real runs in the tests. Output of the stage that builds
from source holds foreign text: it can only choose among reasons that are the requirements' fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from seatrial.domain.errors import EngineRefused, FailureError, NoCapacity, PlatformError
from seatrial.domain.failures import Failure, failure

from . import remedies

Stage = Literal["fetch", "sources", "install", "wheels", "assemble"]


@dataclass(frozen=True)
class StageResult:
    """How a stage ended. `reason` is the harness's word for it; `lost` when it had none.

    `newest` is the newest version of the package whose asked version does not exist, as
    `name==version`, when that is known. `annotated` is the resolution of a build that was too
    large, with who asked for what. `told` is the last line of the whole build that its
    user was shown: not every line of `output` is.
    """

    stage: Stage
    code: int | None
    reason: str
    output: str
    message: str = ""
    told: str = ""
    oom: bool = False
    newest: str = ""
    annotated: str = ""
    seconds_allowed: int = 0
    memory_mb: int = 0
    most_mb: int = 0
    refused: tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether it did its work."""
        return self.reason == "exited" and self.code == 0


TOO_LARGE = 70
"""The exit code with which the fetch program says that it wrote too much."""
NO_SOLUTION = "error: No solution found"
"""Where uv's explanation begins."""

# Output may be foreign and long: a word or a run of blanks is read from its beginning alone.
_NEEDS_SOURCE = re.compile(r"^hint: Wheels are required for `([A-Za-z0-9._-]+)`", re.MULTILINE)
_UNKNOWN = re.compile(r"(?<![A-Za-z0-9._-])([A-Za-z0-9._-]+) was not found in the package registry")
_NO_VERSION = re.compile(r"there (?:is|are) no versions? of ([^\s,]+)")
_ONLY_OLDER = re.compile(r"only ([A-Za-z0-9._-]+)([<>=]\S+) is available and you require ([^\s,]+)")
_PYTHON = re.compile(r"(?<!\S)(\S+) (?:depends? on|requires?) Python ?([<>=!~]\S{0,99}[0-9*])")
_ABI = re.compile(r"(?<!\S)(\S+) ha(?:s|ve) no wheels with a matching Python")
_PLATFORM = re.compile(r"(?<!\S)(\S+) ha(?:s|ve) no wheels with a matching platform tag")
_BUILD = re.compile(r"^[ \t]*error: Failed to (?:download and )?build `([^`\n]+)`", re.MULTILINE)
_WHEEL = re.compile(
    r"error: Failed to (?:install|download|extract|read|unzip)[^`\n]*?[ `]([^\s`]+)"
)
_REFUSES_PYTHON = re.compile(
    r"Cannot install on Python version|(?:requires|needs|only supports) Python [<>=~0-9]"
    r"|Python versions? [^\n]{0,60}(?:is|are) (?:not|un)[ ]?supported"
)
"""What setup programs say of a Python that they do not support. Foreign text: it chooses only."""
_CAUSE = re.compile(r"^[ \t]*cause: (.+)$", re.MULTILINE)
_NETWORK = (
    "Request failed after",
    "Failed to fetch",
    "error sending request",
    "operation timed out",
)
_BACKEND = "The build backend returned an error"
_TRIED = re.compile(r"tried to reach (\S+), which")
_ELSEWHERE = (
    "Use an index that serves its files itself, or name that host as an index in UV_INDEX too."
)
_CONCLUSION = re.compile(r",? we can conclude that .*?(?=\. And because |$)")
_NO_SPACE = "No space left on device"
_EVIDENCE_LINES = 12


def needs_source(output: str) -> frozenset[str]:
    """The packages that uv would have to build from source, by its own words."""
    return frozenset(name.lower() for name in _NEEDS_SOURCE.findall(output))


def unsolved(output: str) -> str:
    """The part of the output that explains why there is no solution.

    It is not shown at once: one may be found by building from source.
    """
    start = output.find(NO_SOLUTION)
    return "" if start < 0 else output[start:].removesuffix("\n") + "\n"


def error_of(result: StageResult) -> FailureError | PlatformError:
    """What to raise for a stage that did not succeed."""
    return (
        _of_the_end(result)
        or _of_the_size(result)
        or _of_the_disk(result)
        or _of_the_network(result)
        or _of_the_build(result)
        or _of_the_solution(result)
        or _unexplained(result)
    )


def _of_the_end(result: StageResult) -> FailureError | PlatformError | None:
    if result.oom:
        message = f"Installing the requirements needed more than {result.memory_mb} MB of memory."
        hint = "Use smaller packages, or raise SEATRIAL_BUILD_MEMORY_MB."
        return FailureError(
            failure(
                "limit.memory", message, what_to_do=hint, evidence=result.message or result.told
            )
        )
    if result.reason == "deadline":
        message = f"The build was stopped after the {result.seconds_allowed} s allowed."
        return FailureError(failure("limit.build_timeout", message, evidence=result.told))
    if result.reason == "not_started":
        return EngineRefused(f"The build could not start: {result.message}")
    if result.reason != "exited":
        told = _last_line(result.message)
        return PlatformError(f"The build's container was lost ({result.reason}). {told}".rstrip())
    return None


def _of_the_size(result: StageResult) -> FailureError | None:
    if result.stage != "fetch" or result.code != TOO_LARGE:
        return None
    line = _last_line(result.output)
    used = re.search(r"^(\d+) bytes were written", line)
    size = f"{int(used.group(1)) / 2**20:.0f} MiB" if used else "more"
    message = f"The requirements wrote {size} of the {result.most_mb} MiB allowed for one build."
    remedy = remedies.large(result.output, result.annotated)
    return _made("limit.build_size", remedies.join((message, remedy.message)), line, remedy)


def _of_the_disk(result: StageResult) -> FailureError | PlatformError | None:
    line = _line_with(result.output, _NO_SPACE)
    if not line:
        return None
    if result.stage == "sources":
        message = "Building from source needed more room than there is for it."
        return FailureError(failure("limit.disk", message, evidence=line))
    return NoCapacity(
        f"The machine's disk is full: {line}", hint="Free some: seatrial environments prune."
    )


def _of_the_network(result: StageResult) -> FailureError | None:
    if not any(text in result.output for text in _NETWORK):
        return None
    if result.stage == "sources" and _BACKEND in result.output:
        return None  # what a package's own build said about networks
    causes = _CAUSE.findall(result.output) or [_last_line(result.output)]
    evidence = " … ".join(dict.fromkeys((causes[0], causes[-1])))
    remedy = remedies.unreachable(result.output)
    if remedy.message and not result.refused:
        return _made("dependencies.index_unreachable", remedy.message, evidence, remedy)
    return FailureError(
        failure(
            "dependencies.index_unreachable",
            _refusal(result.refused),
            what_to_do=_ELSEWHERE if _elsewhere(result.refused) else "",
            evidence=evidence,
        )
    )


def _refusal(refused: tuple[str, ...]) -> str:
    """What the door said, as it concerns an index."""
    if host := _elsewhere(refused):
        return f"The package index keeps files at {host}, which builds may not reach."
    return refused[0] if refused else ""


def _elsewhere(refused: tuple[str, ...]) -> str:
    match = next((found for text in refused if (found := _TRIED.search(text))), None)
    return match.group(1) if match else ""


def _of_the_build(result: StageResult) -> FailureError | None:
    match = _BUILD.search(result.output)
    if match is None:
        return None
    package = match.group(1)
    tail = [line for line in result.output[match.start() :].splitlines() if line.strip()]
    proof = [line.strip() for line in tail if not line.startswith("hint:")]
    evidence = "\n".join((proof[0], *proof[1:][-_EVIDENCE_LINES:]))
    if system := remedies.other_system("", "", package):
        return _made("dependencies.build_failed", system.message, evidence, system)
    if _REFUSES_PYTHON.search(result.output):
        message = f"{package} has no wheel for this Python, and its source refuses this Python."
        return FailureError(failure("dependencies.python_mismatch", message, evidence=evidence))
    message = f"{package} has no ready-made wheel here, and building it from source failed."
    return FailureError(failure("dependencies.build_failed", message, evidence=evidence))


def _of_the_solution(result: StageResult) -> FailureError | None:
    if NO_SOLUTION not in result.output:
        return None
    cause = _cause(result.output)
    return (
        _refused_by_index(result.output)
        or _python_mismatch(result, cause)
        or _no_wheel(result.output, cause)
        or _not_found(result, cause)
        or _made("dependencies.conflict", _sentence(cause), cause, remedies.conflict(cause))
    )


def _made(code: str, message: str, evidence: str, remedy: remedies.Remedy) -> FailureError:
    return FailureError(_failure(code, message, evidence, remedy))


def _failure(code: str, message: str, evidence: str, remedy: remedies.Remedy) -> Failure:
    return failure(
        code, message, what_to_do=remedy.what_to_do, evidence=evidence, fix=remedy.fix or None
    )


def _refused_by_index(output: str) -> FailureError | None:
    remedy = remedies.refused_by_index(output)
    if remedy is None:
        return None
    evidence = _line_with(output, "hint: An index")
    return _made("dependencies.index_unreachable", remedy.message, evidence, remedy)


def _python_mismatch(result: StageResult, cause: str) -> FailureError | None:
    output, code = result.output, "dependencies.python_mismatch"
    asked = _PYTHON.search(cause)
    if asked:
        remedy = remedies.other_python(output, cause, asked.group(1), asked.group(2), "")
        return _made(code, remedy.message, cause, remedy)
    match = _ABI.search(cause)
    if match is None or _PLATFORM.search(cause):
        return None
    package = match.group(1)
    hint = _line_with(output, "You require CPython") or cause
    if system := remedies.other_system(output, cause, package):
        return _made("dependencies.build_failed", system.message, hint, system)
    remedy = remedies.other_python(output, cause, package, "", result.newest)
    message = f"{package} has no wheel for this Python version."
    return _made(code, remedies.join((message, remedy.message)), hint, remedy)


def _no_wheel(output: str, cause: str) -> FailureError | None:
    match = _PLATFORM.search(cause)
    if match:
        hint = _line_with(output, "Wheels are available for")
        message = f"{match.group(1)} has neither a wheel for this platform nor its source."
        remedy = remedies.other_system(output, cause, match.group(1)) or remedies.Remedy()
        return _made("dependencies.build_failed", remedy.message or message, hint or cause, remedy)
    match = _NEEDS_SOURCE.search(output)
    if match:
        message = f"{match.group(1)} has no wheel that fits, and what was built does not either."
        return FailureError(failure("dependencies.build_failed", message, evidence=cause))
    return None


def _not_found(result: StageResult, cause: str) -> FailureError | None:
    remedy = remedies.Remedy()
    if match := _UNKNOWN.search(cause):
        remedy = remedies.unknown_package(cause, match.group(1))
        message = remedy.message or f"The package index has no package {match.group(1)!r}."
    elif match := _ONLY_OLDER.search(cause):
        newest = match.group(2).lstrip("<>=")
        message = f"There is no {match.group(3)}; the newest version is {newest}."
    elif match := _NO_VERSION.search(cause):
        message = f"There is no {match.group(1)}."
        if result.newest:
            message = f"There is no {match.group(1)}; the newest version is {result.newest}."
    else:
        return None
    return _made("dependencies.not_found", message, cause, remedy)


def _unexplained(result: StageResult) -> FailureError | PlatformError:
    evidence = _line_with(result.output, "error:") or _last_line(result.output)
    if result.stage == "sources":
        return FailureError(failure("dependencies.build_failed", evidence=evidence))
    match = _WHEEL.search(result.output)
    if match:
        causes = _CAUSE.findall(result.output) or [evidence]
        message = f"What the package index offers as {match.group(1)} cannot be installed."
        return FailureError(failure("dependencies.build_failed", message, evidence=causes[-1]))
    return PlatformError(f"The stage {result.stage} ended with code {result.code}: {evidence}")


# --------------------------------------------------------------------------- reading uv's words


def _cause(output: str) -> str:
    """The explanation after "No solution found", on one line."""
    text = unsolved(output).partition("\nhint:")[0]
    after = text.partition("cause:")[2] or text
    return " ".join(after.split())


def _sentence(cause: str) -> str:
    """The facts of the explanation, without what follows from them."""
    facts = _CONCLUSION.sub("", cause.removeprefix("Because ").removesuffix("."))
    return f"{facts.replace('. And because ', ', and ')}."


def _line_with(output: str, text: str) -> str:
    line = next((line.strip() for line in output.splitlines() if text in line), "")
    return line.removeprefix("hint: ")


def _last_line(output: str) -> str:
    return next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
