"""Every rule of a request costs time in proportion to the text that it judges."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from pydantic import ValidationError
from tests.support.growth import assert_linear

from seatrial.domain import pulls, validation
from seatrial.domain.credentials import Credential
from seatrial.domain.requests import Limits, TestRequest
from seatrial.domain.validation import Finding, Maxima
from seatrial.domain.validation.requirements import requirements_problems

SHAPES: dict[str, tuple[str, str, str]] = {
    "blanks": ("", " ", "x"),
    "blanks in between": ("a", " ", "b"),
    "blanks and a dash": ("a", " ", "-"),
    "tabs": ("", "\t", "x"),
    "line ends": ("", "\n", "x"),
    "odd line ends": ("", "\x0b\x85\u2028", "x"),
    "backslashes": ("", "\\\n", "x"),
    "hashes": ("", "#", ""),
    "hashes and blanks": ("a", " #", ""),
    "hash options": ("a==1", " --hash=sha256:0", ""),
    "dashes": ("", "- ", ""),
    "brackets": ("a", "[", ""),
    "closed brackets": ("a[", "b,", "]"),
    "parentheses": ("a;", "(", ""),
    "markers": ("a; ", "os_name=='a' and ", "os_name=='a'"),
    "versions": ("a", ">=1,", ""),
    "slashes": ("", "a/", "a"),
    "dots": ("", "a.", "!"),
    "colons": ("", "a:", "!"),
    "commas": ("", "a,", ""),
    "letters": ("", "a", "!"),
    "accents": ("a", "\u0301\u0316", ""),
    "excepts": ("", "except ", ""),
    "an address": ("https://a/", "?a=b&", ""),
    "at signs": ("https://", "a@", "b"),
    "model names": ("ollama:", "a/", "!"),
    "allowed hosts": ("urls=", "a.", "!"),
    "allowed buckets": ("s3=", "a-", "!"),
    "unlisted kinds": ("unlisted=", "a:", "!"),
}


_LEFT_OUT = {"base_urls.address_problem", "syntax.find"}
"""The first takes addresses as a resolver gives them, the other runs in a child with limits."""


def _judges() -> dict[str, Callable[..., Any]]:
    """Every public function of the rules, found by its name, and the rules of pulls."""
    found: dict[str, Callable[..., Any]] = {"pull_problem": pulls.pull_problem}
    for info in pkgutil.iter_modules(validation.__path__, f"{validation.__name__}."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            public = inspect.isfunction(value) and not name.startswith("_")
            short = f"{info.name.rpartition('.')[2]}.{name}"
            if public and value.__module__ == info.name and short not in _LEFT_OUT:
                found[short] = value
    return found


JUDGES = _judges()


def _given(name: str, hint: Any, text: str) -> Any:
    """A value of that type which is made of the text."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint in {str, str | None} or hint is Any:
        return text
    if origin in {Mapping, dict} or hint in {Mapping, dict}:
        if parts and parts[1] is Finding:
            return {"agent.py": Finding("syntax", text, 1, 1)}
        return {"agent.py": text, text: text, "NAME": text}
    if origin in {Sequence, Iterable, Collection, tuple, list, frozenset}:
        return (text,) if parts else ()
    made: dict[Any, Callable[[], Any]] = {
        int: lambda: 60,
        Maxima: Maxima,
        Limits: Limits,
        Credential: lambda: _credential(text),
        TestRequest: lambda: _request(text),
    }
    assert hint in made, f"{name}: say how a {hint} is made of a text"
    return made[hint]()


def _credential(text: str) -> Credential:
    try:
        return Credential.model_validate({"provider": "openai", "api_key": text, "base_url": text})
    except ValidationError:
        return Credential.model_validate({"provider": "openai"})


def _request(text: str) -> TestRequest:
    return TestRequest.model_validate({"files": {"agent.py": "x = 1"}, "query": text})


@pytest.mark.parametrize("name", JUDGES)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_rule_takes_linear_time(name: str, shape: str) -> None:
    judge = JUDGES[name]
    hints = get_type_hints(judge)
    needed = [
        one.name
        for one in inspect.signature(judge).parameters.values()
        if one.default is inspect.Parameter.empty
    ]
    begin, repeated, end = SHAPES[shape]

    def work(size: int) -> None:
        text = begin + repeated * (size // len(repeated)) + end
        result = judge(*(_given(one, hints[one], text) for one in needed))
        if inspect.isgenerator(result):
            list(result)

    assert_linear(work, f"{name} on {shape}")


@pytest.mark.parametrize("count", [1, 2000])
def test_many_lines_of_requirements_take_linear_time(count: int) -> None:
    line = "a==1 " + " " * 20 + "#\n"
    assert_linear(lambda size: list(requirements_problems(line * (size * count // 2000))), "lines")
