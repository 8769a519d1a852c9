"""Check a request by every rule, against this installation's maxima."""

from __future__ import annotations

from seatrial.domain.compiler_ports import Compiler
from seatrial.domain.errors import InvalidRequest
from seatrial.domain.ports import Store
from seatrial.domain.requests import TestRequest
from seatrial.domain.validation import OFFERED_PROVIDERS, Maxima, sources_of, validate, version_of
from seatrial.domain.validation.syntax import UNCHECKED
from seatrial.settings import Settings

from .credentials import choice_problems
from .recordings import replay_problems


def maxima_of(settings: Settings) -> Maxima:
    """The most that one test may ask for, as the operator set it."""
    return Maxima(
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


async def validate_request(
    store: Store,
    settings: Settings,
    owner: str,
    request: TestRequest,
    *,
    compiler: Compiler,
    providers: frozenset[str] = OFFERED_PROVIDERS,
) -> tuple[str, ...]:
    """Return when the request may be queued. InvalidRequest with every problem otherwise.

    Returned are the files whose syntax could not be checked in time: the test itself shows it.
    """
    version = version_of(request.python or settings.python)
    findings = await compiler.check(owner, sources_of(request.files), version)
    problems = validate(
        request,
        maxima_of(settings),
        providers=providers,
        default_python=settings.python,
        findings=findings,
    )
    if request.replay_of is None:
        problems += await choice_problems(store, owner, request, settings.default_model)
    else:
        # Its calls need no credential: that of the recorded test may be gone.
        problems += await replay_problems(store, owner, request)
    if problems:
        raise InvalidRequest(tuple(problems))
    return tuple(path for path, found in findings.items() if found.kind == UNCHECKED)
