"""Puts a package together. Pure: the same test and target give the same bytes."""

from __future__ import annotations

import json
import re

from seatrial.domain.errors import PackageRefused
from seatrial.domain.packages import NewPackage
from seatrial.domain.packages import Target as TargetName

from .archive import digest, write_archive
from .bill import sbom
from .image import image_files
from .papers import manifest, notes, readme, receipt
from .targets import REGISTRY
from .targets.base import Shape
from .targets.compose import compose_file, env_example
from .tested import Tested

_NAME_LENGTH = 24


def make_package(tested: Tested, target: TargetName) -> NewPackage:
    """The package for that target. PackageRefused with the reason when there can be none."""
    chosen = REGISTRY[target]
    if reason := chosen.refused(tested):
        raise PackageRefused(reason)
    files = package_files(tested, target)
    root = f"seatrial-{tested.test.id}-{target}"
    return NewPackage(
        target=target,
        file_name=f"{root}.zip",
        content=(content := write_archive(files, root=root)),
        sha256=digest(content),
        files=tuple(sorted(files)),
        notes=notes(tested, chosen),
    )


def package_files(tested: Tested, target: TargetName) -> dict[str, bytes]:
    """Every file of the package by path."""
    chosen = REGISTRY[target]
    image = image_files(tested, concurrency=chosen.concurrency)
    context = "".join(f"{path} {digest(data)}\n" for path, data in sorted(image.items()))
    shape = Shape(name=agent_name(tested), tag=digest(context.encode())[:16])
    texts = {
        **chosen.files(tested, shape),
        "docker-compose.yml": compose_file(tested, shape),
        ".env.example": env_example(tested),
        "query.json": json.dumps({"prompt": tested.test.request.query}) + "\n",
        "receipt.json": receipt(tested, chosen),
        "sbom.cdx.json": sbom(tested, shape.name),
        "README.md": readme(tested, chosen, shape.name),
    }
    files = {f"agent/{path}": data for path, data in image.items()}
    files |= {path: text.encode("utf-8") for path, text in texts.items()}
    files["manifest.json"] = manifest(tested, chosen, files).encode("utf-8")
    return files


def agent_name(tested: Tested) -> str:
    """A name that every service takes: lower case letters, digits and hyphens."""
    said = re.sub(r"[^a-z0-9]+", "-", (tested.test.name or "agent").lower()).strip("-")
    said = said[:_NAME_LENGTH].strip("-") or "agent"
    short = re.sub(r"[^a-z0-9]", "", tested.test.id.lower())[-8:]
    return f"seatrial-{said}-{short}"
