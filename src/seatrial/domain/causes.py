"""Causes that the runner recognized in the agent's process, as failures with advice. Pure.

What the runner says is a claim of the agent's process: it is shown, and only names of a strict
form become part of a command or of a change that is offered.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from . import inside_addresses, limit_causes, misfits
from .advice import in_command
from .failures import Failure, failure
from .import_names import distribution_of, is_own
from .record import AgentError
from .requests import TestRequest

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9._-]{0,98}[A-Za-z0-9])?(\[[A-Za-z0-9,._-]{1,80}\])?", re.ASCII
)
_ADDRESS = re.compile(r"\[?([^\s\]]{1,253}?)\]?(?::(\d{1,5}))?")
_PROVIDER_VARIABLES = {
    "OPENAI_API_KEY": "openai",
    "OPENAI_BASE_URL": "openai",
    "ANTHROPIC_API_KEY": "anthropic",
    "ANTHROPIC_BASE_URL": "anthropic",
    "OLLAMA_HOST": "ollama",
    "AWS_REGION": "bedrock",
    "AWS_DEFAULT_REGION": "bedrock",
    "AWS_ACCESS_KEY_ID": "bedrock",
    "AWS_SECRET_ACCESS_KEY": "bedrock",
    "SEATRIAL_MODEL": "PROVIDER",
}
"""Variables of model services, by the provider that a test names to get them."""

_Maker = Callable[[TestRequest, str, str], "tuple[str, str, str] | None"]
"""Request, subject and the exception's text in; code, message and advice out."""


def of_cause(request: TestRequest, error: AgentError, event: int | None) -> Failure | None:
    """The failure of an exception whose cause was recognized; None where there is none."""
    made = _MAKERS.get(error.cause, _nothing)(request, error.subject, limit_causes.shown(error))
    if made is None:
        return None
    code, message, to_do = made
    where = f" ({error.file}, line {error.line})" if error.file else ""
    return failure(
        code,
        f"{message}{where}",
        what_to_do=to_do,
        evidence=limit_causes.shown(error),
        evidence_event=event,
        fix=_fix(error),
    )


def _fix(error: AgentError) -> dict[str, str | int] | None:
    if error.cause == "module":
        package = distribution_of(error.subject)
        return {"add_requirement": package} if package and not is_own(error.subject) else None
    if error.cause == "needs_module":
        package = misfits.package_of(error.subject)
        return {"add_requirement": package} if package else None
    if error.cause in {"install", "pip"} and _REQUIREMENT.fullmatch(error.subject):
        return {"add_requirement": error.subject}
    return None


def _nothing(request: TestRequest, subject: str, said: str) -> None:
    return None


def _variable(request: TestRequest, name: str, said: str) -> tuple[str, str, str] | None:
    if not _VARIABLE.fullmatch(name) or name in {*request.env, *request.secrets}:
        return None
    message = f"The agent needs the variable {name}, which the test does not set: {said[:300]}"
    provider = _PROVIDER_VARIABLES.get(name)
    if provider:
        to_do = (
            f"Run it with --model {provider}:NAME: the variable is then set in the container, and "
            "the gateway adds the real key."
        )
        return "agent.variable_missing", message, to_do
    to_do = (
        f"Run it with --env {name}=VALUE, or --secret {name} for a stored secret. "
        "A .env file is never sent."
    )
    return "agent.variable_missing", message, to_do


def _unwritable(request: TestRequest, path: str, said: str) -> tuple[str, str, str]:
    return (
        "agent.read_only",
        f"{said[:300]}: {_shown(path)} cannot be written in the container.",
        "Write to the working directory, /tmp or the home folder: all else is read-only. "
        "In a package the same places can be written.",
    )


def _file(request: TestRequest, path: str, said: str) -> tuple[str, str, str]:
    name = path.rstrip("/").rpartition("/")[2] or path
    relative = path[len("/agent/") :] if path.startswith("/agent/") else path
    if relative.startswith(("/", "~")) or ":" in relative[:3]:
        to_do = (
            f"Send it along with --file {in_command(name)} and open it by its name, relative to "
            "agent.py: no other file of your machine is in the container."
        )
    else:
        to_do = f"Send it along with --file {in_command(relative)}, or correct the path."
    message = f"{_shown(path)} is not in the container, where only sent files are: {said[:300]}"
    return "agent.file_missing", message, to_do


def _program(request: TestRequest, name: str, said: str) -> tuple[str, str, str]:
    program = in_command(name.rpartition("/")[2])
    message = f"The program {program} is not in the base image: {said[:300]}"
    to_do = (
        f"Replace {program} by a Python package in the requirements: the base image holds Python "
        f"and no other program, and a package has the same image."
    )
    if program in {"npx", "uvx", "node", "bunx", "deno"}:
        to_do += f" An MCP server in Python runs as `python -m`, without {program}."
    return "agent.program_missing", message, to_do


def _pip(request: TestRequest, names: str, said: str) -> tuple[str, str, str]:
    wanted = f"{names[:200]!r}" if names else "what it installs"
    return (
        "agent.import_error",
        f"The agent calls pip, which reaches no package index from the container: {said[:300]}",
        f"Add {wanted} to the requirements and remove the call of pip: packages are installed "
        "before the test.",
    )


def _address(request: TestRequest, written: str, said: str) -> tuple[str, str, str] | None:
    found = _ADDRESS.fullmatch(written)
    if found is None:
        return None
    host, port = found[1], int(found[2] or 0)
    meaning = inside_addresses.meaning(host)
    if not meaning:
        return None
    return (
        "agent.address_unreachable",
        f"Inside the container, {written} is {meaning}: {said[:300]}",
        inside_addresses.advice(host, port),
    )


def _name(request: TestRequest, written: str, said: str) -> tuple[str, str, str] | None:
    if made := _address(request, written, said):
        return made
    host = written.partition(":")[0]
    return (
        "agent.host_not_allowed",
        f"The agent looked up {_shown(host)} without the proxy; the container has no DNS: "
        f"{said[:300]}",
        f"Run it with --egress {in_command(host)}:443, and use a client that honours HTTPS_PROXY.",
    )


def _input(request: TestRequest, prompt: str, said: str) -> tuple[str, str, str]:
    asked = f" ({prompt.strip()[:200]!r})" if prompt.strip() else ""
    return (
        "agent.input_ended",
        f"The agent asked for input{asked}, and there is no terminal: its only input is the query, "
        f"once. {said[:200]}",
        "Take the query as the argument of a function, or read it once with input(); pass "
        "everything else with --env.",
    )


def _secret_input(request: TestRequest, prompt: str, said: str) -> tuple[str, str, str]:
    return (
        "agent.input_ended",
        f"The agent asked for a secret with getpass ({prompt.strip()[:200]!r}), and there is no "
        f"terminal. {said[:200]}",
        "Read it from a variable (os.environ), and run with --secret VARIABLE for a stored secret.",
    )


def _loop(request: TestRequest, _: str, said: str) -> tuple[str, str, str]:
    return (
        "agent.exception",
        said,
        "Await the coroutine in place of asyncio.run() or run_until_complete(): an async entry "
        "point runs in an event loop already.",
    )


def _notebook(request: TestRequest, _: str, said: str) -> tuple[str, str, str]:
    return (
        "agent.exception",
        f"The file is the export of a notebook: {said[:300]}",
        "Remove the lines with get_ipython() from the notebook's export, and put what %pip "
        "installs into the requirements.",
    )


def _arguments(request: TestRequest, message: str, said: str) -> tuple[str, str, str]:
    return (
        "agent.exited",
        f"The agent's command line was refused by its own parser: {message[:300]}",
        f"Give the argument a default, or read the query from sys.argv[1], which is all that is "
        f"passed ({message[:200]}).",
    )


def _candidates(request: TestRequest, names: str, said: str) -> tuple[str, str, str]:
    file = (request.entry_point or "").partition(":")[0] or "agent.py"
    valid = [name for name in names.split(", ") if name.isidentifier() and name.isascii()]
    ways = " or ".join(f"--entry {in_command(file)}:{name}" for name in valid[:8])
    return (
        "agent.no_entrypoint",
        f"{in_command(file)} has several functions, and none of them is the entry point by its "
        f"name: {', '.join(valid)}.",
        f"Name the one that takes the query: {ways}." if ways else "",
    )


def _server(request: TestRequest, server: str, said: str) -> tuple[str, str, str]:
    return (
        "agent.web_server",
        f"The program serves requests with {server[:60]}, so it never answers the query.",
        "Define a function that takes the query and returns the answer, such as `def run(query)`, "
        'and start the server below `if __name__ == "__main__":` alone: a package brings a server.',
    )


def _relative(request: TestRequest, _: str, said: str) -> tuple[str, str, str]:
    return (
        "agent.import_error",
        said,
        "Leave out the dot (`from tools import find`): agent.py is a program, not part of a "
        "package. Or name the module of the package as the entry point.",
    )


def _circular(request: TestRequest, _: str, said: str) -> tuple[str, str, str]:
    return (
        "agent.import_error",
        f"Two files of the agent import each other: {said[:400]}",
        "Move what both need into a third file, or import it inside the function that uses it.",
    )


def _module(request: TestRequest, module: str, said: str) -> tuple[str, str, str]:
    top = module.partition(".")[0][:100]
    message = f"The module {top!r} is neither installed nor among the files that were sent."
    package = distribution_of(module)
    if is_own(module) or not package:
        to_do = (
            f"Send your own {in_command(top)} along (--file {in_command(top)}.py, or its folder). "
            "If it is a package of the index, add its name there to the requirements."
        )
        return "agent.import_error", message, to_do
    to_do = f"Add {package!r} to the requirements, or send the file if {top!r} is your own."
    return "agent.import_error", message, to_do


def _own_module(request: TestRequest, module: str, said: str) -> tuple[str, str, str]:
    path = module.replace(".", "/")
    return (
        "agent.import_error",
        f"Your own {module.partition('.')[0]!r} was sent, but there is no {module!r} in it.",
        f"Send {in_command(path)}.py along, or correct the import.",
    )


def _python(request: TestRequest, subject: str, said: str) -> tuple[str, str, str]:
    module, _, version = subject.partition(" ")
    removed = f"Python {version} removed {module!r} from the standard library."
    return (
        "agent.import_error",
        removed,
        f"Run it with a Python older than {version} (--python), or replace {module!r}: the "
        "standard library has it no more.",
    )


def _later_python(request: TestRequest, subject: str, said: str) -> tuple[str, str, str]:
    module, _, version = subject.partition(" ")
    return (
        "agent.import_error",
        f"The standard library has {module!r} from Python {version} on.",
        f"Run it with --python {version} or later, or replace {module!r}.",
    )


def _hides(request: TestRequest, file: str, said: str) -> tuple[str, str, str]:
    return (
        "agent.import_error",
        f"Your own {_shown(file)} is imported in place of the module of that name: {said[:300]}",
        f"Rename {in_command(file)}, so that it hides no other module.",
    )


def _install(request: TestRequest, requirement: str, said: str) -> tuple[str, str, str] | None:
    if not _REQUIREMENT.fullmatch(requirement):
        return None
    return (
        "dependencies.incomplete",
        f"An installed package needs another one: {said[:400]}",
        f"Add {requirement!r} to the requirements, then run again.",
    )


def _shown(path: str) -> str:
    return path[:300] if path.isprintable() else repr(path[:300])


_MAKERS: dict[str, _Maker] = {
    "variable": _variable,
    "unwritable": _unwritable,
    "output_folder": _unwritable,
    "file": _file,
    "program": _program,
    "pip": _pip,
    "address": _address,
    "name": _name,
    "input": _input,
    "secret_input": _secret_input,
    "loop": _loop,
    "notebook": _notebook,
    "arguments": _arguments,
    "candidates": _candidates,
    "server": _server,
    "relative": _relative,
    "circular": _circular,
    "module": _module,
    "own_module": _own_module,
    "lacks_module": misfits.lacks,
    "lacks_name": misfits.lacks,
    "needs_module": misfits.needs_module,
    "older_python": _python,
    "later_python": _later_python,
    "hides": _hides,
    "install": _install,
}
