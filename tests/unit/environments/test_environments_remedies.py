"""The one line to change, from uv's own words: every text here was recorded from a real run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from seatrial.domain.errors import FailureError
from seatrial.domain.failures import Failure
from seatrial.environments.diagnose import StageResult, error_of

FETCH = StageResult("fetch", 1, "exited", "", seconds_allowed=600, memory_mb=2048, most_mb=500)
HEAD = "error: No solution found when resolving dependencies\n  cause: "
TAIL = ", we can conclude that your requirements are unsatisfiable.\n"


def failure_of(output: str, **changes: object) -> Failure:
    error = error_of(replace(FETCH, output=output, **changes))  # pyright: ignore[reportArgumentType]
    assert isinstance(error, FailureError)
    assert error.failure.whose in {"dependencies", "limit"}
    return error.failure


@pytest.mark.parametrize(
    ("cause", "says"),
    [
        (
            "Because requests==2.20.0 depends on urllib3>=1.21.1,<1.25 and you require "
            "requests==2.20.0, we can conclude that you require urllib3>=1.21.1,<1.25.\n"
            "         And because you require urllib3==2.5.0",
            "Write urllib3>=1.21.1,<1.25 in place of urllib3==2.5.0 (what requests==2.20.0 needs)",
        ),
        (
            "Because contourpy==1.3.3 depends on numpy>=1.25 and you require contourpy==1.3.3, we "
            "can conclude that you require numpy>=1.25.\n         And because you require "
            "numpy==1.20",
            "Write numpy>=1.25 in place of numpy==1.20 (what contourpy==1.3.3 needs)",
        ),
        (
            "Because langchain-openai==0.3.0 depends on langchain-core>=0.3.29,<0.4.0 and you "
            "require langchain-core==0.1.0, we can conclude that your requirements and "
            "langchain-openai==0.3.0 are incompatible.\n         And because you require "
            "langchain-openai==0.3.0",
            "Write langchain-core>=0.3.29,<0.4.0 in place of langchain-core==0.1.0",
        ),
        (
            "Because you require urllib3==2.5.0 and urllib3<2",
            "Keep one of the lines urllib3==2.5.0 and urllib3<2.",
        ),
        (
            "Because a==1.0 depends on shared>=2 and b==1.0 depends on shared<2, we can conclude "
            "that a==1.0 and b==1.0 are incompatible.\n         And because you require a==1.0 "
            "and b==1.0",
            "Choose another version of a or b: a==1.0 needs shared>=2, b==1.0 needs shared<2.",
        ),
    ],
)
def test_a_conflict_names_one_line_to_change(cause: str, says: str) -> None:
    failure = failure_of(HEAD + cause + TAIL)
    assert failure.code == "dependencies.conflict"
    assert says in failure.what_to_do


def platform(package: str, tags: str, cause: str = "") -> str:
    name, _, version = package.partition("==")
    cause = cause or (
        f"Because {package} has no wheels with a matching platform tag (e.g., "
        f"`manylinux_2_28_x86_64`) and you require {package}"
    )
    hint = f"\nhint: Wheels are available for `{name}` (v{version}) on the following platforms: "
    return f"{HEAD}{cause}{TAIL}{hint}{tags}\n"


OLD_PYWIN32 = """\
error: No solution found when resolving dependencies
  cause: Because pywin32==302 has no wheels with a matching Python ABI tag (e.g., `cp311`) and you \
require pywin32==302, we can conclude that your requirements are unsatisfiable.

hint: You require CPython 3.11 (`cp311`), but we only found wheels for `pywin32` (v302) with the \
following Python ABI tags: `cp36m`, `cp37m`, `cp38`, `cp39`, `cp310`
"""
PYPIWIN32 = platform(
    "pywin32==312",
    "`win32`, `win_amd64`, `win_arm64`",
    "Because pywin32>=303 has no wheels with a matching platform tag (e.g., "
    "`manylinux_2_28_x86_64`) and pypiwin32>=223 depends on pywin32>=223, we can conclude that "
    "pypiwin32>=223 cannot be used.\n         And because you require pypiwin32",
)


@pytest.mark.parametrize(
    ("output", "message", "to_do"),
    [
        (
            platform("pywin32==306", "`win32`, `win_amd64`, `win_arm64`"),
            "pywin32==306 is for Windows only; tests run on Linux.",
            "`pywin32==306; sys_platform == 'win32'`",
        ),
        (
            OLD_PYWIN32,
            "pywin32==302 is for Windows only",
            "`pywin32==302; sys_platform == 'win32'`",
        ),
        (
            PYPIWIN32,
            "pywin32>=303, which pypiwin32>=223 needs, is for Windows only",
            "`pypiwin32; sys_platform == 'win32'`",
        ),
        (
            platform("unseen==1.0", "`win_amd64`"),
            "unseen==1.0 is for Windows only",
            "`unseen==1.0; sys_platform == 'win32'`",
        ),
        (
            platform("tensorflow-macos==2.12.0", "`macosx_12_0_arm64`, `macosx_12_0_x86_64`"),
            "tensorflow-macos==2.12.0 is for macOS only",
            "`tensorflow-macos==2.12.0; sys_platform == 'darwin'`",
        ),
        (
            platform("jetson==1.0", "`manylinux_2_17_aarch64`, `macosx_11_0_arm64`"),
            "jetson==1.0 has wheels for Linux on aarch64 only",
            "Choose another version of jetson, or run it on a worker of that machine type.",
        ),
    ],
)
def test_a_package_for_another_system_is_named_with_its_marker(
    output: str, message: str, to_do: str
) -> None:
    failure = failure_of(output)
    assert failure.code == "dependencies.build_failed"
    assert message in failure.message
    assert to_do in failure.what_to_do
    assert "Python" not in failure.what_to_do


def test_windows_packages_whose_source_does_not_build_are_named_as_such() -> None:
    output = (
        "error: Failed to build `pywinpty==2.0.14`\n  cause: The build backend returned an error\n"
    )
    failure = failure_of(output, stage="sources")
    assert failure.message.startswith("pywinpty==2.0.14 is for Windows only")
    assert "`pywinpty==2.0.14; sys_platform == 'win32'`" in failure.what_to_do


def abi(package: str, tags: str) -> str:
    cause = (
        f"Because {package} has no wheels with a matching Python ABI tag (e.g., `cp311`) and you "
        f"require {package}"
    )
    name, _, version = package.partition("==")
    return (
        f"{HEAD}{cause}{TAIL}\nhint: You require CPython 3.11 (`cp311`), but we only found wheels "
        f"for `{name}` (v{version}) with the following Python ABI tags: {tags}\n"
    )


@pytest.mark.parametrize(
    ("output", "newest", "to_do", "python"),
    [
        (
            abi("onnxruntime==1.10.0", "`cp36m`, `cp37m`, `cp38`, `cp39`"),
            "onnxruntime==1.23.0",
            "Run it with --python 3.9, or write onnxruntime==1.23.0, the newest for this Python.",
            "3.9",
        ),
        (
            abi("x==1.0", "`cp312`, `cp313`, `cp314t`"),
            "",
            "Run it with --python 3.12, or choose another version of x.",
            "3.12",
        ),
        (
            abi("torch==1.7.0", "`cp36m`, `cp37m`, `cp38`, `cp38m`"),
            "torch==2.9.0",
            "Write torch==2.9.0, the newest for this Python: no Python of a test fits.",
            None,
        ),
        (
            HEAD + "Because the current Python version (3.11.2) does not satisfy Python>=3.12 and "
            "numpy>=2.5.0 depends on Python>=3.12, we can conclude that numpy>=2.5.0 cannot be "
            "used.\n         And because you require numpy>=2.5" + TAIL,
            "",
            "Run it with --python 3.12, or choose another version of numpy.",
            "3.12",
        ),
        (
            HEAD + "Because the current Python version (3.13.1) does not satisfy Python<3.11,>=3.7 "
            "and old==1.0 depends on Python>=3.7,<3.11, we can conclude that old==1.0 cannot be "
            "used.\n         And because you require old==1.0" + TAIL,
            "",
            "Run it with --python 3.10, or choose another version of old.",
            "3.10",
        ),
        (
            HEAD + "Because pkga==1.0 requires Python >=3.99 and you require pkga" + TAIL,
            "",
            "Choose another version of pkga: no Python of a test fits.",
            None,
        ),
    ],
)
def test_a_package_for_another_python_names_one_that_fits(
    output: str, newest: str, to_do: str, python: str | None
) -> None:
    failure = failure_of(output, newest=newest)
    assert failure.code == "dependencies.python_mismatch"
    assert failure.what_to_do == to_do
    assert failure.fix == ({"python": python} if python else {})


@pytest.mark.parametrize(
    ("said", "message", "to_do"),
    [
        ("UnknownIssuer", "its issuer is not known to the worker", "SSL_CERT_FILE"),
        ("BadSignature", "its issuer is not known to the worker", "SSL_CERT_FILE"),
        ("Expired", "it is not valid at the worker's time", "clock"),
        ("NotValidForName", "it is for another name", "SEATRIAL_INDEX_URL"),
        (
            "certificate expired: verification time 1 (UNIX), but certificate is not valid after 0",
            "it is not valid at the worker's time",
            "clock",
        ),
        ("SomethingNew", "The certificate of index.example is not trusted.", "SSL_CERT_FILE"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_said_with_the_variable_to_set(
    said: str, message: str, to_do: str
) -> None:
    output = (
        "error: Failed to fetch: https://index.example/simple/idna/\n"
        "  cause: error sending request for url (https://index.example/simple/idna/)\n"
        f"  cause: client error (Connect)\n  cause: invalid peer certificate: {said}\n"
    )
    failure = failure_of(output)
    assert failure.code == "dependencies.index_unreachable"
    assert failure.message.startswith("The certificate of index.example is not trusted")
    assert message in failure.message
    assert to_do in failure.what_to_do
    assert said in failure.evidence


@pytest.mark.parametrize(
    "hint",
    [
        "An index URL (https://i.example/simple/) could not be queried due to a lack of valid "
        "authentication credentials (401 Unauthorized)",
        "An index (https://i.example/simple/) returned a 403 Forbidden error. Check that the index "
        "URL is correct and the credentials are valid.",
    ],
)
def test_an_index_that_wants_a_password_is_no_missing_package(hint: str) -> None:
    cause = "Because idna was not found in the package registry and you require idna"
    failure = failure_of(f"{HEAD}{cause}{TAIL}\nhint: {hint}\n")
    assert failure.code == "dependencies.index_unreachable"
    assert "https://i.example/simple/ refused the worker (40" in failure.message
    assert "USER:PASSWORD" in failure.what_to_do
    assert hint in failure.evidence


@pytest.mark.parametrize("name", ["asyncio", "json", "sqlite3"])
def test_a_module_of_python_itself_is_a_line_to_remove(name: str) -> None:
    cause = f"Because {name} was not found in the package registry and you require {name}"
    failure = failure_of(HEAD + cause + TAIL)
    assert failure.code == "dependencies.not_found"
    assert failure.what_to_do == f"Remove the line {name}: it is a part of Python itself."


def test_a_missing_package_of_a_package_names_that_one() -> None:
    cause = (
        "Because acme-core was not found in the package registry and acme==1.0 depends on "
        "acme-core, we can conclude that acme==1.0 cannot be used.\n"
        "         And because you require acme==1.0"
    )
    failure = failure_of(HEAD + cause + TAIL)
    assert failure.message == "The package index has no package 'acme-core', which acme==1.0 needs."
    assert failure.what_to_do == "Choose another version of acme."


SAID = """\
Resolved 30 packages in 2s
Downloading numpy (15.9MiB)
Downloading torch (783.1MiB)
 Downloading nvidia-cudnn-cu12 (1.2GiB)
Downloading tokenizers (900.0KiB)
530000000 bytes were written, 524288000 are allowed.
"""
ANNOTATED = """\
numpy==2.4.0
    # via
    #   pandas
    #   transformers
nvidia-cudnn-cu12==9.1
    # via torch
pandas==3.0
    # via -r /agent/requirements.in
sentence-transformers==5.0
    # via -r /agent/requirements.in
torch==2.9
    # via
    #   -r /agent/requirements.in
    #   sentence-transformers
transformers==5.0
    # via sentence-transformers
"""


def test_requirements_that_are_too_large_name_the_largest_and_who_asks_for_them() -> None:
    failure = failure_of(SAID, code=70, annotated=ANNOTATED)
    assert failure.code == "limit.build_size"
    assert (
        "The largest: nvidia-cudnn-cu12 (1229 MiB, for torch, sentence-transformers), "
        "torch (783 MiB, for sentence-transformers), "
        "numpy (16 MiB, for pandas, sentence-transformers)." in failure.message
    )
    assert "torch is the CUDA build here" in failure.message
    assert "UV_INDEX=https://download.pytorch.org/whl/cpu" in failure.what_to_do
    assert "Remove pandas or sentence-transformers or torch," in failure.what_to_do


def test_a_large_package_of_its_own_is_the_line_to_remove() -> None:
    said = "Downloading numpy (15.9MiB)\n22000000 bytes were written, 20971520 are allowed.\n"
    for annotated in ("", "numpy==2.4.0\n    # via -r /agent/requirements.in\n"):
        failure = failure_of(said, code=70, annotated=annotated)
        assert failure.message.endswith("The largest: numpy (16 MiB).")
        assert failure.what_to_do == "Remove numpy, or raise SEATRIAL_BUILD_MAX_MB."


def test_what_a_package_says_is_no_part_of_an_advice_unless_it_is_a_name() -> None:
    cause = "Because $(rm) depends on `x`; y and you require $(rm)"
    failure = failure_of(HEAD + cause + TAIL)
    assert failure.code == "dependencies.conflict"
    assert "rm" not in failure.what_to_do
