"""The worker has cfn-lint read what it ships, where cfn-lint is installed."""

from __future__ import annotations

import json

import pytest
from tests.support.cdk_tools import cdk_tools
from tests.support.tested import succeeded

from seatrial.packages.make import package_files
from seatrial.worker.linting import lint

pytestmark = pytest.mark.timeout(400)


def shipped() -> bytes:
    return package_files(succeeded("openai"), "lambda")["infra/template.json"]


@pytest.mark.spec("US2-4", "FR-015")
async def test_a_shipped_template_passes_and_a_fault_in_it_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", cdk_tools().environment["PATH"])
    passed = await lint(shipped())
    assert (passed.result, passed.detail) == ("passed", "")
    faulty = json.loads(shipped())
    faulty["Resources"]["Function"]["Type"] = "AWS::Lambda::Funktion"
    failed = await lint(json.dumps(faulty).encode())
    assert failed.result == "failed"
    assert failed.detail.startswith("E3006: ")


async def test_without_a_linter_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    skipped = await lint(shipped())
    assert skipped.result == "skipped"
    assert "pip install cfn-lint" in skipped.detail


async def test_a_linter_that_says_nothing_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("programs")
    (folder / "cfn-lint").write_text("#!/bin/sh\nexit 1\n")
    (folder / "cfn-lint").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    assert (await lint(shipped())).result == "skipped"
