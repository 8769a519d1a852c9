"""AWS profiles that the agent's code names, written down with the container's own keys.

An SDK that is told a profile takes region and keys from its files and from nowhere else, so
code such as `boto3.Session(profile_name="dev")` would end there instead of at the gateway.
"""

import os
import re
from collections.abc import Iterator, Mapping

_NAMED = re.compile(
    r"profile\w{0,64}[\"']?\]?(?:\s*:\s*str)?\s*[=:,]\s*[\"']([\w.@+-]{1,64})[\"']", re.I | re.A
)
_MOST_BYTES = 2 * 1024 * 1024
_MOST_PROFILES = 50


def write(root: str, environment: Mapping[str, str]) -> None:
    """Write `~/.aws/config` for the profiles that Python files below `root` name, if any do.

    What cannot be read or written is left out: the agent then fails as it would have.
    """
    names = sorted({name for text in _sources(root) for name in named(text)})
    if not names or "AWS_ACCESS_KEY_ID" not in environment:
        return
    folder = os.path.join(environment.get("HOME", "/home/agent"), ".aws")
    try:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config"), "x", encoding="ascii") as file:
            file.write(config(names[:_MOST_PROFILES], environment))
    except OSError:
        return


def named(source: str) -> set[str]:
    """The profiles that a source text names, as argument, key, variable or default.

    >>> named('boto3.Session(profile_name="dev")')
    {'dev'}
    """
    return set(_NAMED.findall(source))


def config(names: list[str], environment: Mapping[str, str]) -> str:
    """An AWS configuration in which each of the profiles has the environment's keys."""
    lines: list[str] = []
    for name in names:
        lines += [
            "[default]" if name == "default" else f"[profile {name}]",
            f"region = {environment['AWS_REGION']}",
            f"aws_access_key_id = {environment['AWS_ACCESS_KEY_ID']}",
            f"aws_secret_access_key = {environment['AWS_SECRET_ACCESS_KEY']}",
            "",
        ]
    return "\n".join(lines)


def _sources(root: str) -> Iterator[str]:
    left = _MOST_BYTES
    for folder, _, files in os.walk(root):
        for name in files:
            if not name.endswith(".py") or left <= 0:
                continue
            try:
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                    text = file.read(left)
            except OSError:
                continue
            left -= len(text)
            yield text
