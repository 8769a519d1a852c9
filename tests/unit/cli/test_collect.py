"""What is sent for an agent: itself, its local modules, what is named, and nothing secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seatrial.cli.collect import Collected, collect
from seatrial.cli.imports import Imported, imports_of
from seatrial.domain.errors import InvalidRequest


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "agent.py"


def _sent(folder: Path, files: dict[str, str], *named: str) -> set[str]:
    agent = _write(folder, files)
    return set(collect(agent, [folder / one for one in named]).files)


def test_local_modules_are_found_through_each_other_and_others_are_not(tmp_path: Path) -> None:
    files = {
        "agent.py": "import os, requests\nimport a\ndef run(q):\n    import late.deep.er",
        "a.py": "from b import thing\nimport a",
        "b.py": "from pkg import one, NAME\nfrom pkg.two import x",
        "pkg/__init__.py": "from . import three\nfrom .four import y",
        "pkg/one.py": "from .. import unreachable",
        "pkg/two.py": "from .sub.five import z",
        "pkg/three.py": "",
        "pkg/four.py": "",
        "pkg/unused.py": "",
        "pkg/sub/five.py": "from ..one import a",
        "late/deep/er.py": "",
        "unused.py": "",
    }
    assert _sent(tmp_path, files) == set(files) - {"pkg/unused.py", "unused.py"}


def test_a_package_goes_before_a_module_of_its_name_as_in_python(tmp_path: Path) -> None:
    files = {"agent.py": "import x", "x.py": "", "x/__init__.py": ""}
    assert _sent(tmp_path, files) == {"agent.py", "x/__init__.py"}


def test_modules_imported_by_a_literal_name_are_found(tmp_path: Path) -> None:
    code = (
        "import importlib\nimportlib.import_module('p.q')\n__import__('r')\nimport_module('../x')"
    )
    files = {"agent.py": code, "p/q.py": "", "r.py": ""}
    assert _sent(tmp_path, files) == set(files)


def test_code_that_is_no_python_imports_nothing_and_is_sent_for_the_check_to_say_so() -> None:
    assert imports_of("def f(:") == []
    assert imports_of("import a\0") == []
    assert imports_of("from . import x") == [Imported((), 1), Imported(("x",), 1)]


def test_an_agent_of_another_name_is_sent_as_agent_py(tmp_path: Path) -> None:
    _write(tmp_path, {"bot.py": "import helper", "helper.py": "import bot"})
    found = collect(tmp_path / "bot.py")
    assert set(found.files) == {"agent.py", "helper.py", "bot.py"}
    assert found.origins["agent.py"].name == "bot.py"


def test_an_agent_that_imports_another_agent_py_keeps_its_name(tmp_path: Path) -> None:
    _write(tmp_path, {"bot.py": "import agent", "agent.py": ""})
    found = collect(tmp_path / "bot.py")
    assert found.file == "bot.py"
    assert set(found.files) == {"agent.py", "bot.py"}


def test_a_folder_means_the_agent_py_in_it(tmp_path: Path) -> None:
    _write(tmp_path, {"agent.py": "x = 1"})
    assert collect(tmp_path).files == {"agent.py": "x = 1"}


@pytest.mark.parametrize("name", [".env", ".git/config", "data/.secret"])
def test_a_hidden_file_is_refused_even_when_it_is_named(tmp_path: Path, name: str) -> None:
    agent = _write(tmp_path, {"agent.py": "", name: "KEY=1"})
    with pytest.raises(InvalidRequest, match="Hidden"):
        collect(agent, [tmp_path / name])


def test_a_named_folder_is_sent_without_its_hidden_and_binary_files(tmp_path: Path) -> None:
    files = {"agent.py": "", "data/a.txt": "1", "data/sub/b.csv": "2", "data/.env": "KEY=1"}
    agent = _write(tmp_path, {**files, "data/.git/config": "x", "data/__pycache__/c.txt": "x"})
    (tmp_path / "data/image.png").write_bytes(b"\x89PNG\0\1")
    (tmp_path / "data/latin.txt").write_bytes("é".encode("latin-1"))
    (tmp_path / "data/huge.bin").write_bytes(b"\0" * 3_000_000)
    os.mkfifo(tmp_path / "data/pipe")
    found = collect(agent, [tmp_path / "data"])
    assert set(found.files) == {"agent.py", "data/a.txt", "data/sub/b.csv"}
    assert set(found.skipped) == {
        *("data/huge.bin", "data/image.png", "data/latin.txt", "data/pipe"),
    }


def test_the_agents_own_folder_may_be_named_and_still_hides_its_secrets(tmp_path: Path) -> None:
    files = {"agent.py": "", "a.txt": "", ".env": "KEY=1", "bin/x": ""}
    assert _sent(tmp_path, files, "") == {"agent.py", "a.txt", "bin/x"}


def test_a_link_brings_nothing_from_elsewhere_and_no_hidden_file(tmp_path: Path) -> None:
    folder = tmp_path / "agent"
    agent = _write(folder, {"agent.py": "import linked", ".env": "KEY=1", "data/x.txt": ""})
    (tmp_path / "outside.py").write_text("SECRET = 1")
    (folder / "linked.py").symlink_to(tmp_path / "outside.py")
    (folder / "data/env.txt").symlink_to(folder / ".env")
    (folder / "data/far").symlink_to(tmp_path, target_is_directory=True)
    found = collect(agent, [folder / "data"])
    assert set(found.files) == {"agent.py", "data/x.txt"}
    assert set(found.skipped) == {"linked.py", "data/env.txt"}
    with pytest.raises(InvalidRequest, match="link"):
        collect(agent, [folder / "data/env.txt"])


def test_a_binary_file_that_is_named_is_refused(tmp_path: Path) -> None:
    agent = _write(tmp_path, {"agent.py": ""})
    (tmp_path / "x.bin").write_bytes(b"\0")
    with pytest.raises(InvalidRequest, match="binary"):
        collect(agent, [tmp_path / "x.bin"])


def test_more_than_a_megabyte_in_all_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    agent = _write(tmp_path, {"agent.py": "", "a.txt": "x" * 600_000, "b.txt": "y" * 600_000})
    with pytest.raises(InvalidRequest, match="1 MB"):
        collect(agent, [tmp_path / "a.txt", tmp_path / "b.txt"])


def test_a_file_beside_the_agents_folder_keeps_the_path_that_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, {"src/agent.py": "", "data/x.csv": "1"})
    monkeypatch.chdir(tmp_path)
    assert set(collect(Path("src/agent.py"), [Path("data/x.csv")]).files) == {
        "agent.py",
        "data/x.csv",
    }
    monkeypatch.chdir(tmp_path / "src")
    with pytest.raises(InvalidRequest, match="neither"):
        collect(Path("agent.py"), [Path("../data/x.csv")])


def test_the_same_file_twice_is_one_and_another_of_its_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, {"src/agent.py": "", "src/x.txt": "1", "x.txt": "2"})
    monkeypatch.chdir(tmp_path)
    agent = Path("src/agent.py")
    assert len(collect(agent, [Path("src/x.txt"), Path("src/x.txt")]).files) == 2
    with pytest.raises(InvalidRequest, match="already"):
        collect(agent, [Path("src/x.txt"), Path("x.txt")])


@pytest.mark.parametrize("name", ["missing.py", "agent.txt"])
def test_an_agent_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "agent.txt").write_text("x")
    with pytest.raises(InvalidRequest):
        collect(tmp_path / name)


def test_a_byte_order_mark_and_crlf_ends_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_bytes(b"\xef\xbb\xbfimport a\r\n")
    (tmp_path / "a.py").write_text("")
    found: Collected = collect(tmp_path / "agent.py")
    assert found.files == {"agent.py": "import a\r\n", "a.py": ""}
    assert found.size == len("import a\r\n")
