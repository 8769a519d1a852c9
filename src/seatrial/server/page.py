"""The web page: files that its build made (`web/`), served as they are.

Files below `assets/` carry a hash of their content in their names, so a browser may keep them
for ever. Each may lie compressed beside itself. Addresses within the page are answered with
`index.html`, and the page finds out what to show; any other unknown address stays a 404.

A file is looked for when it is asked for: a page that is built anew under a running server is the
one that is served.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

ADDRESSES = (
    "/",
    "/tests",
    "/tests/{test_id}",
    "/compare",
    "/credentials",
    "/status",
    "/sign-in",
)
"""Where the page has something to show; the same as its routes in `web/src/routes`."""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # The components set custom properties and the editor its theme in <style> elements.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_SCRIPT = "embed.js"
_NAME = re.compile(r"(?:assets/)?\w[\w.-]*", re.ASCII)
"""What the build calls its files: no name leads out of its folder."""
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


@dataclass(frozen=True)
class _File:
    path: Path
    encodings: dict[str, Path]
    """The compressed copies, best first."""


class Page:
    """The built page in a folder, as it is there now."""

    def __init__(self, folder: Path) -> None:
        """A folder that is not there is a page that was not built."""
        self._folder = folder

    @property
    def built(self) -> bool:
        """Whether there is a page at all."""
        return self._find("index.html") is not None

    def front(self, request: Request) -> Response:
        """The page itself, for any address within it."""
        return self._answer(request, "index.html", {"Content-Security-Policy": _POLICY})

    def file(self, request: Request) -> Response:
        """One of its files. HTTPException for a name that the build did not make."""
        name = request.url.path.removeprefix("/")
        lasting = name.startswith("assets/")
        return self._answer(request, name, {"Cache-Control": _FOR_EVER} if lasting else {})

    def script(self, request: Request) -> Response:
        """The script for pages of other origins. Its address stays, so it is asked for anew."""
        found = self._find(_SCRIPT)
        tag = _tag(found) if found else ""
        headers = {
            "Cache-Control": "no-cache",
            "ETag": tag,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": "*",
        }
        if tag and tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={**headers, "Vary": "Accept-Encoding"})
        return self._answer(request, _SCRIPT, headers)

    def _answer(self, request: Request, name: str, headers: dict[str, str]) -> Response:
        found = self._find(name)
        if found is None:
            raise HTTPException(404, "Not Found")
        headers["Vary"] = "Accept-Encoding"
        path = found.path
        accepted = _accepted(request.headers.get("accept-encoding", ""))
        for encoding, compressed in found.encodings.items():
            if encoding in accepted:
                headers["Content-Encoding"] = encoding
                path = compressed
                break
        return FileResponse(path, headers=headers, media_type=_TYPES[found.path.suffix])

    def _find(self, name: str) -> _File | None:
        """The file of that name; None for names that the build never gives, and for lost files."""
        path = self._folder / name
        if not _NAME.fullmatch(name) or path.suffix not in _TYPES or not path.is_file():
            return None
        return _File(path, _compressed(path))


def install(app: FastAPI, page: Page) -> None:
    """Serve the page, if it was built. `/` is the API's own front door, which asks for it."""
    app.state.page = page
    if not page.built:
        return
    for address in ADDRESSES[1:]:
        app.add_route(address, page.front, methods=["GET"], include_in_schema=False)
    for address in ("/assets/{name}", "/icon.svg"):
        app.add_route(address, page.file, methods=["GET"], include_in_schema=False)
    app.add_route(f"/{_SCRIPT}", page.script, methods=["GET"], include_in_schema=False)


def _tag(file: _File) -> str:
    return f'W/"{hashlib.sha256(file.path.read_bytes()).hexdigest()[:32]}"'


def _compressed(path: Path) -> dict[str, Path]:
    copies = {encoding: path.with_name(path.name + suffix) for encoding, suffix in _ENCODINGS}
    return {encoding: copy for encoding, copy in copies.items() if copy.is_file()}


def _accepted(header: str) -> set[str]:
    """The encodings that a browser names without refusing them (`;q=0`)."""
    found: set[str] = set()
    for part in header.lower().split(","):
        name, _, quality = part.partition(";")
        if quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            found.add(name.strip())
    return found
