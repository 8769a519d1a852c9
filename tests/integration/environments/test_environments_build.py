"""Environments from wheels, on real engines."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from environment_rig import Rig, Rigs
from tests.support.local_index import LocalIndex, wheel

from seatrial.domain.errors import FailureError, InvalidRequest
from seatrial.domain.failures import Failure
from seatrial.domain.ports import GatewayReport
from seatrial.environments.folders import stages_uid
from seatrial.slots import Slot, SlotSpec

pytestmark = pytest.mark.engine


async def failure_of(rig: Rig, requirements: str) -> Failure:
    with pytest.raises(FailureError) as caught:
        await rig.prepare(requirements)
    return caught.value.failure


async def test_packages_of_the_public_index_can_be_imported_where_the_tree_is_mounted(
    rigs: Rigs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    rig = await rigs.open(index_url="https://pypi.org/simple")
    environment = await rig.prepare("# what the agent needs\nsix==1.17.0\nollama\n")
    code, output = await rig.run(environment, "import six, ollama; print(six.__version__)")
    assert (code, output) == (0, "1.17.0\n")
    assert "Resolving 2 requirements…" in rig.output
    assert "six==1.17.0" in environment.lock
    assert "--hash=sha256:" in environment.lock
    assert await rig.containers() == []


async def test_a_tree_is_compiled_and_nobody_in_the_test_can_change_it(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(wheel("pkga", "1.0", {"pkga.py": "value = 1\n"}))
    environment = await rig.prepare("pkga")
    code, output = await rig.run(
        environment,
        "import os, pkga\n"
        "assert os.path.exists(pkga.__cached__), 'not compiled'\n"
        "folder = os.path.dirname(pkga.__file__)\n"
        "for path in (folder + '/new.py', pkga.__file__, pkga.__cached__):\n"
        "    try: open(path, 'w')\n"
        "    except OSError as error: print(error.errno)\n",
    )
    assert (code, output.split()) == (0, ["30", "30", "30"])


async def test_a_second_call_comes_from_the_cache_without_a_container(
    rig: Rig, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add(wheel("pkga", "1.0", {"pkga.py": ""}))
    first = await rig.prepare("pkga")
    rig.said.clear()

    async def refuse(*_: object) -> None:
        raise AssertionError("a container was opened")

    monkeypatch.setattr(rig.slots, "open", refuse)
    second = await rig.prepare("# the same\npkga\n\n", owner="bob")
    assert second.cached
    assert not first.cached
    assert (second.key, second.lock, second.built_seconds) == (first.key, first.lock, 0.0)
    assert rig.output == "1 package, ready to use.\n"


async def test_no_requirements_need_no_tree_and_no_container(rig: Rig) -> None:
    environment = await rig.prepare("# nothing\n\n")
    assert (environment.path, environment.python, rig.said) == (None, "python3", [])
    assert await rig.run(environment, "print(1)") == (0, "1\n")


@pytest.mark.spec("edge-5")
async def test_concurrent_calls_build_once_and_all_hear_it(
    rig: Rig, index: LocalIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add(wheel("pkga", "1.0", {"pkga.py": ""}))
    opened: list[str] = []
    really_open = rig.slots.open

    async def count(spec: SlotSpec, report: GatewayReport) -> Slot:
        opened.append(spec.name)
        return await really_open(spec, report)

    monkeypatch.setattr(rig.slots, "open", count)
    found = await asyncio.gather(*[rig.prepare("pkga", owner="ada") for _ in range(5)])
    assert len({environment.key for environment in found}) == 1
    assert len(opened) == 2  # fetch and install
    assert rig.output.count("Installing 1 package…") == 5


async def test_trees_are_hard_links_of_the_cache(rig: Rig, index: LocalIndex) -> None:
    index.add(wheel("pkga", "1.0", {"pkga.py": "value = 1\n"}))
    environment = await rig.prepare("pkga")
    (module,) = Path(environment.path or "").rglob("pkga.py")
    assert module.stat().st_nlink == 2
    assert module.stat().st_uid == stages_uid() != 0


async def test_a_missing_package_is_named(rig: Rig) -> None:
    failure = await failure_of(rig, "no-such-thing")
    assert failure.code == "dependencies.not_found"
    assert "'no-such-thing'" in failure.message
    assert "error: No solution found" in rig.output


@pytest.mark.spec("FR-013")
async def test_a_missing_version_is_named_with_the_newest_there_is(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(wheel("pkga", "1.0", {}))
    index.add(wheel("pkga", "1.2", {}))
    failure = await failure_of(rig, "pkga==9.0")
    assert failure.code == "dependencies.not_found"
    assert failure.message == "There is no pkga==9.0; the newest version is pkga==1.2."


@pytest.mark.spec("FR-013")
async def test_contradicting_requirements_are_a_conflict(rig: Rig, index: LocalIndex) -> None:
    index.add(wheel("pkga", "1.0", {}, requires=["pkgb<2"]))
    index.add(wheel("pkgb", "1.0", {}))
    index.add(wheel("pkgb", "2.0", {}))
    failure = await failure_of(rig, "pkga\npkgb>=2")
    assert failure.code == "dependencies.conflict"
    assert "pkgb" in failure.message


@pytest.mark.spec("edge-10", "FR-013")
async def test_a_package_for_another_python_is_told_apart(rig: Rig, index: LocalIndex) -> None:
    index.add(wheel("pkga", "1.0", {}, requires_python=">=3.99"))
    failure = await failure_of(rig, "pkga")
    assert failure.code == "dependencies.python_mismatch"


async def test_an_index_that_does_not_answer_is_unreachable(rigs: Rigs) -> None:
    rig = await rigs.open(index_url="https://localhost:1/simple")
    failure = await failure_of(rig, "pkga")
    assert failure.code == "dependencies.index_unreachable"
    assert "localhost:1" in failure.message


async def test_files_at_a_host_that_is_not_the_index_are_not_fetched(
    rig: Rig, index: LocalIndex
) -> None:
    index.add_elsewhere(
        "pkga-1.0-py3-none-any.whl", "https://elsewhere.example/pkga-1.0-py3-none-any.whl"
    )
    failure = await failure_of(rig, "pkga")
    assert failure.code == "dependencies.index_unreachable"
    assert "elsewhere.example:443" in failure.message


async def test_a_failure_is_not_kept(rig: Rig, index: LocalIndex) -> None:
    await failure_of(rig, "pkga")
    index.add(wheel("pkga", "1.0", {}))
    assert (await rig.prepare("pkga")).path


async def test_options_do_not_reach_the_resolver(rig: Rig) -> None:
    with pytest.raises(InvalidRequest):
        await rig.prepare("--index-url https://elsewhere.example/simple\npkga")
