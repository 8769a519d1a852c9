"""What an attempt ran on: kept with its test, so that a package of the same can be made."""

from __future__ import annotations

import json
import zlib
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class UsedService(_Value):
    """A model service that the test could use. `has_key`: calls to it carried a credential."""

    provider: str
    base_url: str
    models: tuple[str, ...]
    region: str | None = None
    has_key: bool = False


class Build(_Value):
    """The environment of an attempt, to the hash, and the model services behind its door.

    `image` is the content id of the base image, `published` the name by which everybody gets the
    same one from its registry (None for one that was built where the test ran). `lock` is the
    whole lock with the hashes of every platform's files; empty without requirements.
    `from_source`: the lock has packages that were built from source.
    """

    python: str
    architecture: str
    image: str
    published: str | None = None
    lock: str = ""
    from_source: bool = False
    services: tuple[UsedService, ...] = ()


def plain_address(url: str) -> str:
    """An address without user, password and query, which could hold a secret.

    >>> plain_address("https://me:word@models.example/v1?key=1")
    'https://models.example/v1'
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def packed(build: Build) -> bytes:
    """A build as it is stored."""
    return zlib.compress(build.model_dump_json().encode(), 1)


def unpacked(data: bytes) -> Build:
    """The build that `packed` wrote."""
    return Build.model_validate(json.loads(zlib.decompress(data)))
