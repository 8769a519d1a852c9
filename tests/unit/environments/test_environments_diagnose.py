"""Why a stage failed, from uv's own words: every text here was recorded from a real run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seatrial.domain.errors import EngineRefused, FailureError, NoCapacity, PlatformError
from seatrial.domain.failures import Failure
from seatrial.environments.diagnose import StageResult, error_of, needs_source, unsolved

FETCH = StageResult("fetch", 1, "exited", "", seconds_allowed=600, memory_mb=2048)
SOURCES = replace(FETCH, stage="sources")
INSTALL = replace(FETCH, stage="install")

UNKNOWN = """\
error: No solution found when resolving dependencies
  cause: Because this-does-not-exist-x was not found in the package registry and you require \
this-does-not-exist-x, we can conclude that your requirements are unsatisfiable.
"""
NO_VERSION = """\
error: No solution found when resolving dependencies
  cause: Because there is no version of six==99.0 and you require six==99.0, we can conclude \
that your requirements are unsatisfiable.
"""
NO_VERSIONS = """\
error: No solution found when resolving dependencies
  cause: Because there are no versions of pkga and you require pkga, we can conclude that your \
requirements are unsatisfiable.
"""
ONLY_OLDER = """\
error: No solution found when resolving dependencies
  cause: Because only six<=1.17.0 is available and you require six>=5, we can conclude that your \
requirements are unsatisfiable.
"""
CONFLICT_OF_TWO_LINES = """\
error: No solution found when resolving dependencies
  cause: Because you require urllib3==2.5.0 and urllib3<2, we can conclude that your requirements \
are unsatisfiable.
"""
CONFLICT = """\
error: No solution found when resolving dependencies
  cause: Because requests==2.20.0 depends on urllib3>=1.21.1,<1.25 and you require \
requests==2.20.0, we can conclude that you require urllib3>=1.21.1,<1.25.
         And because you require urllib3==2.5.0, we can conclude that your requirements are \
unsatisfiable.
"""
OLD_ABI = """\
error: No solution found when resolving dependencies
  cause: Because onnxruntime==1.10.0 has no wheels with a matching Python ABI tag (e.g., `cp311`) \
and you require onnxruntime==1.10.0, we can conclude that your requirements are unsatisfiable.

hint: You require CPython 3.11 (`cp311`), but we only found wheels for `onnxruntime` (v1.10.0) \
with the following Python ABI tags: `cp36m`, `cp37m`, `cp38`, `cp39`
"""
NEWER_PYTHON = """\
error: No solution found when resolving dependencies
  cause: Because the current Python version (3.11.2) does not satisfy Python>=3.12 and \
numpy>=2.5.0 depends on Python>=3.12, we can conclude that numpy>=2.5.0 cannot be used.
         And because you require numpy>=2.5, we can conclude that your requirements are \
unsatisfiable.
"""
NEWER_PYTHON_OF_A_WHEEL = """\
error: No solution found when resolving dependencies
  cause: Because pkga==1.0 requires Python >=3.99 and only pkga==1.0 is available, we can \
conclude that all versions of pkga cannot be used.
         And because you require pkga, we can conclude that your requirements are unsatisfiable.
"""
OTHER_PLATFORM = """\
error: No solution found when resolving dependencies
  cause: Because pywin32<=302 has no wheels with a matching Python ABI tag (e.g., `cp311`) and \
only the following versions of pywin32 are available:
             pywin32<=302
             pywin32>=303
         we can conclude that pywin32<303 cannot be used.
         And because pywin32>=303 has no wheels with a matching platform tag (e.g., \
`manylinux_2_36_x86_64`) and you require pywin32, we can conclude that your requirements are \
unsatisfiable.

hint: You require CPython 3.11 (`cp311`), but we only found wheels for `pywin32` (v302) with the \
following Python ABI tags: `cp36m`, `cp37m`, `cp38`, `cp39`, `cp310`

hint: Wheels are available for `pywin32` (v312) on the following platforms: `win32`, `win_amd64`, \
`win_arm64`
"""
NO_WHEEL = """\
error: No solution found when resolving dependencies
  cause: Because antlr4-python3-runtime==4.9.3 has no usable wheels and you require \
antlr4-python3-runtime==4.9.3, we can conclude that your requirements are unsatisfiable.

hint: Wheels are required for `antlr4-python3-runtime` because building from source is disabled \
for all packages (i.e., with `--no-build`)
"""
REFUSED_CONNECTION = """\
error: Request failed after 3 retries in 9.4s
  cause: Failed to fetch: https://127.0.0.1:9/simple/six/
  cause: error sending request for url (https://127.0.0.1:9/simple/six/)
  cause: client error (Connect)
  cause: tcp connect error
  cause: Connection refused (os error 111)
"""
NO_NAME = """\
error: Request failed after 3 retries in 11.6s
  cause: Failed to fetch: https://no-such-host.invalid/simple/six/
  cause: error sending request for url (https://no-such-host.invalid/simple/six/)
  cause: client error (Connect)
  cause: dns error
  cause: error resolving DNS
  cause: failed to lookup address information: Name or service not known
"""
SERVER_ERROR = """\
error: Request failed after 3 retries in 6.3s
  cause: Failed to fetch: https://localhost:39675/files/pkga-1.0-py3-none-any.whl
  cause: HTTP status server error (501 Unsupported method ('HEAD')) for url \
(https://localhost:39675/files/pkga-1.0-py3-none-any.whl)
"""
BUILD = """\
Resolved 1 package in 701ms
   Building needslib==1.0
error: Failed to build `needslib==1.0`
  cause: The build backend returned an error
  cause: Call to `setuptools.build_meta:__legacy__.build_wheel` failed (exit status: 1)

         [stdout]
         running bdist_wheel

         [stderr]
         cc1: fatal error: x.c: No such file or directory
         compilation terminated.

hint: Build failures usually indicate a problem with the package or the build environment
"""
NO_SPACE = """\
Downloading botocore (15.8MiB)
error: Failed to download `botocore==1.44.5`
  cause: Failed to extract archive: botocore-1.44.5-py3-none-any.whl
  cause: I/O operation failed during extraction
  cause: failed to write to file `/c/.tmpm5U6bt/botocore/handlers.py`: No space left on device \
(os error 28)
"""
HASH_MISMATCH = """\
error: Failed to download `six==1.17.0`
  cause: Hash mismatch for `six==1.17.0`

         Expected:
           sha256:0000000000000000000000000000000000000000000000000000000000000000
"""
BAD_WHEEL = """\
Prepared 1 package in 44ms
error: Failed to install: evil-1.0-py3-none-any.whl (evil==1.0)
  cause: Scripts must not use the reserved name `python`, got: `python`
"""


def failure_of(result: StageResult) -> Failure:
    error = error_of(result)
    assert isinstance(error, FailureError)
    return error.failure


@pytest.mark.parametrize(
    ("output", "code", "message"),
    [
        (UNKNOWN, "dependencies.not_found", "has no package 'this-does-not-exist-x'."),
        (NO_VERSION, "dependencies.not_found", "There is no six==99.0."),
        (NO_VERSIONS, "dependencies.not_found", "There is no pkga."),
        (ONLY_OLDER, "dependencies.not_found", "no six>=5; the newest version is 1.17.0."),
        (
            CONFLICT_OF_TWO_LINES,
            "dependencies.conflict",
            "you require urllib3==2.5.0 and urllib3<2.",
        ),
        (
            CONFLICT,
            "dependencies.conflict",
            "requests==2.20.0 depends on urllib3>=1.21.1,<1.25 and you require requests==2.20.0, "
            "and you require urllib3==2.5.0.",
        ),
        (OLD_ABI, "dependencies.python_mismatch", "onnxruntime==1.10.0 has no wheel for this"),
        (NEWER_PYTHON, "dependencies.python_mismatch", "numpy>=2.5.0 needs Python >=3.12."),
        (
            NEWER_PYTHON_OF_A_WHEEL,
            "dependencies.python_mismatch",
            "pkga==1.0 needs Python >=3.99.",
        ),
        (OTHER_PLATFORM, "dependencies.build_failed", "pywin32>=303 is for Windows only"),
        (NO_WHEEL, "dependencies.build_failed", "antlr4-python3-runtime has no wheel that fits"),
        (REFUSED_CONNECTION, "dependencies.index_unreachable", ""),
        (NO_NAME, "dependencies.index_unreachable", ""),
        (SERVER_ERROR, "dependencies.index_unreachable", ""),
        (HASH_MISMATCH, "dependencies.build_failed", "six==1.17.0 cannot be installed"),
        (BAD_WHEEL, "dependencies.build_failed", "evil-1.0-py3-none-any.whl cannot be installed"),
    ],
)
def test_each_wording_of_uv_has_its_reason(output: str, code: str, message: str) -> None:
    failure = failure_of(replace(FETCH, output=output))
    assert failure.code == code
    assert message in failure.message


@pytest.mark.parametrize(
    ("output", "evidence"),
    [
        (OLD_ABI, "You require CPython 3.11 (`cp311`), but we only found wheels"),
        (OTHER_PLATFORM, "Wheels are available for `pywin32` (v312) on the following platforms"),
        (REFUSED_CONNECTION, "six/ … Connection refused (os error 111)"),
        (SERVER_ERROR, "HTTP status server error (501"),
        (HASH_MISMATCH, "Hash mismatch for `six==1.17.0`"),
        (CONFLICT, "And because you require urllib3==2.5.0"),
    ],
)
def test_the_evidence_is_the_line_that_proves_it(output: str, evidence: str) -> None:
    assert evidence in failure_of(replace(FETCH, output=output)).evidence


def test_a_failed_build_shows_its_last_lines() -> None:
    failure = failure_of(replace(SOURCES, output=BUILD))
    assert failure.code == "dependencies.build_failed"
    assert failure.message.startswith("needslib==1.0 has no ready-made wheel")
    assert failure.evidence.startswith("error: Failed to build `needslib==1.0`")
    assert failure.evidence.endswith("compilation terminated.")


def test_a_build_that_speaks_of_networks_is_still_a_failed_build() -> None:
    output = BUILD.replace("running bdist_wheel", "Failed to fetch https://example.com/tool")
    assert failure_of(replace(SOURCES, output=output)).code == "dependencies.build_failed"


def test_the_newest_version_is_told_when_it_is_known() -> None:
    failure = failure_of(replace(FETCH, output=NO_VERSION, newest="six==1.17.0"))
    assert failure.message == "There is no six==99.0; the newest version is six==1.17.0."


def test_a_download_that_wrote_too_much_says_how_much_and_is_no_matter_of_words() -> None:
    said = "Downloading\n8595000000 bytes were written, 8589934592 are allowed.\n"
    failure = failure_of(replace(FETCH, code=70, output=said, most_mb=8192))
    assert failure.code == "limit.build_size"
    assert (
        failure.message == "The requirements wrote 8197 MiB of the 8192 MiB allowed for one build."
    )
    assert failure_of(replace(SOURCES, code=70, output=said)).code != "limit.build_size"


def test_a_full_disk_is_the_machines_trouble_but_a_full_build_is_a_limit() -> None:
    assert isinstance(error_of(replace(FETCH, output=NO_SPACE)), NoCapacity)
    assert isinstance(error_of(replace(INSTALL, output=NO_SPACE)), NoCapacity)
    assert failure_of(replace(SOURCES, output=NO_SPACE)).code == "limit.disk"


def test_a_refused_host_is_named_with_a_way_out() -> None:
    refused = (
        "The agent tried to reach files.example:443, which this test does not allow. "
        "Allow it with --egress files.example:443.",
    )
    failure = failure_of(replace(FETCH, output=SERVER_ERROR, refused=refused))
    assert "files.example:443" in failure.message
    assert "--egress" not in failure.message + failure.what_to_do
    assert "UV_INDEX" in failure.what_to_do


def test_the_harness_word_goes_before_what_was_printed() -> None:
    assert failure_of(replace(FETCH, reason="deadline", output=CONFLICT)).code == (
        "limit.build_timeout"
    )
    assert failure_of(replace(SOURCES, oom=True, output=BUILD)).code == "limit.memory"


@pytest.mark.parametrize("cut", [{"reason": "deadline"}, {"oom": True}])
def test_what_was_cut_short_is_proven_by_a_line_that_its_user_was_shown(
    cut: dict[str, Any],
) -> None:
    output = "Using CPython 3.11.2 interpreter at: /usr/bin/python3\n"
    failure = failure_of(replace(SOURCES, output=output, told="Building from source: a…", **cut))
    assert failure.evidence == "Building from source: a…"


@pytest.mark.parametrize("reason", ["lost", "silent", "orphaned", "cancelled"])
def test_a_lost_container_is_nobodys_fault_but_ours(reason: str) -> None:
    error = error_of(replace(FETCH, code=None, reason=reason, output=CONFLICT))
    assert isinstance(error, PlatformError)
    assert error.retryable


def test_a_program_that_did_not_start_is_the_platforms_trouble() -> None:
    error = error_of(replace(FETCH, code=None, reason="not_started", message="python3: not found"))
    assert isinstance(error, EngineRefused)
    assert "python3: not found" in error.message


def test_what_nobody_foresaw_is_ours_except_where_foreign_code_ran() -> None:
    output = "error: something new\n"
    assert isinstance(error_of(replace(FETCH, output=output)), PlatformError)
    failure = failure_of(replace(SOURCES, output=output))
    assert (failure.code, failure.evidence) == ("dependencies.build_failed", output.strip())


@pytest.mark.parametrize("output", [UNKNOWN, CONFLICT, BUILD, OLD_ABI, ""])
def test_only_packages_with_sources_are_built(output: str) -> None:
    assert needs_source(output) == frozenset()


def test_the_packages_that_need_a_build_are_read_from_the_hints() -> None:
    assert needs_source(NO_WHEEL) == {"antlr4-python3-runtime"}


def test_the_explanation_is_shown_from_its_first_line() -> None:
    assert unsolved(f"Resolved 3 packages in 1ms\n{CONFLICT}") == CONFLICT
    assert unsolved(BUILD) == ""
