"""The environment of the programs that Seatrial starts: an allow-list.

This process's own environment holds provider keys, database passwords and whatever else the
operator's shell had. An engine, a package manager or a linter needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

INHERITED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM"),
        *("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"),
        *("DBUS_SESSION_BUS_ADDRESS", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
        *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH"),
    }
)
"""Where programs, folders, certificates and proxies are; nothing that is a key to a service."""
_LOCALE = "LC_"

UMASK = 0o022
"""For programs that write files which containers or other users read, such as an engine's."""


def child_environment(
    also: Mapping[str, str] | None = None, *, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What a child process may inherit of `environ`, with `also` over it."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in INHERITED or name.startswith(_LOCALE)
    }
    return {**kept, **(also or {})}
