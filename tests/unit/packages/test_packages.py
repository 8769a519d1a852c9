"""What is in a package: the tested bytes, what the provider needs, and nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from dataclasses import replace

import pytest
from tests.support.tested import AGENT, LOCK, MODELS, succeeded

from seatrial.domain.builds import UsedService
from seatrial.domain.errors import PackageRefused
from seatrial.domain.packages import TARGETS, Target
from seatrial.domain.phases import Outcome
from seatrial.domain.receipts import Receipt
from seatrial.domain.requests import TestRequest
from seatrial.packages import Tested, choices, default_target, make_package, refusal
from seatrial.packages.access import model_arns, statements
from seatrial.packages.make import package_files
from seatrial.packages.sizing import fargate_size, fargate_with_ollama, lambda_memory

EVERY = [(provider, target) for provider in MODELS for target in TARGETS]

CANARY = "canary-3f9c1e7a5b"


def text(tested: Tested, target: Target, path: str) -> str:
    return package_files(tested, target)[path].decode()


@pytest.mark.spec("US2-1", "US2-2", "US2-3", "US2-4", "FR-005")
@pytest.mark.parametrize(("provider", "target"), EVERY)
def test_every_package_is_complete(provider: str, target: Target) -> None:
    tested = succeeded(provider, lock=LOCK)
    package = make_package(tested, target)
    with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
        files = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
        modes = {i.filename.partition("/")[2]: i.external_attr >> 16 for i in archive.infolist()}
    assert files["agent/app/agent.py"] == AGENT.encode()
    assert files["agent/requirements.txt"] == LOCK.encode()
    for path in (
        *("agent/Dockerfile", "agent/.dockerignore", "agent/server/agent_server/serve.py"),
        *("docker-compose.yml", ".env.example", "README.md", "deploy.sh", "destroy.sh"),
        *("doctor.sh", "receipt.json", "sbom.cdx.json", "query.json"),
    ):
        assert files[path], path
    assert ("infra/stack.py" in files) == ("infra/template.json" in files) == (target != "compose")
    assert modes["deploy.sh"] & stat.S_IXUSR
    assert not modes["agent/app/agent.py"] & stat.S_IXUSR
    listed = json.loads(files.pop("manifest.json"))["files"]
    assert listed == {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    assert tuple(sorted([*files, "manifest.json"])) == package.files


@pytest.mark.parametrize(("provider", "target"), EVERY)
def test_the_same_test_and_target_give_the_same_bytes(provider: str, target: Target) -> None:
    first = make_package(succeeded(provider, lock=LOCK), target)
    again = make_package(succeeded(provider, lock=LOCK), target)
    assert first.content == again.content
    assert first.sha256 == hashlib.sha256(first.content).hexdigest()


@pytest.mark.spec("FR-015", "US2-5")
@pytest.mark.parametrize(
    ("provider", "target"),
    [
        ("bedrock", "agentcore"),
        ("openai", "lambda"),
        ("anthropic", "lambda"),
        ("ollama", "fargate"),
        ("none", "lambda"),
    ],
)
def test_each_provider_has_a_target_that_fits_and_may_have_all(
    provider: str, target: Target
) -> None:
    tested = succeeded(provider)
    assert default_target(tested) == target
    assert [(c.target, c.refused) for c in choices(tested)] == [(name, "") for name in TARGETS]
    assert [c.target for c in choices(tested) if c.default] == [target]


@pytest.mark.spec("FR-015", "US2-5")
def test_a_package_names_what_its_provider_needs_and_no_value() -> None:
    def names(provider: str, target: Target = "compose") -> list[str]:
        lines = text(succeeded(provider), target, ".env.example").splitlines()
        return [line for line in lines if line and not line.startswith("#")]

    assert names("openai") == ["OPENAI_API_KEY="]
    assert names("anthropic") == ["ANTHROPIC_API_KEY="]
    assert names("ollama") == ["OLLAMA_HOST="]
    assert names("none") == []
    assert names("bedrock") == [
        *("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN="),
    ]


@pytest.mark.spec("FR-015")
def test_the_agent_finds_the_service_that_it_was_tested_with() -> None:
    def env(provider: str) -> dict[str, str]:
        config = json.loads(text(succeeded(provider), "lambda", "agent/server/agent.json"))
        return config["env"]

    assert env("openai")["OPENAI_BASE_URL"] == "https://models.example/v1"
    assert "ANTHROPIC_BASE_URL" not in env("anthropic")  # its SDK knows the public address
    assert env("bedrock")["AWS_REGION"] == "us-east-1"
    assert env("ollama")["SEATRIAL_MODEL"] == "llama3.2"
    assert "OLLAMA_HOST" not in env("ollama")  # the test machine's own means nothing elsewhere


def test_a_service_of_this_machine_has_to_be_named_where_the_package_runs() -> None:
    tested = succeeded("openai")
    local = UsedService(provider="openai", base_url="http://localhost:9/v1", models=("m",))
    build = tested.build.model_copy(update={"services": (local,)})
    tested = Tested(test=tested.test, build=build)
    assert tested.addresses == ("OPENAI_BASE_URL",)
    assert tested.secrets == ()
    assert tested.variables["OPENAI_API_KEY"] == "not-needed"


@pytest.mark.spec("FR-015")
@pytest.mark.parametrize(
    ("model", "resources"),
    [
        (
            "us.amazon.nova-lite-v1:0",
            [
                "arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}"
                ":inference-profile/us.amazon.nova-lite-v1:0",
                "arn:${AWS::Partition}:bedrock:*::foundation-model/amazon.nova-lite-v1:0",
            ],
        ),
        (
            "amazon.nova-lite-v1:0",
            [
                "arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/amazon.nova-lite-v1:0"
            ],
        ),
        (
            "arn:aws:bedrock:us-east-1:1:provisioned-model/x",
            ["arn:aws:bedrock:us-east-1:1:provisioned-model/x"],
        ),
    ],
)
def test_the_role_may_call_the_tested_models_only(model: str, resources: list[str]) -> None:
    assert model_arns(model) == resources
    [allowed] = statements(succeeded("bedrock"))
    assert allowed["Resource"] == [{"Fn::Sub": arn} for arn in model_arns(MODELS_OF_BEDROCK)]
    assert statements(succeeded("none")) == []


MODELS_OF_BEDROCK = "us.amazon.nova-lite-v1:0"


@pytest.mark.spec("FR-015")
def test_sizes_come_from_the_run_and_say_so() -> None:
    small, large = succeeded("openai", peak_mib=60), succeeded("openai", peak_mib=2000)
    assert lambda_memory(small).value == 512
    assert lambda_memory(large).value == 3072
    assert "measured peak of 2000 MiB" in lambda_memory(large).why
    assert "measured peak of 2000 MiB" in text(large, "lambda", "README.md")
    assert "measured peak of 2000 MiB" in text(large, "lambda", "infra/stack.py")
    size = fargate_size(large)
    assert size is not None
    assert (size[0].value, size[1].value) == (2048, 12288)


@pytest.mark.parametrize(
    ("tested", "target", "reason"),
    [
        (succeeded("openai", wall_seconds=1000), "lambda", "15 minutes"),
        (succeeded("openai", wall_seconds=1000), "agentcore", "15 minutes"),
        (succeeded("openai", peak_mib=9000), "lambda", "10,240 MiB"),
        (succeeded("openai", peak_mib=6000), "agentcore", "8 GiB"),
        (succeeded("openai", peak_mib=21_000), "fargate", "120 GiB"),
    ],
)
def test_a_target_that_cannot_run_the_test_is_refused_with_the_reason(
    tested: Tested, target: Target, reason: str
) -> None:
    with pytest.raises(PackageRefused, match=reason):
        make_package(tested, target)
    refused = {choice.target: choice.refused for choice in choices(tested)}
    assert reason in refused[target]
    assert default_target(tested) != target
    assert make_package(tested, "compose").content


@pytest.mark.spec("edge-9")
def test_only_a_green_test_without_a_secret_in_it_is_packaged() -> None:
    good = succeeded("openai").test
    assert refusal(good) == ""
    failed = good.model_copy(update={"outcome": Outcome.FAILED})
    assert "failed" in refusal(failed)
    assert "timed out" in refusal(good.model_copy(update={"outcome": Outcome.TIMED_OUT}))
    assert "not ended" in refusal(good.model_copy(update={"outcome": None}))
    leaked = good.model_copy(update={"receipt": Receipt(leaked_artifacts=("request",))})
    assert "A secret stands in" in refusal(leaked)
    assert good.result is not None
    nameless = good.result.model_copy(update={"entry_point": ""})
    assert "Test it again" in refusal(good.model_copy(update={"result": nameless}))


@pytest.mark.spec("edge-9")
def test_an_archive_above_ten_megabytes_is_refused_with_its_size() -> None:
    noise = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(400_000))
    request = TestRequest(files={"agent.py": AGENT, "data.txt": noise}, query="q", model="none")
    with pytest.raises(PackageRefused, match=r"would have 1\d\.\d MiB; it may have 10"):
        make_package(succeeded(request=request), "compose")


def test_the_built_in_model_is_packaged_as_ollama_with_the_model_to_be_set() -> None:
    request = TestRequest(files={"agent.py": AGENT}, query="q", model="testmodel")
    tested = succeeded("ollama", request=request)
    package = make_package(tested, "compose")
    assert default_target(tested) == "fargate"
    assert any("built-in test model" in note for note in package.notes)
    assert "SEATRIAL_MODEL=" in text(tested, "compose", ".env.example")
    assert (
        "SEATRIAL_MODEL" not in json.loads(text(tested, "lambda", "agent/server/agent.json"))["env"]
    )
    assert "SEATRIAL_MODEL:?set it" in text(tested, "compose", "docker-compose.yml")
    for target in ("compose", "fargate"):
        assert "fill in SEATRIAL_MODEL\n" in text(tested, target, "README.md")
        assert "for name in SEATRIAL_MODEL; do" in text(tested, target, "doctor.sh")


def test_a_package_that_brings_an_ollama_says_what_that_is_good_for() -> None:
    tested = succeeded("ollama")
    note = make_package(tested, "fargate").notes[0]
    for said in ("OLLAMA_HOST may stay empty", "no GPU", "small models", "costs more"):
        assert said in note
    readme = text(tested, "fargate", "README.md")
    assert note in readme
    assert "cp .env.example .env        # OLLAMA_HOST may stay empty" in readme
    assert "| disk with an Ollama beside it, GiB | 40 |" in readme
    assert fargate_with_ollama(tested)[0].value == 4096
    assert fargate_with_ollama(succeeded("ollama", peak_mib=20_000))[1].value == 122_880
    assert "Ollama" not in text(succeeded("openai"), "fargate", "infra/stack.py")


@pytest.mark.spec("FR-008")
@pytest.mark.parametrize(("provider", "target"), EVERY)
def test_no_value_of_a_secret_and_no_name_of_a_credential_is_in_a_package(
    provider: str, target: Target
) -> None:
    request = TestRequest(
        files={"agent.py": AGENT},
        query="q",
        model=MODELS[provider],
        secrets={"WEATHER_TOKEN": CANARY},
        credential=f"{CANARY}-mine",
        webhook=f"https://{CANARY}.example/hook",
    )
    files = package_files(succeeded(provider, request=request), target)
    assert [path for path, data in files.items() if CANARY.encode() in data] == []
    assert b"WEATHER_TOKEN=" in files[".env.example"]


def test_what_a_user_wrote_is_never_taken_for_a_place_of_a_template() -> None:
    request = TestRequest(
        files={"agent.py": "@NAME@ @FILL@"},
        query="@NAME@ ${HOME} $(id)",
        model="none",
        name="@TAG@",
    )
    files = package_files(succeeded(request=request), "compose")
    assert files["agent/app/agent.py"] == b"@NAME@ @FILL@"
    assert json.loads(files["query.json"]) == {"prompt": "@NAME@ ${HOME} $(id)"}
    scripts = [data for path, data in files.items() if path.endswith((".sh", ".yml"))]
    assert not any(b"$(id)" in data for data in scripts)


def test_the_bill_of_materials_has_every_package_of_the_lock() -> None:
    bill = json.loads(text(succeeded(lock=LOCK), "compose", "sbom.cdx.json"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    [part] = bill["components"]
    assert (part["name"], part["version"], part["purl"]) == ("six", "1.17.0", "pkg:pypi/six@1.17.0")
    assert len(part["externalReferences"][0]["hashes"]) == 2


def test_the_image_is_built_on_the_tested_one_where_a_registry_has_it() -> None:
    local = succeeded()
    published = "docker.io/library/python@sha256:" + "1" * 64
    pulled = replace(local, build=local.build.model_copy(update={"published": published}))
    assert f"ARG PYTHON_IMAGE={published}\n" in text(pulled, "compose", "agent/Dockerfile")
    assert json.loads(text(pulled, "compose", "receipt.json"))["base_image"] == published
    assert "base image was built where it ran" not in text(pulled, "compose", "README.md")
    official = json.loads(text(local, "compose", "receipt.json"))["base_image"]
    assert official.endswith("/python:3.11-slim")
    assert f"ARG PYTHON_IMAGE={official}\n" in text(local, "compose", "agent/Dockerfile")
    assert "base image was built where it ran" in text(local, "compose", "README.md")


def test_the_image_holds_only_what_the_list_allows() -> None:
    files = package_files(succeeded("openai", lock=LOCK), "lambda")
    below = {path.split("/")[1] for path in files if path.startswith("agent/")}
    allowed = {
        line.removeprefix("!")
        for line in files["agent/.dockerignore"].decode().splitlines()
        if line.startswith("!")
    }
    assert below - {"Dockerfile", ".dockerignore"} == allowed


@pytest.mark.parametrize(("provider", "target"), EVERY)
def test_the_readme_names_commands_that_are_there_costs_and_what_was_not_verified(
    provider: str, target: Target
) -> None:
    files = package_files(succeeded(provider), target)
    readme = files["README.md"].decode()
    block = readme.split("```sh\n")[1].split("```")[0]
    commands = [line.split()[0] for line in block.splitlines()]
    assert len(commands) == 5
    for command in commands:
        if command.startswith("./"):
            assert command[2:] in files
    for part in ("**Costs:**", "## Trouble", "## Not verified", "real AWS account"):
        assert part in readme
