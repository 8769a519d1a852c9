"""Headers and query parameters of a call: what they ask of a provider. Pure.

Plain ones pass, as plain fields of a body do. Names that reach further are the same in all three
places; what gateways and proxies in front of a model take orders by is listed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from seatrial.domain.allowances import ROUTING
from seatrial.gateway.headers import is_replaced

from .shapes import Check, Need, anywhere

_CONTROL = (
    "x-portkey-",
    "helicone-",
    "x-litellm-",
    "cf-aig-",
    "x-amzn-bedrock-guardrail",
    "x-forwarded-",
    "x-envoy-",
    "x-kong-",
    "x-bf-",
)
"""Beginnings of headers that tell a gateway where a call goes or whose key it takes."""

_ORDERS = Need(ROUTING, "tells the service where and how to route the call")


@dataclass(frozen=True)
class Wire:
    """Headers of a provider that list features, in lower case, each with its check."""

    checked: Mapping[str, Check] = field(default_factory=dict[str, Check])


def wire_needs(
    headers: Iterable[tuple[str, str]], query: str, wire: Wire
) -> Iterator[tuple[str, Need]]:
    """What the headers and the query of a call ask for, each with its place as people call it."""
    for name, value in headers:
        for need in _of_header(name.lower(), value, wire):
            yield f"header {name[:80]}", need
    for name, value in parse_qsl(query.replace(";", "&"), keep_blank_values=True):
        for need in _of_name(name, value):
            yield f"query parameter {name[:80]}", need


def _of_header(name: str, value: str, wire: Wire) -> Iterator[Need]:
    check = wire.checked.get(name)
    if check is not None:
        found = (check(feature.strip()) for feature in value.split(","))
        yield from (need for need in found if need is not None)
    elif name.startswith(_CONTROL):
        yield _ORDERS
    elif not is_replaced(name):
        yield from _of_name(name, value)


def _of_name(name: str, value: str) -> Iterator[Need]:
    node = anywhere(name)
    need = node.check(value) if node is not None and node.check is not None else None
    if need is not None:
        yield need
