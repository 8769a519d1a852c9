"""From the fix that a failure offers to the request that makes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from .requests import LimitChanges, RetryChanges, TestRequest

PULL_MODEL = "pull_model"
"""The fix that is made outside of the request: the operator's Ollama pulls this model."""


def changes_of(fix: Mapping[str, str | int], request: TestRequest) -> RetryChanges:
    r"""What a retry of the request has to change. ValueError for a fix that none can make.

    Nothing of the request changes for a model that is to be pulled first.

    >>> request = TestRequest(files={"agent.py": ""}, query="q", requirements="rich")
    >>> changes_of({"add_requirement": "httpx"}, request).requirements
    'rich\nhttpx\n'
    """
    limits: dict[str, str | int] = {}
    fields: dict[str, object] = {}
    for name, value in fix.items():
        if name == PULL_MODEL:
            continue
        if name == "add_requirement":
            fields["requirements"] = _with_line(request.requirements, str(value))
        elif name == "add_egress":
            fields["egress"] = (*request.egress, str(value))
        elif name == "add_allow":
            fields["allow"] = (*request.allow, str(value))
        elif name in LimitChanges.model_fields:
            limits[name] = value
        elif name in RetryChanges.model_fields:
            fields[name] = value
        else:
            raise ValueError(f"a retry cannot change {name!r}")
    if limits:
        fields["limits"] = LimitChanges.model_validate(limits)
    return RetryChanges.model_validate(fields)


def _with_line(text: str, line: str) -> str:
    """The text with the line added, after a last line that is unfinished or continued."""
    before = text.rstrip().rstrip("\\").rstrip()
    return f"{before}\n{line}\n" if before.strip("\ufeff") else f"{line}\n"
