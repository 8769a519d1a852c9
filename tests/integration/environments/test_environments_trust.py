"""Wheels are data: nothing in them runs while an environment is made."""

from __future__ import annotations

from pathlib import Path

import pytest
from environment_rig import Rig, Rigs, snapshot
from tests.support.local_index import LocalIndex, wheel, zip_bomb

from seatrial.domain.errors import FailureError

pytestmark = pytest.mark.engine

_MARK = (
    "import os\n"
    "for folder in ('/seatrial/environments', '/seatrial/environments/cache', '/tmp'):\n"
    "    try: open(folder + '/MARKED', 'w').close()\n"
    "    except OSError: pass\n"
    "print('code of a wheel ran')\n"
)
_HOOKS = {
    "evil.pth": f"import os; exec({_MARK!r})\n",
    "sitecustomize.py": _MARK,
    "usercustomize.py": _MARK,
    "evil.py": _MARK,
    "compileall.py": _MARK,
    "json/__init__.py": _MARK,
    "evil-1.0.data/scripts/uv": "#!/bin/sh\ntouch /seatrial/environments/MARKED\n",
    "evil-1.0.data/data/.complete": "{}",
}


def marked(rig: Rig) -> list[Path]:
    return list(rig.place.state.rglob("MARKED"))


async def test_no_hook_of_a_wheel_runs_while_it_is_installed_and_compiled(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(wheel("evil", "1.0", _HOOKS))
    environment = await rig.prepare("evil")
    assert marked(rig) == []
    assert "code of a wheel ran" not in rig.output
    (compiled,) = Path(environment.path or "").rglob("evil.cpython-*.pyc")
    assert compiled.stat().st_size > 0


async def test_the_same_hooks_do_run_in_a_test_where_they_may(rig: Rig, index: LocalIndex) -> None:
    hooks = {path: text for path, text in _HOOKS.items() if path == "evil.pth"}
    index.add(wheel("evil", "1.0", hooks))
    environment = await rig.prepare("evil")
    assert marked(rig) == []
    _, output = await rig.run(environment, "pass")
    assert "code of a wheel ran" in output


async def test_a_wheel_that_leads_out_of_its_tree_writes_nothing_there(
    rig: Rig, index: LocalIndex
) -> None:
    paths = ("../../../../../MARKED", "evil-1.0.data/data/../../../MARKED", "/var/tmp/MARKED")
    index.add(wheel("evil", "1.0", dict.fromkeys(paths, "x")))
    assert (await rig.prepare("evil")).path
    assert marked(rig) == []


async def test_a_wheel_that_cannot_be_installed_is_the_packages_fault(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(wheel("evil", "1.0", {"evil-1.0.data/scripts/python": "x"}))
    with pytest.raises(FailureError) as caught:
        await rig.prepare("evil")
    assert caught.value.failure.code == "dependencies.build_failed"
    assert "reserved name" in caught.value.failure.evidence


@pytest.mark.spec("edge-4")
async def test_a_wheel_that_unpacks_to_more_than_a_build_may_take_is_stopped_and_removed(
    rigs: Rigs, index: LocalIndex
) -> None:
    index.add(zip_bomb("bomb", "1.0", 2000))
    rig = await rigs.open(build_max_mb=64)
    with pytest.raises(FailureError) as caught:
        await rig.prepare("bomb")
    assert caught.value.failure.code == "limit.build_size"
    assert "of the 64 MiB allowed" in caught.value.failure.message
    kept = sum(path.stat().st_size for path in rig.place.state.rglob("*") if path.is_file())
    assert kept < 200 * 2**20


async def test_a_test_container_sees_its_own_tree_and_cannot_touch_the_cache(
    rig: Rig, index: LocalIndex
) -> None:
    index.add(wheel("pkga", "1.0", {"pkga.py": "value = 1\n"}))
    index.add(wheel("pkgb", "1.0", {"pkgb.py": ""}))
    environment = await rig.prepare("pkga")
    await rig.prepare("pkgb")
    before = snapshot(rig.place.shared)
    code = (
        "import os, pkga\n"
        "root = '/seatrial/environments'\n"
        "print(os.listdir(root), len(os.listdir(root + '/trees')))\n"
        "os.chmod(pkga.__file__, 0o666)\n"
    )
    _, output = await rig.run(environment, code)
    assert output.startswith("['trees'] 1\n")
    assert "Read-only file system" in output
    assert snapshot(rig.place.shared) == before
