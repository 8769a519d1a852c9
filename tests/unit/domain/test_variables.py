"""What a request may say of variables and stored secrets, and what a retry makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.client.fields import changes
from seatrial.domain.credentials import Credential
from seatrial.domain.requests import RetryChanges, TestRequest, sent_texts
from seatrial.domain.validation import Maxima, validate
from seatrial.domain.validation.credentials import credential_problems
from seatrial.domain.validation.variables import MAX_SECRETS, MAX_VALUE_BYTES, MAX_VARIABLES


def request(**fields: Any) -> TestRequest:
    code = {"agent.py": "def run(query):\n    return query\n"}
    return TestRequest.model_validate({"files": code, "query": "q", **fields})


def problems(**fields: Any) -> list[tuple[str, str]]:
    return [(one.field, one.code) for one in validate(request(**fields), Maxima())]


def test_variables_of_common_names_are_welcome() -> None:
    env = {"CITY": "Lübeck", "TZ": "Europe/Berlin", "LANGSMITH_TRACING": "true", "_x9": ""}
    assert problems(env=env, secrets={"GOOGLE_API_KEY": "maps", "TOKEN": "a.b-c_1"}) == []


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "Ä", "A=B", "A\n", "A" * 129])
def test_a_name_that_no_variable_can_have_is_refused_by_field(name: str) -> None:
    (env,), (secret,) = problems(env={name: "x"}), problems(secrets={name: "x"})
    assert env[1] == secret[1] == "invalid"
    assert env[0].startswith("env.")
    assert secret[0].startswith("secrets.")


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "LD_PRELOAD", "PYTHONPATH", "SEATRIAL_MODEL", "seatrial_x"),
        *("OPENAI_BASE_URL", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"),
    ],
)
def test_a_variable_that_seatrial_sets_is_reserved(name: str) -> None:
    assert problems(env={name: "x"}) == [(f"env.{name}", "reserved")]
    assert problems(secrets={name: "x"}) == [(f"secrets.{name}", "reserved")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("a\0b", "control_character"),
        ("\ud800", "not_utf8"),
        ("x" * (MAX_VALUE_BYTES + 1), "too_long"),
    ],
)
def test_a_value_that_no_process_can_get_is_refused(value: str, code: str) -> None:
    assert problems(env={"A": value}) == [("env.A", code)]


def test_numbers_and_sizes_have_limits() -> None:
    many = {f"A{n}": "" for n in range(MAX_VARIABLES + 1)}
    assert problems(env=many) == [("env", "too_many")]
    large = {f"A{n}": "x" * MAX_VALUE_BYTES for n in range(5)}
    assert problems(env=large) == [("env", "too_long")]
    secrets = {f"A{n}": "name" for n in range(MAX_SECRETS + 1)}
    assert problems(secrets=secrets) == [("secrets", "too_many")]


def test_one_variable_cannot_be_both() -> None:
    assert problems(env={"A": "x"}, secrets={"A": "y"}) == [("env.A", "given_twice")]


def test_a_secret_in_place_of_its_name_is_refused_and_not_repeated() -> None:
    found = validate(request(secrets={"TOKEN": "hunter2/secret value"}), Maxima())
    assert [one.field for one in found] == ["secrets.TOKEN"]
    assert "hunter2" not in found[0].message


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("12345678", True),
        ("-----BEGIN KEY-----\nAbCd1234\n-----END KEY-----", True),
        ("x" * 8192, True),
        ("1234567", False),
        ("........1234567", False),
        ("x" * 8193, False),
        ("pässword1", False),
        ("abcdefgh\0", False),
    ],
)
def test_a_tool_secret_must_be_one_that_can_be_found_again(value: str, good: bool) -> None:
    found = credential_problems("n", Credential(provider="secret", value=value))
    assert [one.field for one in found] == ([] if good else ["value"])
    assert value not in repr(Credential(provider="secret", value=value))


def test_a_tool_secret_has_a_value_and_nothing_else() -> None:
    found = credential_problems("n", Credential(provider="secret", api_key="sk-12345678"))
    assert [(one.field, one.code) for one in found] == [
        ("api_key", "not_allowed"),
        ("value", "missing"),
    ]


def test_a_retry_sets_replaces_and_removes_single_variables() -> None:
    old = request(env={"A": "1", "B": "2"}, secrets={"S": "one", "T": "two"})
    changed = RetryChanges(env={"A": None, "S": "plain"}, secrets={"B": "three"}).applied_to(old)
    assert changed.env == {"S": "plain"}
    assert changed.secrets == {"T": "two", "B": "three"}
    assert RetryChanges().applied_to(old) == old


def test_what_a_retry_removes_survives_the_way_to_the_server() -> None:
    sent = changes({"env": {"A": None}})
    body = sent.model_dump(mode="json", exclude_none=True)
    assert RetryChanges.model_validate(body).env == {"A": None}


def test_everything_of_a_request_that_a_package_holds_is_searched() -> None:
    texts = set(sent_texts(request(env={"A": "value"}, requirements="x==1", name="n")))
    assert {"value", "x==1", "n", "q", "agent.py"} <= texts
