"""Loads an agent's file below the folder that it was sent in, as its own files would import it."""

import contextlib
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Optional

from .serving import HandsOver

_SOURCES = "src"


def import_paths(root: str, file: str) -> list[str]:
    """The folders to search for the agent's own modules, in the order of `sys.path`.

    The project's folder first, as `python -m` has it; then `src` of a src layout and the folder
    that holds the file's package. `script_folder` is searched after installed packages.
    """
    found = [root]
    if os.path.isdir(os.path.join(root, _SOURCES)) and not _is_package(root, [_SOURCES]):
        found.append(os.path.join(root, _SOURCES))
    found.append(os.path.join(root, *_base(root, file)))
    return list(dict.fromkeys(found))


def script_folder(root: str, file: str) -> str:
    """The file's own folder, which `python folder/file.py` searches for modules.

    It belongs at the end of `sys.path`: a module of a package may be named as one of Python's.
    """
    return os.path.join(root, *_folders(file))


def module_name(root: str, file: str) -> str:
    """The name that the agent's own files import it by, without dots where it has no package."""
    parts = [*_folders(file), os.path.splitext(os.path.basename(file))[0]]
    name = parts[len(_base(root, file)) :]
    return ".".join(name) if all(part.isidentifier() for part in name) else parts[-1]


def load(root: str, file: str) -> Optional[ModuleType]:
    """The file's module, in `sys.modules` under its name; None for a file that is not Python.

    The start of a server whose handler is called directly ends the loading (`hand_over`). What
    the file raises, passes; ModuleNotFoundError where another package has its package's name.
    """
    name = module_name(root, file)
    spec = _spec(root, file, name)
    if "." in name and name in sys.modules:
        return sys.modules[name]  # its own package imported it
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with contextlib.suppress(HandsOver):
        spec.loader.exec_module(module)
    package, _, last = name.rpartition(".")
    if package:
        setattr(sys.modules[package], last, module)
    return module


def _spec(root: str, file: str, name: str) -> Optional[ModuleSpec]:
    if "." not in name:
        return importlib.util.spec_from_file_location(name, os.path.join(root, file))
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return spec


def _base(root: str, file: str) -> list[str]:
    """The folders above the file's outermost package; `src` where it is in no package."""
    folders = _folders(file)
    above = list(folders)
    while above and _is_package(root, above):
        above.pop()
    if above != folders:
        return above
    return folders[:1] if folders[:1] == [_SOURCES] else []


def _folders(file: str) -> list[str]:
    return file.split("/")[:-1]


def _is_package(root: str, folders: list[str]) -> bool:
    return os.path.isfile(os.path.join(root, *folders, "__init__.py"))
