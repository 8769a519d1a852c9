"""Why an import failed, compared with what is installed, what was sent and the standard library."""

import os
import re
import sys
from collections.abc import Iterable
from importlib import metadata
from importlib.machinery import PathFinder
from typing import Optional

Cause = tuple[str, str]
"""A kind of cause, and the name, path, address or text that it is about."""

_REMOVED_IN_3_13 = """
aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev pipes
sndhdr spwd sunau telnetlib uu xdrlib
"""

REMOVED = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), "3.12"),
    **dict.fromkeys(_REMOVED_IN_3_13.split(), "3.13"),
}
"""Modules that the standard library no longer has, by the version that removed them."""

ADDED = {"tomllib": "3.11", "compression": "3.14", "annotationlib": "3.14"}
"""Modules that a later standard library has, by the version that brought them."""

_NAME = re.compile(r"cannot import name '([^']{1,200})' from (?:partially initialized )?")
_MODULE = re.compile(r"module '([A-Za-z0-9_.]{1,200})' has no attribute '([^']{1,200})'")
_INSTALL = re.compile(
    r"(?:pip3?|uv add|uv pip|poetry add) ?(?:install )?(?:-U |--upgrade |-qU )?"
    r"['\"`]?([A-Za-z0-9][A-Za-z0-9._-]{0,80}(?:\[[A-Za-z0-9,._-]{1,80}\])?)"
)
_BY = " < "
"""Between what is missing and the distribution that imports it."""
_ADVISES = re.compile(r"pip3? install|uv add|poetry add|uv pip install")


def of_import(chain: Iterable[BaseException], root: str) -> Optional[Cause]:
    """The cause of the first exception in the chain that is about an import; None without one."""
    for error in chain:
        cause = _of(error, root)
        if cause is not None:
            return cause
    return None


def _of(error: BaseException, root: str) -> Optional[Cause]:
    text = str(error)[:4000] if isinstance(error, (ImportError, AttributeError)) else ""
    if isinstance(error, ImportError):
        return _of_failed(error, text, root)
    found = _MODULE.search(text)
    return _hidden(found[1], root) if found else None


def _of_failed(error: ImportError, text: str, root: str) -> Optional[Cause]:
    if "relative import" in text:
        return "relative", error.name or ""
    if _ADVISES.search(text):
        found = _INSTALL.search(text)
        return ("install", found[1]) if found else None
    if "partially initialized module" in text and "circular" in text:
        return "circular", error.name or ""
    if isinstance(error, ModuleNotFoundError):
        return _of_module(error.name or "", importer_of(error, root), root)
    found = _NAME.search(text)
    importer = importer_of(error, root)
    return _of_name(error.name or "", found[1], importer, root) if found else None


def _of_module(name: str, importer: str, root: str) -> Optional[Cause]:
    top = name.partition(".")[0]
    if not top:
        return None
    if top in ADDED and top not in _standard():
        return "later_python", f"{top} {ADDED[top]}"
    if top in REMOVED:
        return "older_python", f"{top} {REMOVED[top]}"
    where = _found(top)
    if where is None:
        return ("needs_module", f"{name}{importer}") if importer else ("module", name)
    if _is_below(where, root):
        return _hidden(top, root) or ("own_module", name)
    return "lacks_module", _lacks(_distribution(top), name, importer)


def _of_name(module: str, name: str, importer: str, root: str) -> Optional[Cause]:
    top = module.partition(".")[0]
    where = _found(top) if top else None
    if where is None:
        return None
    if _is_below(where, root):
        return _hidden(top, root)
    return "lacks_name", _lacks(_distribution(top), f"{module}.{name}", importer)


def _lacks(installed: str, name: str, importer: str) -> str:
    other = "" if importer == f"{_BY}{installed}" else importer
    return f"{installed}: {name}{other}"


def _hidden(module: str, root: str) -> Optional[Cause]:
    """A file of the agent's own that is imported in place of a module or package of that name."""
    top = module.partition(".")[0]
    where = _found(top)
    if where is None or not _is_below(where, root):
        return None
    others = [entry for entry in sys.path if entry and not _is_below(entry, root)]
    known = top in _standard() or PathFinder.find_spec(top, others) is not None
    return ("hides", os.path.relpath(where, root)) if known else None


def _found(top: str) -> Optional[str]:
    """The file or folder that a top-level module is imported from; None without one."""
    loaded = getattr(sys.modules.get(top), "__file__", None)
    if isinstance(loaded, str):
        return loaded
    spec = PathFinder.find_spec(top)
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ())
    return spec.origin or (places[0] if places else None)


def _distribution(top: str) -> str:
    """The name and version of the distribution that installed a module, or the module's name."""
    for one in metadata.distributions():
        listed = one.read_text("top_level.txt") or ""
        files = one.files or ()
        owns = top in listed.split() or any(
            file.parts[0] in (top, f"{top}.py") for file in files if file.parts
        )
        if owns:
            return f"{one.metadata['Name']} {one.version}"
    return top


def importer_of(error: BaseException, root: str) -> str:
    """` < ` and the distribution whose code imports; empty for the agent's own code."""
    module, file, trace = "", "", error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if name not in _standard() and not frame.f_code.co_filename.startswith("<frozen"):
            module, file = name, frame.f_code.co_filename
        trace = trace.tb_next
    if not module or _is_below(file, root):
        return ""
    found = _distribution(module)
    return f"{_BY}{found}" if found != module else ""


def _standard() -> Iterable[str]:
    return getattr(sys, "stdlib_module_names", ())


def _is_below(path: str, root: str) -> bool:
    return os.path.abspath(path).startswith(os.path.join(root, ""))
