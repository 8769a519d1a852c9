"""What a test may have its model service do beyond answering: the closed list of switches.

A request lists them in `allow`, each as a kind or as `kind=value`:

    hosted-tools     tools that the provider runs: web search and fetch, code execution, MCP
    stored-objects   files, prompts, conversations and the like that the account stores
    routing          where and how a compatible service routes a call
    urls=HOST        the provider fetches addresses of that host
    s3=BUCKET        Bedrock reads objects of that bucket with the credential's permissions
    secret=VARIABLE  the stored secret in that variable may be sent to the model
    unlisted=NAME    a kind of content or tool, a beta feature, a header or a query parameter
                     that Seatrial does not know
"""

from __future__ import annotations

from collections.abc import Iterable

HOSTED_TOOLS = "hosted-tools"
STORED_OBJECTS = "stored-objects"
ROUTING = "routing"
URLS = "urls"
S3 = "s3"
SECRET = "secret"  # noqa: S105 - the name of a switch
UNLISTED = "unlisted"

PLAIN_KINDS = frozenset({HOSTED_TOOLS, STORED_OBJECTS, ROUTING})
"""The switches without a value."""

KINDS_WITH_VALUE = frozenset({URLS, S3, SECRET, UNLISTED})
"""The switches that name what they allow."""

NEVER = ""
"""Stands for the switch of something that no switch allows."""


class Allowances:
    """The switches of one test."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        """`entries` as in a request, already validated."""
        self._entries = {canonical(entry): entry for entry in entries}

    def entry(self, wanted: str) -> str | None:
        """The request's entry that grants a switch, as the user wrote it; None without one."""
        return self._entries.get(canonical(wanted)) if wanted else None

    def __contains__(self, wanted: str) -> bool:
        """Whether a switch such as `urls=example.com` is granted."""
        return self.entry(wanted) is not None


def canonical(entry: str) -> str:
    """One spelling per switch: hosts and names of headers are compared without case.

    >>> canonical("urls=Example.COM.")
    'urls=example.com'
    """
    kind, equals, value = entry.partition("=")
    if kind == SECRET:
        return entry
    value = value.lower()
    return kind + equals + (value.removesuffix(".") if kind == URLS else value)


def values_of(kind: str, entries: Iterable[str]) -> tuple[str, ...]:
    """What the entries of one kind name, in their canonical form.

    >>> values_of("s3", ("hosted-tools", "s3=papers"))
    ('papers',)
    """
    parts = (canonical(entry).partition("=") for entry in entries)
    return tuple(value for found, _, value in parts if found == kind)
