"""Nothing of the product asks a container engine for a network: no container, no build, no call.

The network's name is looked for in what would be sent, and in every line that could send another.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import pytest

from seatrial.domain.ports import ContainerLimits, ContainerSpec, ImageLimits
from seatrial.engines.docker import convert
from seatrial.engines.docker.answers import Flavour
from seatrial.engines.docker.building import query
from seatrial.engines.docker.image_facts import ImageCatalog, ImageFacts

SOURCE = Path(__file__).parents[2] / "src" / "seatrial"
NONE = {"none", "NetworkDisabled", '[{"Name": "network"}]'}
"""What asks for none; the last two are Podman's for builds."""
NOT_OURS = ("testing/", "packages/")
"""Fakes, and what users deploy elsewhere."""
KEYS = {"networkmode", "nsoptions", "networkingconfig", "networkdisabled", "endpointsconfig"}
ENGINE_CALLS = {
    "create": {"engines/docker/engine.py", "engines/docker/image_facts.py"},
    "build": {"engines/docker/building.py"},
}
"""The only files that have an engine make a container or an image: each is looked at below."""
_OPTION = re.compile(r"^--net(?!work=none$|work-config-dir=)|^/?networks(/|$)")
FLAVOURS: tuple[Flavour, ...] = ("docker", "podman")
FACTS = ImageFacts("sha256:1")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if not name.startswith(NOT_OURS):
            yield name, ast.parse(path.read_text("utf-8"))


def asked(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Every value that is given to a key which chooses a network, as a dict, item or argument."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            yield from ((_text(key), _text(value)) for key, value in pairs if key is not None)
        elif isinstance(node, ast.Assign):
            items = [target for target in node.targets if isinstance(target, ast.Subscript)]
            yield from ((_text(item.slice), _text(node.value)) for item in items)
        elif isinstance(node, ast.keyword):
            yield node.arg or "", _text(node.value)


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else f"<{ast.unparse(node)}>"


def networks_in(tree: ast.AST) -> list[str]:
    """What would ask for a network."""
    wrong = [f"{key}={value}" for key, value in asked(tree) if _is_wrong(key, value)]
    texts = [str(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    return wrong + [text for text in texts if _OPTION.search(text)]


def _is_wrong(key: str, value: str) -> bool:
    return key.lower().replace("_", "") in KEYS and value not in NONE


def engine_calls(tree: ast.AST) -> Iterator[str]:
    """Calls of the engine's API that make something: `api.create(…)`, `self._api.build(…)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = ast.unparse(node.func.value).rpartition(".")[2].lstrip("_")
            if of == "api" and node.func.attr in ENGINE_CALLS:
                yield node.func.attr


@pytest.mark.parametrize(
    "line",
    [
        'query = {"networkmode": "host"}',
        'body["NetworkMode"] = mode',
        "create(network_mode='bridge')",
        'run("docker", "build", "--network=host")',
        'post("/networks/create")',
        '{"nsoptions": options}',
    ],
)
def test_a_line_that_asks_for_a_network_is_found(line: str) -> None:
    assert networks_in(ast.parse(line))


def test_no_line_asks_an_engine_for_a_network() -> None:
    found = {name: wrong for name, tree in modules() if (wrong := networks_in(tree))}
    assert found == {}


def test_only_known_files_have_an_engine_make_something() -> None:
    found: dict[str, set[str]] = {call: set() for call in ENGINE_CALLS}
    for name, tree in modules():
        for call in engine_calls(tree):
            found[call].add(name)
    assert found == ENGINE_CALLS


def test_no_caller_can_ask_for_one() -> None:
    names = [field.name for kind in (ContainerSpec, ImageLimits) for field in fields(kind)]
    assert [name for name in names if "net" in name] == []


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("piped", [False, True])
def test_every_container_is_made_without_one(flavour: Flavour, piped: bool) -> None:
    spec = ContainerSpec("n", "sha256:1", ("/bin/true",), ContainerLimits(64, 1.0, 8), {})
    files = convert.PrivateFiles("/hosts", "/resolv.conf", "{}")
    body = convert.container_body(spec, flavour, files, "runsc", facts=FACTS, piped=piped)
    assert body["HostConfig"]["NetworkMode"] == "none"
    assert "NetworkingConfig" not in body


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_image_is_built_without_one(flavour: Flavour) -> None:
    built = query("it", {"NETWORK": "host"}, ImageLimits(64, 1.0, 10.0, 1), flavour)
    assert {value for key, value in built.items() if key in KEYS} <= NONE
    assert built["networkmode"] in NONE


async def test_a_container_that_is_only_looked_into_has_none_either() -> None:
    bodies: list[Mapping[str, Any]] = []

    class Recorded:
        async def create(self, name: str, body: Mapping[str, Any]) -> str:
            bodies.append(body)
            return name

        async def has_file(self, container: str, path: str) -> bool:
            return True

        async def delete(self, container: str) -> None:
            return

    await ImageCatalog(cast("Any", Recorded()), "docker").program(FACTS, "python3", {})
    assert [body["HostConfig"]["NetworkMode"] for body in bodies] == ["none"]
