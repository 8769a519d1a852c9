"""A package index on this machine: https, with a certificate of an authority of its own."""

from __future__ import annotations

import base64
import hashlib
import io
import ssl
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def wheel(
    name: str,
    version: str,
    files: Mapping[str, str],
    *,
    requires: Sequence[str] = (),
    requires_python: str = "",
) -> tuple[str, bytes]:
    """A wheel's file name and content. `files` by path inside it."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    metadata += f"Requires-Python: {requires_python}\n" if requires_python else ""
    content = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},{_digest(text)},{len(text.encode())}\n" for path, text in content.items()
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in {**content, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return f"{name}-{version}-py3-none-any.whl", buffer.getvalue()


def zip_bomb(name: str, version: str, size_mb: int) -> tuple[str, bytes]:
    """A wheel of a few kilobytes that holds one file of that size."""
    file, content = wheel(name, version, {})
    buffer = io.BytesIO(content)
    with (
        zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"{name}/zeros", "w", force_zip64=True) as member,
    ):
        for _ in range(size_mb):
            member.write(bytes(2**20))
    return file, buffer.getvalue()


def sdist(name: str, version: str, backend: str) -> tuple[str, bytes]:
    """A source package that is built by its own backend: the module `backend.py` with that text.

    The text may use `make_wheel(folder, name, version, files)`, which writes a wheel.
    """
    project = (
        f'[project]\nname = "{name}"\ndynamic = ["version"]\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    files = {
        "pyproject.toml": project,
        "backend.py": _BACKEND.replace("NAME", name).replace("VERSION", version) + backend,
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"{name}-{version}.tar.gz", buffer.getvalue()


_BACKEND = """
import os, zipfile

def make_wheel(folder, name, version, files):
    info = f"{name}-{version}.dist-info"
    path = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, path), "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
        metadata = f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
        archive.writestr(f"{info}/METADATA", metadata)
        wheel = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "")
    return path

def build_wheel(folder, config_settings=None, metadata_directory=None):
    return make_wheel(folder, "NAME", "VERSION", {"NAME.py": "value = 1"})

"""


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class LocalIndex:
    """Serves the simple API from memory; remembers which files were fetched."""

    def __init__(self, folder: Path) -> None:
        self.certificates = folder / "authority.pem"
        self.downloads: list[str] = []
        self._files: dict[str, bytes] = {}
        self._elsewhere: dict[str, str] = {}
        _make_certificate(folder)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/simple"

    def add(self, file: tuple[str, bytes]) -> None:
        """Offer a file."""
        self._files[file[0]] = file[1]

    def add_elsewhere(self, name: str, url: str) -> None:
        """List a file that another host has."""
        self._elsewhere[name] = url

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str) -> bytes | None:
        """The body for that path; None where there is nothing."""
        kind, _, rest = path.strip("/").partition("/")
        if kind == "files" and rest in self._files:
            if method == "GET":
                self.downloads.append(rest)
            return self._files[rest]
        if kind != "simple":
            return None
        links = [
            f'<a href="/files/{file}#sha256={hashlib.sha256(content).hexdigest()}">{file}</a>'
            for file, content in self._files.items()
            if _project(file) == rest
        ]
        links += [
            f'<a href="{url}">{file}</a>'
            for file, url in self._elsewhere.items()
            if _project(file) == rest
        ]
        return (
            f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode() if links else None
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self.answer

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = answer(self.command, self.path)
                self.send_response(404 if body is None else 200)
                kind = "text/html" if self.path.startswith("/simple") else "application/zip"
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body or b"")

            do_HEAD = do_GET  # noqa: N815 the base class names it so

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def _project(file: str) -> str:
    return file.partition("-")[0].replace("_", "-").lower()


def _make_certificate(folder: Path) -> None:
    """An authority, and a server's certificate that it signed."""
    (folder / "names").write_text("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout"
    signed_by = "-CA authority.pem -CAkey authority.key -CAcreateserial -extfile names"
    commands = (
        f"req -x509 {key} authority.key -out authority.pem -days 2 -subj /CN=Authority",
        f"req {key} server.key -out server.csr -subj /CN=localhost",
        f"x509 -req -in server.csr {signed_by} -days 2 -out server.pem",
    )
    for command in commands:
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
