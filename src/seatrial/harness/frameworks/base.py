"""What every framework's file gives: a way to know its objects and a way to call them."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Callable, Optional, Union

from .answers import Answer

Emit = Callable[[str], Optional[bool]]
"""Takes a piece of the response while it is produced. False: it is longer than allowed by now."""


@dataclass(frozen=True)
class Adapter:
    """One framework. `matches` looks at classes and attributes only: nothing is imported."""

    name: str
    matches: Callable[[Any], bool]
    call: Callable[[Any, str, Emit], Union[Answer, Awaitable[Answer]]]


def comes_from(value: Any, *packages: str) -> bool:
    """Whether a class of the value, or one it derives from, is defined in one of the packages."""
    return any(
        module == package or module.startswith(package + ".")
        for module in _modules(value)
        for package in packages
    )


def comes_from_family(value: Any, prefix: str) -> bool:
    """As `comes_from`, for families of packages such as langchain_core and langchain_ollama."""
    return any(module.startswith(prefix) for module in _modules(value))


def class_names(value: Any) -> set[str]:
    """The names of the value's class and of all that it derives from."""
    return {item.__name__ for item in type(value).__mro__}


def has(value: Any, *names: str) -> bool:
    """Whether the value has all these attributes. Classes themselves have none that count."""
    return not isinstance(value, type) and all(hasattr(value, name) for name in names)


def _modules(value: Any) -> list[str]:
    if isinstance(value, type):
        return []
    return [str(getattr(item, "__module__", "")) for item in type(value).__mro__]
