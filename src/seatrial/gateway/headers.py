"""Which headers pass the gateway, in both directions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from multidict import CIMultiDict, CIMultiDictProxy

from .scrub import Scrubber

Headers = CIMultiDictProxy[str] | CIMultiDict[str]

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""They speak of one connection only (RFC 9110 section 7.6.1)."""

CREDENTIALS = frozenset(
    {
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "cookie",
        "cookie2",
    }
)
"""Whatever the container holds under these names is a dummy, or not ours to pass on."""

_OVERRIDES = frozenset(
    {
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
    }
)
"""Some servers act on these instead of on the request line, which is what was checked."""

_SET_BY_US = frozenset(
    {"host", "content-length", "content-type", "content-encoding", "accept-encoding", "expect"}
)
_NEVER_SENT = HOP_BY_HOP | CREDENTIALS | _OVERRIDES | _SET_BY_US
_NOT_BACK = frozenset({"set-cookie", "set-cookie2", "content-length"})


def to_upstream(
    given: Headers,
    *,
    private: Iterable[str],
    key_headers: Mapping[str, str],
    content_type: str | None = None,
) -> CIMultiDict[str]:
    """The agent's headers without what is not its own, and the key's.

    The upstream is asked not to compress, so that usage can be read as the bytes pass. It is
    told the type of body that was checked, not the one that the agent named.
    """
    dropped = _NEVER_SENT | _named_by_connection(given) | {*private}
    passed = CIMultiDict(
        (name, value)
        for name, value in given.items()
        if name.lower() not in dropped and not name.lower().startswith("x-amz-")
    )
    passed["Accept-Encoding"] = "identity"
    if content_type is not None:
        passed["Content-Type"] = content_type
    passed.update(key_headers)
    return passed


def is_replaced(name: str) -> bool:
    """Whether the gateway drops or sets a header for every provider; `name` in lower case."""
    return name in _NEVER_SENT or name.startswith("x-amz-")


def to_agent(given: Headers, scrubber: Scrubber) -> CIMultiDict[str]:
    """The upstream's headers without those of its connection, cookies and secrets."""
    dropped = HOP_BY_HOP | _NOT_BACK | _named_by_connection(given)
    kept = [item for item in given.items() if item[0].lower() not in dropped]
    if scrubber.may_change("\n".join(text for item in kept for text in item)):
        return CIMultiDict((scrubber.text(name), scrubber.text(value)) for name, value in kept)
    return CIMultiDict(kept)


def _named_by_connection(given: Headers) -> frozenset[str]:
    tokens = ",".join(given.getall("Connection", [])).split(",")
    return frozenset(token.strip().lower() for token in tokens)
