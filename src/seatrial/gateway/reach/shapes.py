"""A closed description of a request body: nodes with checks. Pure.

A node describes one place of a body, whether a value, an object or a list of them stands there.
Fields that a node does not know pass when they are plain; names that are known to reach beyond the
model are checked at any place (see `anywhere`), and kinds of tools and content are listed where
they stand. Names are compared without regard to case, `_` and `-`, as some servers read them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from seatrial.domain.allowances import HOSTED_TOOLS, NEVER, S3, STORED_OBJECTS, UNLISTED, URLS
from seatrial.gateway.bodies import LongText, Marker, Value


@dataclass(frozen=True)
class Need:
    """What a value asks for: `why` completes "The call's field …", `switch` would allow it.

    An empty switch stands for what no switch allows. `id` is a reference that passes when the
    test itself received it, `model` a name that passes when the test offers that model.
    """

    switch: str
    why: str
    id: str | None = None
    model: str | None = None


Check = Callable[[Value], Need | None]
"""What a value asks for, None for nothing.

Called with Marker.OBJECT for an object and with every scalar; for a list, with each of its items.
"""


@dataclass(eq=False)
class Node:
    """One place of a body.

    `closed` names the union that the keys of this object are members of: an unknown key is
    refused. `free` is data of the agent's own, which no service acts on. With `deep` a check sees
    everything beneath its place.
    """

    fields: dict[str, Node] = field(default_factory=dict[str, "Node"])
    check: Check | None = None
    closed: str = ""
    free: bool = False
    deep: bool = False
    schema: bool = False

    def __post_init__(self) -> None:
        """Take the names in the form in which they are compared."""
        self.fields = {name_key(name): node for name, node in self.fields.items()}

    def add(self, **fields: Node) -> Node:
        """Add fields, for nodes that hold themselves."""
        self.fields |= {name_key(name): node for name, node in fields.items()}
        return self


_IGNORED = str.maketrans("", "", "_-")


@lru_cache(4096)
def name_key(name: str) -> str:
    """The form in which field names are compared.

    >>> name_key("s3_Location") == name_key("s3Location")
    True
    """
    return name.casefold().translate(_IGNORED)


# --------------------------------------------------------------------------- checks


def needs(switch: str, why: str) -> Check:
    """Anything but null, false and the empty text asks for the switch."""

    def check(value: Value) -> Need | None:
        return None if value in (None, False, "") else Need(switch, why)

    return check


def never(why: str) -> Check:
    """Anything but null, false and the empty text is refused whatever the test allows."""
    return needs(NEVER, why)


def reference(what: str) -> Check:
    """An id of something that the account stores; those that the test received pass."""

    def check(value: Value) -> Need | None:
        if value is Marker.OBJECT or value in (None, ""):
            return None
        why = f"refers to {what} that this test did not make"
        return Need(STORED_OBJECTS, why, id=value if isinstance(value, str) else None)

    return check


def other_model(value: Value) -> Need | None:
    """Names of further models; those that the test offers pass."""
    if value is Marker.OBJECT or value in (None, ""):
        return None
    name = value if isinstance(value, str) else None
    return Need(NEVER, "names a model that the test does not offer", model=name)


_WEB = re.compile(
    r"https?://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::[0-9]{1,5})?(?:[/?#][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)
_S3 = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/[^\\]*)?", re.ASCII)
_BLANKS = "".join(map(chr, range(33)))
_FETCHES = "makes the provider fetch an address"


def url(value: Value) -> Need | None:
    """An address; `data:` passes. One that is not plainly of one host is refused."""
    head, whole = _text(value)
    text = head.strip(_BLANKS)
    if not text or text[:5].lower() == "data:":
        return None
    if whole and (match := _WEB.fullmatch(text)) and not {"\\", "@"} & set(text):
        host = match[1].lower()
        return Need(f"{URLS}={host}", f"{_FETCHES} of {host}")
    if whole and (match := _S3.fullmatch(text)):
        return Need(f"{S3}={match[1]}", f"makes the provider read the S3 bucket {match[1]}")
    return Need(NEVER, f"{_FETCHES} that is not plainly http(s)://HOST/PATH; send `data:` instead")


def embedded(value: Value) -> Need | None:
    """Base64 or `data:`, else an address: base64 has no colon, no dot and never two slashes."""
    head = _text(value)[0].strip(_BLANKS)[:128]
    return url(value) if ":" in head or "." in head or head[:2] == "//" else None


def s3_bucket(value: Value) -> Need | None:
    """An S3 address in a field that holds nothing else."""
    need = url(value)
    if need is None and not _text(value)[0]:
        return None
    if need is not None and need.switch.startswith(f"{S3}="):
        return need
    return Need(NEVER, "is not plainly s3://BUCKET/KEY")


def _text(value: Value) -> tuple[str, bool]:
    """The text of a value, empty for other values, and whether it is the whole text."""
    if isinstance(value, LongText):
        return value.beginning, False
    return (value, True) if isinstance(value, str) else ("", True)


@dataclass(frozen=True)
class Kinds:
    """The kinds that stand at one place, usually in its field `type`.

    `plain` are names that ask for nothing, `reaching` expressions with their switch. Whatever is in
    neither is refused by name: `unknown` is the switch, or empty for `unlisted=NAME`.
    """

    what: str
    plain: frozenset[str]
    patterns: tuple[str, ...] = ()
    reaching: Mapping[str, str] = field(default_factory=dict[str, str])
    unknown: str = ""

    def __call__(self, value: Value) -> Need | None:
        """See Check. Values that are not texts are the provider's to refuse."""
        text = _text(value)[0]
        if not text or text in self.plain:
            return None
        name = text[:80]
        for pattern, switch in self.reaching.items():
            if re.fullmatch(pattern, name):
                return Need(switch, f"is {name!r}, {_ASKS.get(switch, 'which reaches further')}")
        if any(re.fullmatch(pattern, name) for pattern in self.patterns):
            return None
        switch = self.unknown or f"{UNLISTED}={_plain(name)}"
        return Need(switch, f"is {name!r}, a kind of {self.what} that Seatrial does not know")


_ASKS = {
    HOSTED_TOOLS: "which the provider runs itself and which can reach the internet",
    STORED_OBJECTS: "which refers to something that the account stores",
}


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.:-]", "_", name)


# --------------------------------------------------------------------------- common nodes

FREE = Node(free=True)
"""The agent's own data: arguments of tools, metadata."""

SCHEMA = Node(schema=True)
"""A JSON Schema: everything passes but a `$ref` that leads out of it."""

_HOSTED = Node(check=needs(HOSTED_TOOLS, "switches on a tool that the provider runs"), deep=True)
_STORED = Node(check=needs(STORED_OBJECTS, "uses something that the account stores"), deep=True)
_ADDRESS = Node(check=never("chooses the address or the key of the model service"), deep=True)
_URL = Node(check=url)
_S3_URI = Node(check=s3_bucket)
_FILES = Node(check=reference("a stored file"))
_MODELS = Node(check=other_model, deep=True)

_ANYWHERE: Mapping[str, Node] = {
    name_key(name): node
    for names, node in (
        (("mcp_servers", "web_search_options", "web_search", "web_fetch", "connectors",
          "system_tool", "code_execution", "code_interpreter", "google_search"), _HOSTED),
        (("file_id", "file_ids", "document_id", "document_ids"), _FILES),
        (("vector_store_id", "vector_store_ids", "knowledge_base_id", "guardrail_config",
          "guardrail_identifier", "guardrail_id", "connector_id", "prompt_id", "assistant_id",
          "thread_id"), _STORED),
        (("s3_uri",), _S3_URI),
        (("api_base", "api_key", "api_keys", "base_url", "extra_headers", "extra_body", "headers",
          "user_config", "model_list", "custom_llm_provider", "kv_transfer_params", "proxy",
          "azure_ad_token", "callbacks", "success_callback", "failure_callback", "lora_path",
          "adapter_source", "adapter_id", "lora_request"), _ADDRESS),
        (("models", "fallbacks", "fallback_models", "fallback_model"), _MODELS),
    )
    for name in names
}  # fmt: skip
_PREFIXES = (("aws", _ADDRESS), ("vertex", _ADDRESS), ("langfuse", _ADDRESS))
_ENDINGS = (
    *((ending, _URL) for ending in ("url", "urls", "uri", "uris")),
    *((ending, _ADDRESS) for ending in ("endpoint", "hostname", "host")),
)


@lru_cache(4096)
def anywhere(name: str) -> Node | None:
    """The node of a name that is checked wherever it stands."""
    key = name_key(name)
    if key in _ANYWHERE:
        return _ANYWHERE[key]
    if name.endswith(("Arn", "_arn")):
        return _STORED
    for ending, node in _ENDINGS:
        if key.endswith(ending):
            return node
    return next((node for start, node in _PREFIXES if key.startswith(start)), None)


def schema_need(name: str, value: Value) -> Need | None:
    """What a member of a JSON Schema asks for."""
    if not name.endswith(("ref", "Ref")) or not name.startswith("$"):
        return None
    if not isinstance(value, str) or value.startswith("#"):
        return None
    return url(value) or Need(NEVER, "refers to a schema outside of the call")
