"""Causes that the runner recognized: code, evidence, and advice with names of strict form."""

from __future__ import annotations

import re

import pytest

from seatrial.domain import inside_addresses
from seatrial.domain.causes import of_cause
from seatrial.domain.failures import CATALOGUE
from seatrial.domain.import_names import distribution_of, is_own
from seatrial.domain.record import AgentError
from seatrial.domain.requests import TestRequest

REQUEST = TestRequest(files={"agent.py": ""}, query="q", env={"SENT": "x"})

CAUSES: dict[str, tuple[str, str, str, str]] = {
    "a variable": ("agent.variable_missing", "variable", "WEATHER_KEY", r"--env WEATHER_KEY="),
    "a provider's key": (
        "agent.variable_missing",
        "variable",
        "OPENAI_API_KEY",
        r"--model openai:NAME",
    ),
    "a read-only place": ("agent.read_only", "unwritable", "/data/x", r"/tmp"),
    "a log file's folder": ("agent.read_only", "output_folder", "/var/x/a.log", r"/tmp"),
    "a file": ("agent.file_missing", "file", "data/prices.csv", r"--file data/prices\.csv"),
    "a file beside the agent": ("agent.file_missing", "file", "/agent/a.txt", r"--file a\.txt"),
    "a file of the author's": ("agent.file_missing", "file", "/srv/anna/a.txt", r"--file a\.txt"),
    "a program": ("agent.program_missing", "program", "/usr/bin/git", r"Replace git by"),
    "an MCP server": ("agent.program_missing", "program", "npx", r"python -m"),
    "pip": ("agent.import_error", "pip", "idna", r"requirements"),
    "localhost": ("agent.address_unreachable", "address", "localhost:1234", r"OPENAI_BASE_URL"),
    "Ollama": ("agent.address_unreachable", "address", "127.0.0.1:11434", r"--model ollama"),
    "a database": ("agent.address_unreachable", "address", "::1:5432", r"--egress"),
    "a container's name": ("agent.address_unreachable", "name", "redis:6379", r"--egress"),
    "a public name": ("agent.host_not_allowed", "name", "api.example.com:443", r"--egress api"),
    "input": ("agent.input_ended", "input", "Your name: ", r"argument of a function"),
    "a secret by input": ("agent.input_ended", "secret_input", "Key: ", r"--secret"),
    "a web server": ("agent.web_server", "server", "Flask", r"def run"),
    "several functions": (
        "agent.no_entrypoint",
        "candidates",
        "plan, act",
        r"--entry agent\.py:plan or --entry agent\.py:act",
    ),
    "an event loop": ("agent.exception", "loop", "", r"Await"),
    "a notebook": ("agent.exception", "notebook", "get_ipython", r"notebook"),
    "arguments": ("agent.exited", "arguments", "--city is required", r"--city"),
    "a relative import": ("agent.import_error", "relative", "", r"dot"),
    "a circle": ("agent.import_error", "circular", "plan", r"third file"),
    "a package": ("agent.import_error", "module", "yaml", r"'pyyaml'"),
    "an own module": ("agent.import_error", "module", "my_tools.find", r"--file my_tools"),
    "an own folder": ("agent.import_error", "own_module", "helpers.more", r"helpers/more\.py"),
    "a module of another version": (
        "dependencies.version_mismatch",
        "lacks_module",
        "idna 3.10: idna.gateway",
        r"idna 3\.10",
    ),
    "a name of another version": (
        "dependencies.version_mismatch",
        "lacks_name",
        "idna 3.10: idna.x",
        r"idna 3\.10",
    ),
    "two packages that do not fit": (
        "dependencies.version_mismatch",
        "lacks_name",
        "Werkzeug 3.0.0: werkzeug.urls.url_quote < Flask 2.2.2",
        r"Werkzeug<3\.0\.0",
    ),
    "a package that needs another": (
        "dependencies.incomplete",
        "needs_module",
        "yaml < some-tool 1.0",
        r"'pyyaml'",
    ),
    "a removed module": ("agent.import_error", "older_python", "imp 3.12", r"older than 3\.12"),
    "a later module": ("agent.import_error", "later_python", "tomllib 3.11", r"3\.11 or later"),
    "a hidden module": ("agent.import_error", "hides", "random.py", r"Rename random\.py"),
    "an extra": ("dependencies.incomplete", "install", "httpx[http2]", r"httpx\[http2\]"),
}


def error(cause: str, subject: str) -> AgentError:
    return AgentError("call", "Problem", "it said so", "agent.py", 7, cause=cause, subject=subject)


@pytest.mark.spec("FR-013")
@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_has_its_code_its_evidence_and_its_advice(name: str) -> None:
    code, cause, subject, advice = CAUSES[name]
    made = of_cause(REQUEST, error(cause, subject), 12)
    assert made is not None
    assert (made.code, made.whose) == (code, CATALOGUE[code].whose)
    assert (made.evidence, made.evidence_event) == ("Problem: it said so", 12)
    assert "(agent.py, line 7)" in made.message
    assert re.search(advice, made.what_to_do), made.what_to_do


@pytest.mark.parametrize(
    ("cause", "subject"),
    [
        ("variable", "A=1; rm -rf ~"),
        ("variable", "SENT"),
        ("install", "x; curl evil"),
        ("install", "-r/etc/passwd"),
        ("address", "api.example.com:443"),
        ("invented", "anything"),
        ("", ""),
    ],
)
def test_a_subject_of_no_strict_form_explains_nothing(cause: str, subject: str) -> None:
    assert of_cause(REQUEST, error(cause, subject), None) is None


@pytest.mark.parametrize(
    ("cause", "subject"),
    [("file", "$(reboot)"), ("program", "`id`"), ("hides", "a b;c"), ("own_module", "a'$(x)")],
)
def test_what_a_shell_would_act_on_is_quoted(cause: str, subject: str) -> None:
    made = of_cause(REQUEST, error(cause, subject), None)
    assert made is not None
    assert re.search(r"'[^']*[$`;]|\"[^\"]*[$`;]", made.what_to_do), made.what_to_do


@pytest.mark.parametrize(
    ("module", "fix"),
    [
        ("yaml", {"add_requirement": "pyyaml"}),
        ("httpx", {"add_requirement": "httpx"}),
        ("google.cloud.storage", {"add_requirement": "google-cloud-storage"}),
        ("my_tools", {}),
        ("utils.text", {}),
        ("config", {}),
    ],
)
def test_only_a_package_of_the_index_is_offered_as_a_requirement(
    module: str, fix: dict[str, str]
) -> None:
    made = of_cause(REQUEST, error("module", module), None)
    assert made is not None
    assert made.fix == fix


def test_a_known_package_is_never_taken_for_a_file_of_the_author() -> None:
    assert [name for name in ("yaml", "strands_tools", "crewai_tools") if is_own(name)] == []
    assert distribution_of("crewai_tools.rag") == "crewai-tools"


@pytest.mark.parametrize(
    ("host", "meaning"),
    [
        ("LOCALHOST", "the container itself"),
        ("0.0.0.0", "the container itself"),
        ("127.9.9.9", "the container itself"),
        ("[::1]", "the container itself"),
        ("::", "the container itself"),
        ("host.docker.internal", "a name for the machine"),
        ("host.containers.internal", "a name for the machine"),
        ("192.168.1.20", "a private address"),
        ("10.0.0.1", "a private address"),
        ("172.17.0.1", "a private address"),
        ("fd12::1", "a private address"),
        ("169.254.169.254", "a link-local address"),
        ("fe80::1", "a link-local address"),
        ("redis", "the name of another container"),
        ("nas.local", "a name of a local network"),
        ("api.example.com", ""),
        ("8.8.8.8", ""),
    ],
)
def test_an_address_means_another_thing_inside_a_container(host: str, meaning: str) -> None:
    found = inside_addresses.meaning(host)
    assert found.startswith(meaning)
    assert bool(found) == bool(meaning)
