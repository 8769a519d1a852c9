"""Which object of the agent's file is its entry point, and how that was found out."""

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Optional, cast

from .frameworks import framework_of, function
from .frameworks.base import Adapter, has

OBJECT_NAMES = (
    "agent",
    "app",
    "graph",
    "root_agent",
    "crew",
    "workflow",
    "chain",
    "swarm",
    "team",
    "flow",
)
"""Names under which frameworks' own examples put what they want to be called."""

FUNCTION_NAMES = (
    "run",
    "main",
    "agent",
    "invoke",
    "handler",
    "entrypoint",
    "chat",
    "ask",
    "answer",
    "respond",
    "execute",
)
"""Names of functions that take the query, in the order of trying."""


class NoEntryPoint(Exception):
    """Nothing in the file can be called with a query; the message says what was looked for."""


@dataclass(frozen=True)
class Found:
    """An entry point: what to call, its name, and by which rule it was found."""

    name: str
    value: Any
    adapter: Adapter
    how: str


def find(module: ModuleType, root: str, guarded: bool) -> Optional[Found]:
    """The entry point among a module's objects; None when the file is (only) a script.

    In this order: a conventional name, the last object of a known framework, a function with a
    conventional name, and, in a file without `if __name__ == "__main__"`, its only public
    function. A `main()` that takes no query gives way to the script that calls it.
    """
    seen = Namespace(module, root, guarded)
    return seen.named() or seen.last_framework_object() or seen.function() or seen.only_function()


def candidates(module: ModuleType, root: str) -> list[str]:
    """The file's public functions, which could be named as its entry point; in their order."""
    return Namespace(module, root, guarded=False).functions()


def find_named(module: ModuleType, name: str) -> Found:
    """The entry point that was asked for by name. Raises NoEntryPoint."""
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            raise NoEntryPoint(f"{os.path.basename(module.__file__ or '')} has no {name!r}.")
        value = getattr(value, part)
    if isinstance(value, type):
        value = value()
    adapter = framework_of(value)
    if adapter is not None:
        return Found(name, value, adapter, "explicit")
    target = _own_method(value)
    if target is None:
        raise NoEntryPoint(f"{name!r} is a {type(value).__name__}, which cannot be called.")
    return Found(name, target, function.ADAPTER, "explicit")


class Namespace:
    """The objects of one module, asked one rule after the other."""

    def __init__(self, module: ModuleType, root: str, guarded: bool) -> None:
        self._module, self._root, self._guarded = module, root, guarded
        self._values: dict[str, Any] = {
            name: value for name, value in vars(module).items() if not name.startswith("__")
        }

    def named(self) -> Optional[Found]:
        """An object under a conventional name."""
        for name in OBJECT_NAMES:
            found = self._usable(name, "conventional name")
            if found is not None:
                return found
        return None

    def last_framework_object(self) -> Optional[Found]:
        """The object that was defined last: a team comes after its members."""
        for name, value in reversed(list(self._values.items())):
            adapter = framework_of(value)
            if adapter is not None:
                return Found(name, value, adapter, "last framework object")
        return None

    def function(self) -> Optional[Found]:
        """A function under a conventional name."""
        for name in FUNCTION_NAMES:
            found = self._usable(name, "conventional name")
            if found is not None:
                return found
        return None

    def only_function(self) -> Optional[Found]:
        """The one public function of the file, where the file is no script."""
        if self._guarded:
            return None
        own = self.functions()
        return self._usable(own[0], "only function") if len(own) == 1 else None

    def functions(self) -> list[str]:
        """The names of the file's own public functions."""
        return [
            name
            for name, value in self._values.items()
            if not name.startswith("_") and self._is_defined_here(value)
        ]

    def _usable(self, name: str, how: str) -> Optional[Found]:
        value = self._values.get(name)
        if value is None or isinstance(value, (type, ModuleType)):
            return None
        adapter = framework_of(value)
        if adapter is not None:
            return Found(name, value, adapter, how)
        target = _own_method(value) if self._is_own(value) else None
        if target is None or (self._guarded and not _takes_query(target)):
            return None
        return Found(name, target, function.ADAPTER, how)

    def _is_own(self, value: Any) -> bool:
        """Whether a function, or an object's class, is the user's and not a library's."""
        source: Any = value
        if not _is_function(value):
            source = cast("Any", type(value))
        module = sys.modules.get(str(getattr(source, "__module__", "")))
        names = [getattr(module, "__file__", None)]
        names.append(getattr(getattr(value, "__code__", None), "co_filename", None))
        return any(_is_below(self._root, name) for name in names if isinstance(name, str))

    def _is_defined_here(self, value: Any) -> bool:
        return _is_function(value) and value.__module__ == self._module.__name__


def is_guarded(source: str) -> bool:
    """Whether a file has a part that runs only as a script: `if __name__ == "__main__"`."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return False
    return any(is_guard(item) for item in statements)


def is_guard(statement: ast.stmt) -> bool:
    """Whether a statement runs only in a script: `if __name__ == "__main__"`."""
    return isinstance(statement, ast.If) and _names_main(statement.test)


def _names_main(test: ast.expr) -> bool:
    found = set(_words(test))
    return {"__name__", "__main__"} <= found


def _words(test: ast.expr) -> Iterator[str]:
    for node in ast.walk(test):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _own_method(value: Any) -> Any:
    """The value itself when it can be called, else the method of it that takes a query."""
    if function.matches(value):
        return value
    name = next((name for name in function.METHODS if has(value, name)), None)
    return None if name is None else getattr(value, name)


def _takes_query(value: Any) -> bool:
    try:
        positional, named = function.arguments(value, "")
    except function.BadSignature:
        return True
    return bool(positional or named)


def _is_function(value: Any) -> bool:
    return callable(value) and hasattr(value, "__module__") and hasattr(value, "__name__")


def _is_below(root: str, path: str) -> bool:
    return os.path.abspath(path).startswith(os.path.join(root, ""))
