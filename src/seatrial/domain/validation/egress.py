"""The hosts that a request wants to reach: exact names with ports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from seatrial.domain.errors import FieldProblem

from .paths import printable

MAX_HOSTS = 50

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE | re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE | re.ASCII)


def egress_problems(entries: Sequence[str]) -> Iterator[FieldProblem]:
    """Each entry is `host:port` with one exact host name, no address and no wildcard."""
    if len(entries) > MAX_HOSTS:
        message = f"{len(entries):,} hosts; the limit is {MAX_HOSTS}."
        yield FieldProblem("egress", message, "too_many")
        return
    for index, entry in enumerate(entries):
        problem = _problem(entry)
        if problem:
            message = f"{printable(entry)!r} {problem}"
            yield FieldProblem(f"egress[{index}]", message, "invalid")


def _problem(entry: str) -> str | None:
    host, colon, port = entry.rpartition(":")
    if not colon or not host:
        return "is not of the form host:port."
    if not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or not 1 <= int(port) <= 65535:
        return "has no port between 1 and 65535."
    return host_problem(host)


def host_problem(host: str) -> str | None:
    """Why a text is not one exact host name; None when it is."""
    if "*" in host:
        return "holds a wildcard; name each host exactly."
    if not host.isascii():
        return "is not ASCII; write an international name in its xn-- form."
    labels = host.split(".")
    # A name whose last label is a number is read as an IPv4 address, in any of its notations.
    if ":" in host or host.startswith("[") or _NUMBER.fullmatch(labels[-1]):
        return "is an address; name the host instead."
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return "is not a valid host name."
    return None
