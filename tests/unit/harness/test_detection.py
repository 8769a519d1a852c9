"""Which object of a file is called: classes that look like the frameworks' own, no framework."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from seatrial.harness.detect import Found, NoEntryPoint, find, find_named, is_guarded
from seatrial.harness.frameworks import REGISTRY, framework_of, function

LOOKS = {
    "strands": ("strands.agent.agent", "Agent", ("stream_async", "invoke_async")),
    "langgraph": ("langgraph.graph.state", "CompiledStateGraph", ("invoke", "stream")),
    "langchain": ("langchain_core.runnables.base", "RunnableSequence", ("invoke", "stream")),
    "pydantic_ai": ("pydantic_ai.agent", "Agent", ("run_sync", "run_stream")),
    "openai_agents": ("agents.agent", "Agent", ("instructions", "handoffs", "tools")),
    "google_adk": ("google.adk.agents", "BaseAgent", ("run_async",)),
    "crewai": ("crewai.crew", "Crew", ("kickoff",)),
    "llama_index": ("workflows.workflow", "Workflow", ("run",)),
    "agentcore": ("bedrock_agentcore.runtime.app", "BedrockAgentCoreApp", ("handlers",)),
    "smolagents": ("smolagents.agents", "MultiStepAgent", ("run",)),
    "agno": ("agno.agent.agent", "Agent", ("run", "arun", "print_response")),
}

Load = Callable[[str], ModuleType]


def _look(name: str) -> type:
    module, class_name, attributes = LOOKS[name]
    return type(class_name, (), {"__module__": module, **dict.fromkeys(attributes, print)})


@pytest.fixture(autouse=True)
def _library(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - used by pytest
    """A module that offers the look-alikes to the agents' files."""
    library, agents = ModuleType("lookalikes"), ModuleType("agents")
    for name in LOOKS:
        setattr(library, name.title().replace("_", ""), _look(name))
    prompt = type("BasePromptTemplate", (_look("langchain"),), {"__module__": "langchain_core"})
    model = type("BaseLanguageModel", (_look("langchain"),), {"__module__": "langchain_core"})
    library.__dict__.update(Prompt=prompt, Model=model)
    agents.__dict__["Runner"] = object
    monkeypatch.setitem(sys.modules, "lookalikes", library)
    monkeypatch.setitem(sys.modules, "agents", agents)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    def begin(code: str) -> ModuleType:
        path = tmp_path / "agent.py"
        path.write_text(code)
        module = ModuleType("agent")
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, "agent", module)
        exec(compile(code, str(path), "exec"), module.__dict__)
        return module

    return begin


def _found(load: Load, tmp_path: Path, code: str) -> tuple[str, str] | None:
    found = find(load(code), str(tmp_path), is_guarded(code))
    return None if found is None else (found.name, found.adapter.name)


@pytest.mark.parametrize("name", list(LOOKS))
def test_a_frameworks_object_is_known_by_its_looks_and_by_nothing_else_ones(name: str) -> None:
    made = _look(name)
    subclass = type("Mine", (made,), {"__module__": "agent"})
    assert [item.name for item in REGISTRY if item.matches(made())] == [name]
    assert [item.name for item in REGISTRY if item.matches(subclass())] == [name]
    assert framework_of(made) is None


def test_a_users_own_package_called_agents_is_not_openais() -> None:
    assert framework_of(type("Agent", (), {"__module__": "agents.mine"})()) is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def run(q): return q", ("run", "function")),
        ("async def main(q): return q", ("main", "function")),
        ("def agent(q):\n    yield q", ("agent", "function")),
        ("def only_one(q): return q", ("only_one", "function")),
        ("def one(q): pass\ndef two(q): pass", None),
        ("def _private(q): pass", None),
        ("from os.path import join as run", None),
        ("class Agent: pass\nagent = Agent", None),
        ("class A:\n    def __call__(self, q): return q\nagent = A()", ("agent", "function")),
        ("class A:\n    def ask(self, q): return q\nagent = A()", ("agent", "function")),
        ("import functools\ndef _f(a, q): pass\nrun = functools.partial(_f, 1)", None),
        ("from lookalikes import *\nx = Strands()\ndef run(q): pass", ("x", "strands")),
        ("from lookalikes import *\nagent = Strands()\nx = Langgraph()", ("agent", "strands")),
        ("from lookalikes import *\na = Strands()\nb = Strands()\nteam = Agno()", ("team", "agno")),
        ("from lookalikes import *\na = Strands()\nz = Langgraph()", ("z", "langgraph")),
        ("from lookalikes import *\nllm = Model()\ndef run(q): pass", ("run", "function")),
        ("from lookalikes import *\np = Prompt()\nc = Langchain()", ("c", "langchain")),
        ("from lookalikes import *\nassistant = OpenaiAgents()", ("assistant", "openai_agents")),
        ("from lookalikes import *\nx = Strands", None),
        ("def main(): pass\nif __name__ == '__main__': main()", None),
        ("def main(q): pass\nif __name__ == '__main__': main(1)", ("main", "function")),
        ("def helper(q): pass\nif __name__ == '__main__': helper(1)", None),
        ("def main(): return 1", ("main", "function")),
    ],
)
def test_the_entry_point_is_found_by_the_rules(
    load: Load, tmp_path: Path, code: str, expected: tuple[str, str] | None
) -> None:
    assert _found(load, tmp_path, code) == expected


def test_a_name_may_lead_through_objects_and_to_a_class(load: Load) -> None:
    code = "class Box:\n    def run(self, q): return q\nclass Outer:\n    inner = Box()"
    module = load(code)
    for name in ("Box", "Outer.inner", "Outer.inner.run"):
        found: Found = find_named(module, name)
        assert found.adapter is function.ADAPTER
        assert found.value("x") == "x"


@pytest.mark.parametrize("name", ["missing", "number", "Outer.missing"])
def test_a_name_that_leads_to_nothing_callable_is_refused(load: Load, name: str) -> None:
    module = load("number = 3\nclass Outer: pass")
    with pytest.raises(NoEntryPoint):
        find_named(module, name)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("if __name__ == '__main__': pass", True),
        ("if '__main__' == __name__: pass", True),
        ("if __name__ == '__main__' and True: pass", True),
        ("print('__main__')", False),
        ("def f():\n    if __name__ == '__main__': pass", False),
        ("not python at all", False),
    ],
)
def test_a_guard_is_seen(code: str, expected: bool) -> None:
    assert is_guarded(code) is expected


NOTHING: list[str] = []
NONE_NAMED: dict[str, str] = {}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f(): pass", (NOTHING, NONE_NAMED)),
        ("def f(q): pass", (["v"], NONE_NAMED)),
        ("def f(q, b=1, *c, d=2, **e): pass", (["v"], NONE_NAMED)),
        ("def f(*, q): pass", (NOTHING, {"q": "v"})),
        ("def f(**k): pass", (NOTHING, NONE_NAMED)),
        ("def f(*a): pass", (["v"], NONE_NAMED)),
        ("f = str.upper", (["v"], NONE_NAMED)),
    ],
)
def test_the_query_goes_to_the_first_parameter(
    load: Load, code: str, expected: tuple[list[str], dict[str, str]]
) -> None:
    assert function.arguments(load(code).__dict__["f"], "v") == expected
