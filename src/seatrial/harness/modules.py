"""Module names and import paths of an agent's file below the folder that it was sent in."""

import os

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
