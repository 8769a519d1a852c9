"""Which models may be pulled by their names."""

from __future__ import annotations

import pytest

from seatrial.domain.pulls import pull_problem


@pytest.mark.parametrize(
    "model",
    [
        "llama3.2",
        "llama3.2:1b",
        "smollm2:135m",
        "somebody/some-model",
        "somebody/m:Q4_K_M",
        "_a/_b",
    ],
)
def test_a_model_of_the_library_may_be_pulled(model: str) -> None:
    assert pull_problem(model) is None


@pytest.mark.parametrize(
    "model",
    [
        "hf.co/x/y",
        "evil.example/x/y",
        "evil.example/x",
        "localhost:5000/x",
        "127.0.0.1/x",
        "169.254.169.254/a/b:latest",
        "[::1]/a/b",
        "https://evil.example/x",
        "a/b/c",
        "llama3.2@sha256:" + "0" * 64,
    ],
)
def test_a_name_with_a_host_or_a_digest_is_refused_with_the_reason(model: str) -> None:
    problem = pull_problem(model)
    assert problem is not None
    assert problem.code == "registry_not_allowed"
    assert "own library" in problem.message


@pytest.mark.parametrize(
    "model",
    ["", " ", ":1b", "llama3.2:", "a b", "a:b:c", "..", "-x", "x\n", "é", "a" * 81, "x/", "a/b\n"],
)
def test_what_is_no_name_is_refused(model: str) -> None:
    problem = pull_problem(model)
    assert problem is not None
    assert problem.code == "invalid"
