"""Every rule of a test request, and that all broken ones are named at once."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.domain.errors import FieldProblem
from seatrial.domain.requests import Limits, TestRequest
from seatrial.domain.validation import SUPPORTED_PYTHONS, Maxima, limit_ranges, validate

GOOD = TestRequest(files={"agent.py": "def run(query):\n    return query\n"}, query="hello")
MAXIMA = Maxima()
HASH = "--hash=sha256:" + "0" * 64


def problems(**fields: object) -> list[FieldProblem]:
    """What is wrong with a good request that has these fields instead."""
    return validate(GOOD.model_copy(update=fields), MAXIMA)


def only(**fields: object) -> FieldProblem:
    """The one problem that there is."""
    (problem,) = problems(**fields)
    return problem


def with_file(path: str, text: str = "") -> dict[str, dict[str, str]]:
    return {"files": {**GOOD.files, path: text}}


def with_code(code: str) -> dict[str, dict[str, str]]:
    return {"files": {"agent.py": code}}


def test_a_good_request_has_no_problem() -> None:
    assert problems() == []


def test_every_broken_rule_is_named_at_once_in_the_order_of_the_fields() -> None:
    request = TestRequest(
        files={"../x": "", "b.py": "("},
        requirements="-e .",
        python="2.7",
        model="nobody:x",
        query="",
        entry_point="nothing",
        timeout_seconds=0,
        limits=Limits(memory_mb=1, cpus=1000),
        egress=("*.example.com:443",),
        name="\n",
    )
    found = [problem.field for problem in validate(request, MAXIMA)]
    assert found == [
        *["files"] * 3,
        "requirements",
        "python",
        "model",
        "query",
        "entry_point",
        "timeout_seconds",
        "limits.memory_mb",
        "limits.cpus",
        "egress[0]",
        "name",
    ]


def test_a_request_without_agent_py_says_so() -> None:
    problem = only(files={"other.py": ""})
    assert (problem.field, problem.code, problem.file) == ("files", "missing", "agent.py")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../up.txt", "invalid_path"),
        ("a/../b.txt", "invalid_path"),
        ("/etc/passwd", "invalid_path"),
        ("C:/windows", "invalid_path"),
        ("a\\b.txt", "invalid_path"),
        ("a\nb.txt", "invalid_path"),
        ("a\0b.txt", "invalid_path"),
        ("a\u202egpj.exe", "invalid_path"),
        ("a//b.txt", "invalid_path"),
        ("./b.txt", "invalid_path"),
        ("folder/", "invalid_path"),
        ("", "invalid_path"),
        ("a\ud800.txt", "not_utf8"),
        ("a" * 256, "too_long"),
        ("é" * 128, "too_long"),
        ("AGENT.py", "duplicate"),
        ("agent.py/inner.txt", "duplicate"),
    ],
)
def test_a_path_that_cannot_be_is_refused(path: str, code: str) -> None:
    problem = only(**with_file(path))
    assert (problem.field, problem.code) == ("files", code)
    assert problem.file is not None
    assert problem.file.isprintable()


@pytest.mark.parametrize("path", ["a.txt", "a/b/c.json", "..a", "a..b", "ümläut.txt", "a b.txt"])
def test_an_ordinary_path_is_accepted(path: str) -> None:
    assert problems(**with_file(path)) == []


def test_paths_that_differ_in_unicode_composition_alone_are_one() -> None:
    files = {**GOOD.files, "caf\u00e9.txt": "", "cafe\u0301.txt": ""}
    assert only(files=files).code == "duplicate"


def test_text_that_is_no_utf8_is_refused_with_its_file() -> None:
    problem = only(**with_file("data.txt", "\ud800"))
    assert (problem.code, problem.file) == ("not_utf8", "data.txt")


@pytest.mark.parametrize(
    ("code", "line", "column"),
    [
        ("def run(query)\n    return query\n", 1, 15),
        ("x = 1\ny = (\n", 2, 5),
        ("if True:\nx = 1\n", 2, 1),
        ("x = 1\nreturn x\n", 2, 1),
        ("x = 1\n\0\n", 2, None),
        ("\ufeffx = = 1\n", 1, 5),
    ],
)
def test_a_syntax_error_names_file_line_and_column(
    code: str, line: int, column: int | None
) -> None:
    problem = only(**with_code(code))
    assert problem.code == "agent.syntax_error"
    assert (problem.file, problem.line, problem.column) == ("agent.py", line, column)
    assert f"line {line}" in problem.message


def test_other_python_files_are_checked_too_and_other_files_are_not() -> None:
    files = {**GOOD.files, "lib/helper.py": "x = = 1", "notes.txt": "x = = 1"}
    assert only(files=files).file == "lib/helper.py"


def test_a_byte_order_mark_is_no_syntax_error() -> None:
    assert problems(**with_code("\ufeffx = 1\n")) == []


@pytest.mark.parametrize(
    "code",
    [
        "(" * 100_000,
        "-" * 100_000 + "1",
        "a" + ".b" * 100_000,
        "1" + "+1" * 100_000,
        "lambda:" * 20_000 + "1",
        "not " * 50_000 + "1",
        "".join(" " * n + "if x:\n" for n in range(200)),
        "x = " + "9" * 5000,
        "\\",
        "\f\r\n\x1a",
        "# coding: no-such-codec\nx = 1",
    ],
)
def test_code_that_breaks_a_parser_breaks_nothing_else(code: str) -> None:
    for problem in problems(**with_code(code)):
        assert problem.code in {"agent.syntax_error", "agent.too_complex"}


@pytest.mark.parametrize(
    ("code", "python", "good"),
    [
        ("match x:\n    case 1: pass\n", "3.9", False),
        ("match x:\n    case 1: pass\n", "3.10", True),
        ("type X = int\n", "3.14", True),
        ("def f[T](x: T) -> T:\n    return x\n", "3.14", True),
        ("try:\n    pass\nexcept A, B:\n    pass\n", "3.14", True),
        ("x = f'{d['key']}'\n", "3.14", True),
        ("x = t'{y}'\n", "3.14", True),
        ("def run(query)\n    return 1\n", "3.14", False),
        ("x = (1\n", "3.14", False),
    ],
)
def test_syntax_is_judged_by_the_python_that_the_test_asks_for(
    code: str, python: str, good: bool
) -> None:
    assert (problems(**with_code(code), python=python) == []) is good


def test_code_may_have_one_megabyte_in_all_and_no_more() -> None:
    room = 1_000_000 - len(GOOD.files["agent.py"])
    assert problems(**with_file("data.txt", "x" * room)) == []
    problem = only(**with_file("data.txt", "x" * (room + 1)))
    assert (problem.field, problem.code) == ("files", "too_long")
    assert "1 MB" in problem.message


def test_code_of_the_greatest_size_is_checked_within_seconds() -> None:
    began = time.perf_counter()
    assert problems(**with_code("f()\n" * 250_000)) == []
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "requests",
        "requests==2.31.0 # why\n\nhttpx>=0.2,<3",
        "uvicorn[standard]>=0.30 ; python_version >= '3.9'",
        "requests \\\n  >=2 \\\n  # a comment\n",
        f"requests==2.31.0 \\\n    {HASH} \\\n    {HASH}\n",
        f"requests==2.31.0 {HASH}  # pinned",
        "\ufeffrequests\r\nhttpx\r\n",
        "Django ~= 4.2",
    ],
)
def test_plain_requirements_are_accepted(text: str) -> None:
    assert problems(requirements=text) == []


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("-r other.txt", 1, "-r"),
        ("-rother.txt", 1, "-r"),
        ("requests\n--requirement=other.txt", 2, "--requirement"),
        ("-e .", 1, "-e"),
        ("--editable ./x", 1, "--editable"),
        ("\n\n--index-url https://evil.example/simple", 3, "--index-url"),
        ("--extra-index-url=https://evil.example", 1, "--extra-index-url"),
        ("-i https://evil.example", 1, "-i"),
        ("--find-links ./wheels", 1, "--find-links"),
        ("-c constraints.txt", 1, "-c"),
        ("--pre", 1, "--pre"),
        ("--trusted-host evil.example", 1, "--trusted-host"),
        ("requests --global-option=x", 1, "--hash"),
        ("requests --hash=md5:00", 1, "--hash"),
        ("./local", 1, "local paths"),
        ("../local", 1, "local paths"),
        ("/abs/package.whl", 1, "local paths"),
        (".[extra]", 1, "local paths"),
        ("package-1.0-py3-none-any.whl", 1, "local paths"),
        ("dist/package.tar.gz", 1, "local paths"),
        ("C:\\package", 1, "local paths"),
        ("git+https://example.com/x.git", 1, "version control"),
        ("x @ git+https://example.com/x.git", 1, "send the code among the files"),
        ("x @ git+ssh://git@example.com/x.git ; os_name == 'nt'", 1, "version control"),
        ("x @ https://example.com/x.whl", 1, "direct addresses"),
        ("x @ file:///etc/passwd", 1, "direct addresses"),
        ("https://example.com/x.whl", 1, "direct addresses"),
        ("file:///etc/passwd", 1, "direct addresses"),
        ("requests\nno such thing", 2, "not a valid requirement"),
        ("requests==", 1, "not a valid requirement"),
        ("requests ; nonsense == 1", 1, "not a valid requirement"),
        ("${SECRET}", 1, "not a valid requirement"),
        ("requests # c \\\n--index-url https://evil.example", 2, "--index-url"),
        ("requests # c\r--index-url https://evil.example", 2, "--index-url"),
        ("req\0uests", 1, "cannot be printed"),
        ("x ; " + "(" * 20_000, 1, "not a valid requirement"),
        ("requests\n\\\n--pre", 2, "--pre"),
    ],
)
def test_requirements_from_elsewhere_or_malformed_are_refused(
    text: str, line: int, says: str
) -> None:
    problem = only(requirements=text)
    assert (problem.field, problem.line) == ("requirements", line)
    assert says in problem.message
    assert problem.message.isprintable()


def test_requirements_may_have_100_kb_and_no_more() -> None:
    assert problems(requirements="#" * 100_000) == []
    problem = only(requirements="#" * 100_001)
    assert (problem.code, "100 KB" in problem.message) == ("too_long", True)


@pytest.mark.parametrize("python", SUPPORTED_PYTHONS)
def test_each_supported_python_is_accepted(python: str) -> None:
    assert problems(python=python) == []


@pytest.mark.parametrize("python", ["2.7", "3.8", "3.15", "3", "3.11.4", "", "three", "3.1\n1"])
def test_another_python_is_refused_with_the_supported_ones(python: str) -> None:
    problem = only(python=python)
    assert problem.field == "python"
    assert "3.14" in problem.message


@pytest.mark.parametrize(
    "model",
    [
        None,
        "none",
        "testmodel",
        "ollama:llama3.2:1b",
        "ollama:hf.co/org/Some.Model-GGUF:Q4_K_M",
        "ollama:registry.example.test:5000/team/model:tag",
        "openai:gpt-x",
        "anthropic:x",
        "bedrock:us.amazon.nova-lite-v1:0",
        "bedrock:anthropic.claude-3-haiku-20240307-v1:0:48k",
        "bedrock:arn:aws:bedrock:eu-west-1::foundation-model/meta.llama3-8b-instruct-v1:0",
        "bedrock:arn:aws:bedrock:us-east-1:1:inference-profile/us.x",
        "ollama:a,testmodel,openai:b",
    ],
)
def test_a_model_of_an_offered_provider_is_accepted(model: str | None) -> None:
    assert problems(model=model) == []


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("nobody:x", "unknown_provider"),
        ("ollama:a,ollama:a", "duplicate"),
        ("ollama:a,", "invalid"),
        ("ollama:a,none", "invalid"),
        (",".join(f"ollama:{n}" for n in range(9)), "too_many"),
        ("llama3.2", "invalid"),
        ("ollama:", "invalid"),
        (":x", "invalid"),
        ("", "invalid"),
        ("ollama:a b", "invalid"),
        ("ollama:\n", "invalid"),
        ("ollama:" + "x" * 300, "too_long"),
        ("none:x", "unknown_provider"),
        ("testmodel:any", "invalid"),
        ("ollama:../etc", "invalid"),
        ("ollama:a:b:c", "invalid"),
        ("ollama:a//b", "invalid"),
        ("ollama:-rf", "invalid"),
        ("bedrock:amazon/nova", "invalid"),
        ("bedrock:arn:aws:s3:::bucket", "invalid"),
        ("bedrock:arn:aws:bedrock", "invalid"),
        ("bedrock:a?b", "invalid"),
    ],
)
def test_a_model_that_cannot_be_is_refused(model: str, code: str) -> None:
    problem = only(model=model)
    assert (problem.field, problem.code) == ("model", code)


def test_the_offered_providers_decide() -> None:
    request = GOOD.model_copy(update={"model": "bedrock:x"})
    assert validate(request, MAXIMA, providers=frozenset({"bedrock"})) == []
    request = GOOD.model_copy(update={"model": "testmodel"})
    assert validate(request, MAXIMA, providers=frozenset({"ollama"}))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "too_short"),
        ("x" * 100_001, "too_long"),
        ("\ud800", "not_utf8"),
        ("a\0b", "control_character"),
    ],
)
def test_a_query_that_cannot_be_is_refused(query: str, code: str) -> None:
    assert only(query=query).code == code


def test_a_query_may_have_100000_characters() -> None:
    assert problems(query="é" * 100_000) == []
    assert "100,000" in only(query="é" * 100_001).message


@pytest.mark.parametrize("seconds", [1, 3600])
def test_a_timeout_within_the_limits_is_accepted(seconds: int) -> None:
    assert problems(timeout_seconds=seconds) == []


@pytest.mark.parametrize("seconds", [0, -1, 3601, 10**400])
def test_a_timeout_outside_the_limits_is_refused_with_the_limit(seconds: int) -> None:
    problem = only(timeout_seconds=seconds)
    assert (problem.field, problem.code) == ("timeout_seconds", "out_of_range")
    assert "3,600" in problem.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory_mb", 31),
        ("memory_mb", 4097),
        ("cpus", 0.0),
        ("cpus", 4.01),
        ("cpus", float("nan")),
        ("cpus", float("inf")),
        ("processes", 1),
        ("processes", 1025),
        ("disk_mb", 0),
        ("disk_mb", 1025),
        ("log_kb", 0),
        ("response_kb", 10**9),
        ("model_calls", 0),
        ("model_calls", 10_001),
        ("model_tokens", -1),
        ("model_tokens", 10**12 + 1),
        ("traffic_mb", 0),
        ("traffic_mb", 8193),
        ("concurrent_calls", 0),
        ("concurrent_calls", 65),
    ],
)
def test_a_limit_beyond_the_maximum_or_too_small_names_field_and_limit(
    name: str, value: float
) -> None:
    problem = only(limits=Limits().model_copy(update={name: value}))
    assert (problem.field, problem.code) == (f"limits.{name}", "out_of_range")


def test_the_operators_maximum_decides_and_is_named() -> None:
    request = GOOD.model_copy(update={"limits": Limits(memory_mb=512)})
    (problem,) = validate(request, Maxima(memory_mb=256))
    assert "256" in problem.message


def test_what_is_told_of_the_limits_is_what_is_checked() -> None:
    ranges = limit_ranges(MAXIMA)
    assert set(ranges) == {"timeout_seconds", *Limits.model_fields}
    for name, one in ranges.items():
        assert one.least <= one.usual <= one.most
        for value, found in ((one.least, []), (one.most, []), (one.most + 1, ["out_of_range"])):
            fields: dict[str, Any] = (
                {name: value}
                if name == "timeout_seconds"
                else {"limits": Limits().model_copy(update={name: value})}
            )
            assert [problem.code for problem in problems(**fields)] == found, (name, value)
    usual = TestRequest(files=GOOD.files, query="x")
    assert ranges["timeout_seconds"].usual == usual.timeout_seconds
    assert all(ranges[name].usual == value for name, value in usual.limits)


@pytest.mark.parametrize(
    "entry", ["example.com:443", "a-b.example.co.uk:1", "API.example.com:65535", "_x.example:80"]
)
def test_an_exact_host_with_a_port_is_accepted(entry: str) -> None:
    assert problems(egress=(entry,)) == []


@pytest.mark.parametrize(
    "entry",
    [
        "example.com",
        "example.com:",
        "example.com:0",
        "example.com:65536",
        "example.com:٤٤٣",
        "*.example.com:443",
        "*:443",
        ":443",
        "10.0.0.1:443",
        "127.1:80",
        "2130706433:80",
        "0x7f000001:80",
        "[::1]:443",
        "::1:443",
        "https://example.com:443",
        "user@example.com:443",
        "exa mple.com:443",
        "-example.com:443",
        "example..com:443",
        "example.com.:443",
        "пример.example:443",
        "example.com:443\n",
        "a" * 64 + ".com:443",
        "",
    ],
)
def test_a_host_that_is_not_exact_is_refused(entry: str) -> None:
    problem = only(egress=("example.com:443", entry))
    assert problem.field == "egress[1]"
    assert problem.message.isprintable()


@pytest.mark.parametrize("entry", ["agent.py:run", "agent.py:Größe", "agent.py"])
def test_an_entry_point_in_a_file_of_the_request_is_accepted(entry: str) -> None:
    assert problems(entry_point=entry) == []


@pytest.mark.parametrize(
    "entry", ["run", "agent:run", "agent.py:", "agent.py:1x", "other.py:run", ":", ""]
)
def test_another_entry_point_is_refused(entry: str) -> None:
    assert only(entry_point=entry).field == "entry_point"


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb", "a\x1b[31mb", "\ud800"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    assert only(name=name).field == "name"


def test_a_name_may_have_200_characters() -> None:
    assert problems(name="ü" * 200) == []


ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=200)
CODE = st.lists(
    st.sampled_from([*"()[]{}:,=\\'\"#\n\t \0\r\fxf1@", "def ", "class ", "lambda:", "async "])
).map("".join)


@settings(max_examples=300, deadline=None)
@given(code=ANY_TEXT | CODE, path=ANY_TEXT, python=st.sampled_from(SUPPORTED_PYTHONS))
def test_no_code_makes_the_check_raise(code: str, path: str, python: str) -> None:
    found = problems(files={"agent.py": code, path: code}, python=python)
    assert all(problem.message for problem in found)


@settings(max_examples=300, deadline=None)
@given(text=ANY_TEXT | CODE)
def test_no_text_in_any_field_makes_the_check_raise(text: str) -> None:
    found = problems(
        requirements=text,
        python=text,
        model=text,
        query=text,
        entry_point=text,
        egress=(text, f"{text}:443"),
        name=text,
    )
    for problem in found:
        problem.message.encode()
        assert problem.message.isprintable()


REQUIREMENTS = st.lists(
    st.sampled_from(
        [
            "requests",
            "-r",
            "--index-url",
            " ",
            "\\",
            "\n",
            "\r",
            "#",
            "=",
            ";",
            "@",
            "/",
            ".",
            "\u2028",
        ]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(text=REQUIREMENTS)
def test_no_accepted_requirements_hold_an_option_that_an_installer_would_see(text: str) -> None:
    if problems(requirements=text):
        return
    for line in text.replace("\\\r\n", "").replace("\\\n", "").splitlines():
        before_comment = line.split("#", maxsplit=1)[0] if line.lstrip().startswith("#") else line
        assert not before_comment.lstrip().startswith("-")


@pytest.mark.parametrize(
    ("entry", "passes"),
    [
        *((good, True) for good in ("hosted-tools", "stored-objects", "routing", "urls=a.example")),
        *((good, True) for good in ("s3=papers.of-mine", "secret=WEATHER", "unlisted=x-own:1.2")),
        *((bad, False) for bad in ("", "everything", "hosted-tools=x", "urls", "urls=", "s3=A_B")),
        *((bad, False) for bad in ("urls=https://a.example", "urls=10.0.0.1", "urls=*.example")),
        *((bad, False) for bad in ("secret=OTHER", "unlisted=a b", "unlisted=", "Urls=a.example")),
    ],
)
def test_a_switch_is_of_a_known_kind_and_names_one_thing(entry: str, passes: bool) -> None:
    request = TestRequest(
        files={"agent.py": "def run(query): return query"},
        query="q",
        secrets={"WEATHER": "weather"},
        allow=(entry,),
    )
    fields = [problem.field for problem in validate(request, Maxima())]
    assert fields == ([] if passes else ["allow[0]"])


def test_a_switch_is_listed_once_whatever_its_case() -> None:
    allow = ("urls=a.example", "urls=A.example")
    request = TestRequest(
        files={"agent.py": "def run(query): return query"}, query="q", allow=allow
    )
    assert [problem.field for problem in validate(request, Maxima())] == ["allow[1]"]
