"""From what an agent returned to a text, a structured value and a token count."""

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional, cast

TEXT_KEYS = ("output", "result", "text", "answer", "content", "response", "message")
"""Where the text of an answer usually stands in a mapping, in the order of trying."""

_NO_TEXT = re.compile(r"<[\w.<>]+ (object )?at 0x[0-9a-f]+>", re.ASCII)
"""What Python writes for an object that has no text: an address in memory, which is no answer."""

_USAGE_KEYS = {
    "input_tokens": ("input_tokens", "inputTokens", "prompt_tokens", "request_tokens"),
    "output_tokens": ("output_tokens", "outputTokens", "completion_tokens", "response_tokens"),
}


@dataclass(frozen=True)
class Answer:
    """What a call of an entry point gave. `text` wins over what `value` would say."""

    value: Any = None
    text: Optional[str] = None
    usage: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Written:
    """An answer as plain text and, when it was structured, as JSON. `response` None: nothing."""

    response: Optional[str]
    value_json: Optional[str]
    usage: dict[str, int]


def write(answer: Answer) -> Written:
    """Write an answer down."""
    value = plain(answer.value)
    usage = answer.usage
    if not usage and isinstance(value, dict):
        usage = usage_of(cast("dict[str, Any]", value).get("usage"))
    text = answer.text if answer.text is not None else text_of(value)
    value_json = None if value is None or isinstance(value, str) else as_json(value)
    return Written(None if text is None else valid(text), value_json, usage)


def plain(value: Any) -> Any:
    """Models and dataclasses as mappings, bytes as text; anything else as it is."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    dump = getattr(cast("Any", type(value)), "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        return value.model_dump(mode="json")
    return value


def text_of(value: Any) -> Optional[str]:
    """The text of a value by the usual keys and attributes; None for None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return _mapping_text(cast("Mapping[Any, Any]", value))
    if isinstance(value, (list, tuple)):
        return _parts_text(list(cast("Any", value)))
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    for name in TEXT_KEYS:
        found = getattr(value, name, None)
        if isinstance(found, str):
            return found
    text = str(value)
    return None if _NO_TEXT.fullmatch(text) else text


def _mapping_text(value: "Mapping[Any, Any]") -> str:
    for key in TEXT_KEYS:
        found = value.get(key)
        if isinstance(found, str):
            return found
        if isinstance(found, (dict, list)) and found:
            return text_of(found) or ""
    return as_json(value) or str(value)


def _parts_text(parts: list[Any]) -> str:
    """Content parts (`[{"text": ...}]`) are joined; any other list is shown as JSON."""
    texts = [part if isinstance(part, str) else _part_text(part) for part in parts]
    if parts and all(text is not None for text in texts):
        return "".join(text for text in texts if text is not None)
    return as_json(parts) or str(parts)


def _part_text(part: Any) -> Optional[str]:
    found = part.get("text") if isinstance(part, dict) else getattr(part, "text", None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - foreign values
    return found if isinstance(found, str) else None


def as_json(value: Any) -> Optional[str]:
    """Strict JSON, foreign objects in it as texts; None when there is no way to say it."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False, default=_foreign)
    except (ValueError, TypeError, RecursionError):
        return None
    return valid(text)


def _foreign(value: Any) -> Any:
    found = plain(value)
    if found is not value:
        return found
    if isinstance(value, (set, frozenset)):
        return list(cast("set[Any]", value))
    return str(value)


def usage_of(source: Any) -> dict[str, int]:
    """Token counts under our names, from a mapping or an object under any of the usual ones."""
    if source is None:
        return {}
    found: dict[str, int] = {}
    for name, aliases in _USAGE_KEYS.items():
        for alias in aliases:
            count = (
                cast("Mapping[str, Any]", source).get(alias)
                if isinstance(source, Mapping)
                else getattr(source, alias, None)
            )
            if type(count) is int and 0 <= count < 2**53:
                found[name] = count
                break
    return found


def add_usage(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    """The sum of two counts."""
    return {name: left.get(name, 0) + right.get(name, 0) for name in {**left, **right}}


def valid(text: str) -> str:
    """Text without halves of surrogate pairs."""
    return text.encode("utf-8", "replace").decode("utf-8")
