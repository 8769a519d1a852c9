"""The stacks of packages: what the CDK makes of them is the template that the package has."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.support.cdk_tools import CdkTools, cdk_tools
from tests.support.tested import succeeded

from seatrial.domain.packages import Target
from seatrial.packages.make import package_files

pytestmark = [pytest.mark.timeout(400)]

PROVIDERS = ("bedrock", "openai", "ollama", "none")
"""Anthropic's stacks are those of OpenAI."""
SYNTHESISE = Path(__file__).parents[2] / "support" / "synthesise.py"
CLOUD: tuple[Target, ...] = ("agentcore", "lambda", "fargate")


@pytest.fixture(scope="module")
def tools() -> CdkTools:
    return cdk_tools()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `infra` of every provider's package for every cloud target."""
    folder = tmp_path_factory.mktemp("packages")
    for provider in PROVIDERS:
        for target in CLOUD:
            for path, data in package_files(succeeded(provider), target).items():
                if path.startswith("infra/"):
                    file = folder / f"{provider}-{target}" / path
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(data)
    return folder


@pytest.mark.spec("US2-4", "FR-015")
def test_the_cdk_makes_of_every_stack_the_template_that_the_package_has_and_nag_finds_nothing_new(
    tools: CdkTools, packages: Path
) -> None:
    silent = packages / "unacknowledged" / "infra"
    shutil.copytree(packages / "bedrock-fargate" / "infra", silent)
    stack = silent / "stack.py"
    text = stack.read_text()
    assert "ACKNOWLEDGED = {" in text
    stack.write_text(text.replace("in ACKNOWLEDGED.items()", "in ()"))
    done = tools.run("python3", str(SYNTHESISE), str(packages))
    assert done.returncode == 0, done.stderr[-3000:]
    assert [path.parent for path in packages.glob("*/infra/findings.json")] == [silent]
    assert "ECS4" in (silent / "findings.json").read_text()
    shutil.rmtree(silent.parent)
    made = sorted(packages.glob("*/infra/synthesised.json"))
    assert len(made) == len(PROVIDERS) * len(CLOUD)
    for path in made:
        shipped = json.loads((path.parent / "template.json").read_text())
        assert json.loads(path.read_text()) == shipped, path.parent.parent.name


@pytest.mark.spec("US2-4")
def test_the_pinned_command_line_synthesises_a_package_as_it_is_shipped(
    tools: CdkTools, packages: Path, tmp_path: Path
) -> None:
    infra = tmp_path / "infra"
    shutil.copytree(packages / "openai-lambda" / "infra", infra)
    done = tools.run("cdk", "synth", "--quiet", cwd=infra)
    assert done.returncode == 0, done.stderr[-3000:]
    [made] = (infra / "cdk.out").glob("*.template.json")
    assert json.loads(made.read_text()) == json.loads((infra / "template.json").read_text())
