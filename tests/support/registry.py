"""A real registry on loopback, and base images in it as registries have them."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seatrial.engines.docker import debian

from .package_images import Engine

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_START_SECONDS = 20.0


@contextmanager
def registry(folder: Path) -> Generator[str]:
    """Address of an empty registry of Debian's package docker-registry."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = folder / "registry.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    with (folder / "registry.log").open("wb") as log:
        try:
            process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
        except FileNotFoundError:
            pytest.fail("These tests need a registry: apt-get install docker-registry")
    try:
        _wait(address)
        yield address
    finally:
        process.terminate()
        process.wait()


async def offer_base(engine: Engine, images: Path, address: str, tag: str) -> str:
    """Put the base image that tests run on there as `library/python:tag`; its name by digest.

    It is there as official images are: as a list of images by machine type. (The image of the
    other type is the same one.) The engine does not keep the name.
    """
    archive = await debian.archive("3.11", images, print, because="a test")
    engine.run("load", "--input", str(archive))
    single = f"{address}/library/python:single"
    engine.run("tag", debian.reference("3.11"), single)
    engine.run("push", single)
    engine.run("rmi", single)
    return f"{address}/library/python@{_put_list(f'http://{address}/v2/library/python', tag)}"


def _put_list(repository: str, tag: str) -> str:
    asked = urllib.request.Request(f"{repository}/manifests/single", headers={"Accept": _MANIFEST})
    with urllib.request.urlopen(asked) as answer:
        size, digest = len(answer.read()), answer.headers["Docker-Content-Digest"]
    one = {"mediaType": _MANIFEST, "digest": digest, "size": size}
    types = [{"architecture": name, "os": "linux"} for name in ("amd64", "arm64")]
    listed = [{**one, "platform": platform} for platform in types]
    body = {"schemaVersion": 2, "mediaType": _LIST, "manifests": listed}
    put = urllib.request.Request(
        f"{repository}/manifests/{tag}",
        json.dumps(body).encode(),
        {"Content-Type": _LIST},
        method="PUT",
    )
    with urllib.request.urlopen(put) as answer:
        return str(answer.headers["Docker-Content-Digest"])


def _wait(address: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://{address}/v2/").close()
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
