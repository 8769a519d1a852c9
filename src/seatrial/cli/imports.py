"""Which local modules Python code imports, read from its text: nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Imported:
    """A dotted module name. `level` counts the leading dots of a relative import."""

    parts: tuple[str, ...]
    level: int = 0


def imports_of(source: str) -> list[Imported]:
    """Every import of the code wherever it stands, in order; none when it is no valid code.

    `from a import b` names both `a` and `a.b`, since b may be a module. Calls of
    `import_module("a.b")` and `__import__("a.b")` with a literal count too.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [found for node in ast.walk(tree) for found in _imports(node)]


def _imports(node: ast.AST) -> Iterator[Imported]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Imported(tuple(alias.name.split(".")))
    elif isinstance(node, ast.ImportFrom):
        base = tuple(node.module.split(".")) if node.module else ()
        yield Imported(base, node.level)
        for alias in node.names:
            if alias.name != "*":
                yield Imported((*base, alias.name), node.level)
    elif isinstance(node, ast.Call):
        yield from _called(node)


def _called(node: ast.Call) -> Iterator[Imported]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else None
    name = node.func.id if isinstance(node.func, ast.Name) else name
    if name in {"import_module", "__import__"} and len(node.args) == 1:
        argument = node.args[0]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            parts = tuple(argument.value.split("."))
            if all(part.isidentifier() for part in parts):
                yield Imported(parts)


def files_of(imported: Imported, root: Path, importer: Path) -> Iterator[Path]:
    """The files under `root` that this import would read, packages' `__init__.py` first.

    `importer` is the importing file's path relative to `root`. As in Python, a package goes
    before a module of the same name, and folders without `__init__.py` are packages too.
    """
    folder = root
    if imported.level:
        above = importer.parent.parts
        if imported.level > len(above):
            return
        folder = root.joinpath(*above[: len(above) - imported.level + 1])
    for part in imported.parts:
        module = folder / f"{part}.py"
        folder = folder / part
        package = folder / "__init__.py"
        if package.is_file():
            yield package
        elif module.is_file():
            yield module
            return
        elif not folder.is_dir():
            return
