"""The software bill of materials: CycloneDX 1.6, of the tested lock. Pure."""

from __future__ import annotations

import json
import re
import uuid

from packaging.utils import canonicalize_name

from .archive import digest
from .tested import Tested

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]\n]*\])?==([^\s;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")


def sbom(tested: Tested, name: str) -> str:
    """Every package of the lock with its version and the hashes of its files."""
    parts = list(_components(tested.build.lock))
    root = {"type": "application", "bom-ref": name, "name": name, "version": tested.test.id}
    return (
        json.dumps(
            {
                "bomFormat": "CycloneDX",
                "specVersion": "1.6",
                "serialNumber": f"urn:uuid:{_serial(tested)}",
                "version": 1,
                "metadata": {"component": root},
                "components": parts,
                "dependencies": [{"ref": name, "dependsOn": [part["bom-ref"] for part in parts]}],
            },
            indent=2,
        )
        + "\n"
    )


def _components(lock: str) -> list[dict[str, object]]:
    pins = list(_PIN.finditer(lock))
    ends = [pin.start() for pin in pins[1:]] + [len(lock)]
    found: list[dict[str, object]] = []
    for pin, end in zip(pins, ends, strict=False):
        name, version = canonicalize_name(pin.group(1)), pin.group(2)
        purl = f"pkg:pypi/{name}@{version}"
        hashes = sorted(set(_HASH.findall(lock[pin.end() : end])))
        found.append(
            {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": version,
                "purl": purl,
                "externalReferences": [
                    {
                        "type": "distribution",
                        "url": f"https://pypi.org/project/{name}/{version}/",
                        "hashes": [{"alg": "SHA-256", "content": one} for one in hashes],
                    }
                ],
            }
        )
    return found


def _serial(tested: Tested) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{tested.test.id}/{digest(tested.build.lock.encode())}")
