"""The rules of a test request: pure, complete (all problems at once), and never raising."""

from __future__ import annotations

from collections.abc import Mapping

from seatrial.domain.errors import FieldProblem
from seatrial.domain.requests import TestRequest

from .allow import allow_problems
from .egress import egress_problems
from .limits import Maxima, limit_problems, limit_ranges, timeout_problems
from .models import OFFERED_PROVIDERS, model_problems
from .paths import path_problems
from .python_source import (
    SUPPORTED_PYTHONS,
    entry_point_problems,
    python_problems,
    source_problems,
    sources_of,
    version_of,
)
from .requirements import requirements_problems
from .syntax import Finding, find
from .texts import name_problems, query_problems
from .variables import env_problems, secret_problems
from .webhooks import webhook_problems

__all__ = [
    "OFFERED_PROVIDERS",
    "SUPPORTED_PYTHONS",
    "Finding",
    "Maxima",
    "compile_here",
    "limit_ranges",
    "sources_of",
    "validate",
    "version_of",
]


def validate(
    request: TestRequest,
    maxima: Maxima,
    *,
    providers: frozenset[str] = OFFERED_PROVIDERS,
    default_python: str = "3.11",
    findings: Mapping[str, Finding] | None = None,
) -> list[FieldProblem]:
    """Every rule that the request breaks, in the order in which its fields are declared.

    An empty list means that it may be queued. Nothing of the request is executed. `providers`
    are those that this installation can use; `default_python` is what a request that names no
    version runs on. `findings` are a compiler's, by path; without them the sources are compiled
    here, which can take minutes for sources made to. Never raises.
    """
    if findings is None:
        findings = compile_here(request, default_python=default_python)
    return [
        *path_problems(request.files, request.entry_point),
        *source_problems(request.files, findings),
        *requirements_problems(request.requirements),
        *python_problems(request.python),
        *model_problems(request.model, providers),
        *query_problems(request.query),
        *entry_point_problems(request.entry_point, request.files),
        *timeout_problems(request.timeout_seconds, maxima),
        *limit_problems(request.limits, maxima),
        *egress_problems(request.egress),
        *allow_problems(request.allow, request.secrets),
        *name_problems(request.name),
        *webhook_problems(request.webhook),
        *env_problems(request.env, request.secrets),
        *secret_problems(request.secrets),
    ]


def compile_here(request: TestRequest, *, default_python: str = "3.11") -> dict[str, Finding]:
    """What this process's compiler finds wrong, by path: for a user's own process."""
    version = version_of(request.python or default_python)
    found = {path: find(text, version) for path, text in sources_of(request.files).items()}
    return {path: one for path, one in found.items() if one is not None}
