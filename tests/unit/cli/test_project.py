"""Projects: where a file's imports begin, what is sent of the project, what it depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from seatrial.cli.collect import collect
from seatrial.cli.dependencies import dependencies_of
from seatrial.cli.project import agent_file, project_of
from seatrial.cli.submission import Wanted, prepare
from seatrial.domain.errors import InvalidRequest


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


LAYOUTS = {
    "package, absolute imports": (
        {"my_app/__init__.py": "", "my_app/agent.py": "from my_app.t import x", "my_app/t.py": ""},
        "my_app/agent.py",
        ("", "my_app/agent.py"),
    ),
    "package, relative imports": (
        {"my_app/__init__.py": "", "my_app/agent.py": "from .t import x", "my_app/t.py": ""},
        "my_app/agent.py",
        ("", "my_app/agent.py"),
    ),
    "relative imports two levels up": (
        {
            "p/__init__.py": "",
            "p/a/__init__.py": "",
            "p/t.py": "",
            "p/a/bot.py": "from ..t import x",
        },
        "p/a/bot.py",
        ("", "p/a/bot.py"),
    ),
    "only a module of the package needs the root": (
        {
            "my_app/__init__.py": "",
            "my_app/agent.py": "import t",
            "my_app/u.py": "",
            "my_app/t.py": "from my_app import u",
        },
        "my_app/agent.py",
        ("", "my_app/agent.py"),
    ),
    "src layout": (
        {"src/w/__init__.py": "", "src/w/agent.py": "from w import f", "src/w/f.py": ""},
        "src/w/agent.py",
        ("", "src/w/agent.py"),
    ),
    "an agent beside src": (
        {"src/w/__init__.py": "", "agents/one.py": "from w import f", "src/w/f.py": ""},
        "agents/one.py",
        ("", "agents/one.py"),
    ),
    "namespace package": (
        {"my_app/agent.py": "from my_app.tools import x", "my_app/tools.py": ""},
        "my_app/agent.py",
        ("", "my_app/agent.py"),
    ),
    "namespace package, relative imports": (
        {"my_app/agent.py": "from .tools import x", "my_app/tools.py": ""},
        "my_app/agent.py",
        ("", "my_app/agent.py"),
    ),
    "several agents that share a folder": (
        {"agents/a/agent.py": "import shared.t", "agents/b/agent.py": "", "shared/t.py": ""},
        "agents/a/agent.py",
        ("", "agents/a/agent.py"),
    ),
    "a project within a repository": (
        {
            "backend/app/__init__.py": "",
            "backend/app/t.py": "",
            "backend/app/agent.py": "import app.t",
        },
        "backend/app/agent.py",
        ("backend", "app/agent.py"),
    ),
    "a script beside its modules": (
        {"examples/agent.py": "import helper", "examples/helper.py": "", "helper.py": ""},
        "examples/agent.py",
        ("examples", None),
    ),
    "a folder named like an installed package": (
        {"examples/openai/agent.py": "import openai\nfrom openai import OpenAI"},
        "examples/openai/agent.py",
        ("examples/openai", None),
    ),
    "a folder named like a module of Python": (
        {"agents/a/agent.py": "import json", "json/__init__.py": ""},
        "agents/a/agent.py",
        ("agents/a", None),
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_root_is_where_the_imports_begin_and_everything_imported_is_sent(
    tmp_path: Path, name: str
) -> None:
    files, agent, (root, file) = LAYOUTS[name]
    _write(tmp_path, files)
    project = project_of(tmp_path / agent)
    assert (project.root, project.file) == (tmp_path / root, file)
    found = collect(tmp_path / agent)
    assert found.file == (file or "agent.py")
    if file is not None:
        here = {path.removeprefix(f"{root}/") for path in files if path.startswith(root)}
        other = {"agents/b/agent.py"}
        assert here - set(found.files) <= other


def test_imports_do_not_lead_above_the_repository_or_where_others_write(tmp_path: Path) -> None:
    files = {"shared/t.py": "", "repo/agents/agent.py": "import shared.t"}
    _write(tmp_path, files)
    agent = tmp_path / "repo/agents/agent.py"
    assert project_of(agent).root == tmp_path
    (tmp_path / "repo/.git").mkdir()
    assert project_of(agent).root == agent.parent
    (tmp_path / "repo/.git").rmdir()
    tmp_path.chmod(0o777)
    assert project_of(agent).root == agent.parent


def test_package_data_is_sent_and_what_gitignore_names_is_not(tmp_path: Path) -> None:
    files = {
        "app/__init__.py": "",
        "app/agent.py": "from app import prompts",
        "app/prompts.py": "",
        "app/data/p.txt": "p",
        "app/plugins/late.py": "",
        "app/out/log.txt": "x",
        "app/data/.env": "K=1",
        ".gitignore": "out/\n*.tmp\n!keep.tmp\n",
        "app/x.tmp": "x",
        "app/keep.tmp": "k",
        "other/unused.py": "",
        "README.md": "",
    }
    _write(tmp_path, files)
    found = collect(tmp_path / "app/agent.py")
    assert set(found.files) == {
        *("app/__init__.py", "app/agent.py", "app/prompts.py", "app/data/p.txt"),
        *("app/plugins/late.py", "app/keep.tmp"),
    }
    assert set(found.skipped) == {"app/out", "app/x.tmp"}
    assert all("gitignore" in why for why in found.skipped.values())


def test_data_beside_an_imported_package_is_sent_without_its_unused_modules(tmp_path: Path) -> None:
    files = {
        "agent.py": "from tools import a",
        "tools/a.py": "",
        "tools/b.py": "",
        "tools/p.md": "",
    }
    _write(tmp_path, files)
    assert set(collect(tmp_path / "agent.py").files) == {"agent.py", "tools/a.py", "tools/p.md"}


def test_data_that_does_not_fit_is_left_out_and_the_code_is_sent(tmp_path: Path) -> None:
    _write(tmp_path, {"agent.py": "import p.a", "p/a.py": "", "p/big.csv": "x" * 1_000_001})
    found = collect(tmp_path / "agent.py")
    assert set(found.files) == {"agent.py", "p/a.py"}
    assert "1 MB" in found.skipped["p/big.csv"]


@pytest.mark.parametrize(
    ("line", "ignored", "kept"),
    [
        ("*.log", ["a.log", "d/a.log"], ["a.log.txt", "log"]),
        ("/build", ["build"], ["d/build"]),
        ("d/*.txt", ["d/a.txt"], ["d/e/a.txt", "e/d/a.txt"]),
        ("**/cache", ["cache", "d/e/cache"], ["cached"]),
        ("d/**", ["d/a", "d/e/f"], ["e/a"]),
        ("a/**/z", ["a/z", "a/b/c/z"], ["b/a/z"]),
        ("?.md", ["a.md"], ["ab.md"]),
        ("[a-c].x", ["b.x"], ["d.x"]),
        ("[!a].x", ["b.x"], ["a.x"]),
        (r"\#a", ["#a"], ["a"]),
        ("# a", [], ["a", "# a"]),
        ("a \n", ["a"], ["a b"]),
        ("*\n!*.py", ["x.txt"], ["x.py"]),
        ("[z-a]", [], ["z"]),
        ("[", [], ["x"]),
    ],
)
def test_gitignore_is_read_as_git_reads_it(
    tmp_path: Path, line: str, ignored: list[str], kept: list[str]
) -> None:
    from seatrial.cli.ignored import is_ignored

    _write(tmp_path, {".gitignore": line, **dict.fromkeys([*ignored, *kept], "")})
    (tmp_path / ".git").mkdir()
    assert [name for name in ignored if not is_ignored(tmp_path / name)] == []
    assert [name for name in kept if is_ignored(tmp_path / name)] == []


DECLARED = {
    "pyproject": (
        {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["idna>=3", "rich"]\n'},
        "idna>=3\nrich\n",
    ),
    "requirements before pyproject": (
        {"pyproject.toml": '[project]\ndependencies = ["idna"]\n', "requirements.txt": "rich\n"},
        "rich\n",
    ),
    "poetry": (
        {
            "pyproject.toml": "[tool.poetry.dependencies]\n"
            'python = "^3.11"\na = "^1.2.3"\nb = "~0.4"\nc = "*"\nd = "1.0"\ne = ">=1, <2"\n'
            'f = {version = "^0.2", extras = ["x"]}\ng = {path = "../g"}\n'
            'h = {version = "1", optional = true}\ni = "^0.0.3"\n'
        },
        "a>=1.2.3,<2\nb>=0.4,<0.5\nc\nd==1.0\ne>=1,<2\nf[x]>=0.2,<0.3\ni>=0.0.3,<0.0.4\n",
    ),
    "setup.cfg": (
        {"setup.cfg": "[options]\ninstall_requires =\n    idna\n    rich>13\n"},
        "idna\nrich>13\n",
    ),
    "a pyproject for tools only": (
        {"pyproject.toml": "[tool.ruff]\n", "setup.cfg": "[metadata]\nname = x\n"},
        None,
    ),
}


@pytest.mark.parametrize("name", DECLARED)
def test_declared_dependencies_become_the_requirements(tmp_path: Path, name: str) -> None:
    files, text = DECLARED[name]
    _write(
        tmp_path,
        {**files, "app/__init__.py": "", "app/agent.py": "from . import x", "app/x.py": ""},
    )
    found = dependencies_of(project_of(tmp_path / "app/agent.py"))
    assert (found.text if found else None) == text
    assert (found.left_out if found else ()) == (("g",) if name == "poetry" else ())


def test_requirements_of_a_repository_are_used_for_each_of_its_agents(tmp_path: Path) -> None:
    _write(tmp_path, {"agents/a/agent.py": "", "requirements.txt": "idna", "agents/b/agent.py": ""})
    project = project_of(tmp_path / "agents/a/agent.py")
    assert dependencies_of(project) is None  # nothing says that these folders belong together
    (tmp_path / ".git").mkdir()
    found = dependencies_of(project)
    assert (found.text if found else None) == "idna"


def test_metadata_that_cannot_be_read_is_refused_with_the_way_around_it(tmp_path: Path) -> None:
    _write(tmp_path, {"agent.py": "", "pyproject.toml": "[project\n"})
    with pytest.raises(InvalidRequest, match="--requirements"):
        dependencies_of(project_of(tmp_path / "agent.py"))


@pytest.mark.parametrize(
    ("typed", "file", "name"),
    [
        ("my_app", "my_app/agent.py", None),
        ("my_app.agent", "my_app/agent.py", None),
        ("my_app.agent:run", "my_app/agent.py", "run"),
        ("my_app/agent.py:run", "my_app/agent.py", "run"),
        ("tool", "tool/__main__.py", None),
        ("weather.bot", "src/weather/bot.py", None),
        (".", "my_app/agent.py", None),
    ],
)
def test_an_agent_is_named_by_its_file_folder_or_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, file: str, name: str | None
) -> None:
    _write(tmp_path, {"my_app/agent.py": "", "tool/__main__.py": "", "src/weather/bot.py": ""})
    monkeypatch.chdir(tmp_path)
    assert agent_file(Path(typed)) == (Path(file), name)


def test_a_folder_with_several_agents_is_refused_with_their_names(tmp_path: Path) -> None:
    _write(tmp_path, {"a/agent.py": "", "b/agent.py": ""})
    with pytest.raises(InvalidRequest, match=r"a/agent\.py, .*b/agent\.py"):
        agent_file(tmp_path)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (None, "src/w/agent.py"),
        ("run", "src/w/agent.py:run"),
        ("agent.py:run", "src/w/agent.py:run"),
        ("w.f:go", "src/w/f.py:go"),
        ("src/w/f.py:go", "src/w/f.py:go"),
    ],
)
def test_the_entry_point_names_the_file_in_its_folder(
    tmp_path: Path, entry: str | None, expected: str
) -> None:
    _write(tmp_path, {"src/w/__init__.py": "", "src/w/agent.py": "import w.f", "src/w/f.py": ""})
    wanted = Wanted(agent=tmp_path / "src/w/agent.py", query="q", entry=entry)
    assert prepare(wanted).request.entry_point == expected
