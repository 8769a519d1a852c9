"""The Dockerfile of every package, held to hadolint's rules."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.cloud_tools import cloud_tools
from tests.support.tested import LOCK, succeeded

from seatrial.packages.image import dockerfile


@pytest.mark.spec("US2-2")
def test_every_form_of_the_dockerfile_lints(tmp_path: Path) -> None:
    wheels = succeeded(lock=LOCK)
    source = replace(wheels, build=wheels.build.model_copy(update={"from_source": True}))
    forms = {"none": succeeded(), "wheels": wheels, "source": source}
    for name, tested in forms.items():
        (tmp_path / name).write_text(dockerfile(tested))
    (tmp_path / "faulty").write_text("FROM debian\nRUN cd /tmp && apt-get install x\n")
    hadolint = str(cloud_tools().programs / "hadolint")
    done = {
        name: subprocess.run(
            [hadolint, str(tmp_path / name)], capture_output=True, text=True, check=False
        )
        for name in (*forms, "faulty")
    }
    assert {name: done[name].stdout for name in forms} == dict.fromkeys(forms, "")
    assert "DL3006" in done["faulty"].stdout
