"""Which package index is used, and what reaching it takes: the operator's configuration."""

from __future__ import annotations

import configparser
import os
import ssl
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from seatrial.domain.errors import SetupFailed
from seatrial.settings import Settings

PUBLIC_INDEX = "https://pypi.org/simple"
_PUBLIC_FILES = "files.pythonhosted.org"
"""The public index serves its files from another host; any other index is expected not to."""

_HTTPS_PORT = 443
_USUAL_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
_BUNDLE_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class Index:
    """The package index and those beside it. URLs may hold passwords and are not shown."""

    url: str = field(repr=False)
    extra: tuple[str, ...] = field(default=(), repr=False)

    @property
    def public_urls(self) -> tuple[str, ...]:
        """The URLs without user and password."""
        return tuple(_without_user(url) for url in (self.url, *self.extra))

    @property
    def has_password(self) -> bool:
        """Whether a URL carries a credential: it must not meet foreign code."""
        return any(urlsplit(url).username is not None for url in (self.url, *self.extra))

    @property
    def passwords(self) -> tuple[str, ...]:
        """The passwords in the URLs: as they are written, and as they are meant."""
        written = [urlsplit(url).password for url in (self.url, *self.extra)]
        found = [password for password in written if password]
        return tuple(dict.fromkeys((*found, *map(unquote, found))))

    @property
    def hosts(self) -> frozenset[tuple[str, int]]:
        """The hosts and ports that must be reached."""
        found: set[tuple[str, int]] = set()
        for url in (self.url, *self.extra):
            parts = urlsplit(url)
            found.add(((parts.hostname or "").lower(), parts.port or _HTTPS_PORT))
            if parts.hostname == urlsplit(PUBLIC_INDEX).hostname:
                found.add((_PUBLIC_FILES, _HTTPS_PORT))
        return frozenset(found)


def find_index(
    setting: str | None,
    environ: Mapping[str, str] = os.environ,
    *,
    pip_files: Sequence[Path] | None = None,
    uv_files: Sequence[Path] | None = None,
) -> Index:
    """The index of the setting; else pip's, else uv's configuration; else the public one.

    Files are read from the least to the most important. Indexes that are no https address
    (`file:` on this machine) cannot be reached from a container: beside the main one they are
    left out, as the main one they are SetupFailed.
    """
    if setting is not None:
        return Index(_checked(setting))
    pip = _pip_configuration(pip_files if pip_files is not None else _pip_files(environ))
    uv = _uv_configuration(uv_files if uv_files is not None else _uv_files(environ))
    main = (
        environ.get("PIP_INDEX_URL")
        or environ.get("UV_DEFAULT_INDEX")
        or environ.get("UV_INDEX_URL")
        or pip.get("index-url")
        or uv.get("index-url")
        or PUBLIC_INDEX
    )
    named = ("PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
    lists = [environ.get(name, "") for name in named]
    lists += [pip.get("extra-index-url", ""), uv.get("extra-index-url", "")]
    extra = [url.rpartition("=")[2] if _is_named(url) else url for url in " ".join(lists).split()]
    return Index(_checked(main), tuple(dict.fromkeys(url for url in extra if _is_https(url))))


def index_passwords(settings: Settings) -> tuple[str, ...]:
    """The passwords of the package indexes, which nothing of a build may show.

    None where the configuration cannot be used: builds say so.
    """
    try:
        return find_index(settings.index_url).passwords
    except SetupFailed:
        return ()


def find_certificates(
    environ: Mapping[str, str] = os.environ, *, pip_files: Sequence[Path] | None = None
) -> bytes:
    """Every certificate that this machine's own tools trust, as one PEM bundle.

    Those of the usual variables and of pip's `cert`, besides the system's: a company's own
    authority often stands in only one of them. SetupFailed when there are none.
    """
    pip = _pip_configuration(pip_files if pip_files is not None else _pip_files(environ))
    named = [environ.get(name, "") for name in _BUNDLE_VARIABLES]
    system = ssl.get_default_verify_paths().cafile or ""
    candidates = dict.fromkeys((*named, pip.get("cert", ""), system, *_USUAL_BUNDLES))
    bundles = [_bundle(Path(name)) for name in candidates if name]
    distinct = dict.fromkeys(bundle for bundle in bundles if bundle)
    if not distinct:
        raise SetupFailed(
            "No certificates were found to check the package index with.",
            hint="Install ca-certificates, or name a bundle with SSL_CERT_FILE.",
        )
    return b"\n".join(distinct)


def _bundle(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        # A bundle that this user may not read is one that its tools do not use either.
        return b""


def _checked(url: str) -> str:
    if not _is_https(url):
        shown = _without_user(url)
        raise SetupFailed(
            f"The package index {shown} is no https address, which builds could reach.",
            hint="Name one that starts with https:// in SEATRIAL_INDEX_URL.",
        )
    return url


def _is_https(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" and bool(parts.hostname)


def _is_named(url: str) -> bool:
    """Whether it is uv's `name=https://…`."""
    name, equals, rest = url.partition("=")
    return bool(equals) and "/" not in name and "://" in rest


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(SplitResult(parts.scheme, host, parts.path, parts.query, parts.fragment))


# --------------------------------------------------------------------------- pip


def _pip_files(environ: Mapping[str, str]) -> list[Path]:
    """In pip's own order, least important first (pip's documentation, "Configuration")."""
    home = Path(environ.get("HOME") or Path.home())
    shared = environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")
    found = [Path(folder) / "pip" / "pip.conf" for folder in reversed(shared) if folder]
    found.append(Path("/etc/pip.conf"))
    found.append(home / ".pip" / "pip.conf")
    found.append(Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf")
    found.append(Path(sys.prefix) / "pip.conf")
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    return [*found, Path(named)] if named else found


def _pip_configuration(files: Sequence[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            raise SetupFailed(f"pip's configuration {path} is not readable: {error}") from error
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {name.replace("_", "-"): text for name, text in parser.items(section)}
    return found


# --------------------------------------------------------------------------- uv


def _uv_files(environ: Mapping[str, str]) -> list[Path]:
    home = Path(environ.get("HOME") or Path.home())
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml"
    named = environ.get("UV_CONFIG_FILE")
    return [Path(named)] if named else [Path("/etc/uv/uv.toml"), user]


def _uv_configuration(files: Sequence[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in files:
        if path.is_file():
            try:
                document = tomllib.loads(path.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise SetupFailed(f"uv's configuration {path} is not readable: {error}") from error
            found |= dict(_uv_indexes(document))
    return found


def _uv_indexes(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    pip = document.get("pip")
    extra: list[str] = []
    for table in (document, cast("dict[str, Any]", pip) if isinstance(pip, dict) else {}):
        if isinstance(table.get("index-url"), str):
            yield "index-url", table["index-url"]
        extra += _texts(table.get("extra-index-url"))
    indexes = document.get("index")
    for entry in cast("list[Any]", indexes) if isinstance(indexes, list) else []:
        index = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        url = index.get("url")
        if isinstance(url, str) and index.get("default") is True:
            yield "index-url", url
        elif isinstance(url, str):
            extra.append(url)
    yield "extra-index-url", " ".join(extra)


def _texts(value: object) -> list[str]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, str)]
