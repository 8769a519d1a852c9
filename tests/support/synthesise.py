"""Synthesises every stack below a folder, in one process: `python synthesise.py FOLDER`.

Runs with the Python of the CDK. Writes `synthesised.json` beside each `stack.py`, unless cdk-nag
finds what the stack does not acknowledge: then `findings.json`.
"""

import importlib.util
import json
import pathlib
import sys

import aws_cdk as cdk  # pyright: ignore
from cdk_nag import AwsSolutionsChecks  # pyright: ignore


def synthesise(infra: pathlib.Path) -> None:
    spec = importlib.util.spec_from_file_location("stack", infra / "stack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    context = json.loads((infra / "cdk.json").read_text())["context"]
    app = cdk.App(context=context, outdir=str(infra / "checked"))  # pyright: ignore
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))  # pyright: ignore
    module.AgentStack(app, "stack")
    try:
        made = app.synth().get_stack_by_name("stack").template  # pyright: ignore
    except RuntimeError:
        report = (infra / "checked" / "validation-report.json").read_text()
        (infra / "findings.json").write_text(report)
    else:
        (infra / "synthesised.json").write_text(json.dumps(made))


for found in sorted(pathlib.Path(sys.argv[1]).glob("*/infra")):
    synthesise(found)
