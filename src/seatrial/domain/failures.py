"""The failure catalogue: a closed list of the reasons for which a test does not succeed."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from .errors import Whose


@dataclass(frozen=True)
class CatalogueEntry:
    """One reason: stable code, whose fault, a title of one sentence, why, and what to do."""

    code: str
    title: str
    explanation: str
    what_to_do: str

    @property
    def whose(self) -> Whose:
        """The part of the code before the dot, which names the one at fault."""
        return _WHOSE[self.code.partition(".")[0]]


_WHOSE: dict[str, Whose] = {
    "agent": "agent",
    "dependencies": "dependencies",
    "model": "model",
    "limit": "limit",
    "platform": "platform",
    "user": "user",
}


class Failure(BaseModel):
    """Why one test failed: a catalogue entry made concrete.

    `evidence` is the line that proves it, `evidence_event` the number of the journal event
    that holds that line; a completed test's failure always has one.
    `fix` is a change that a program can apply: for example
    `{"add_requirement": "requests"}` or `{"memory_mb": 1024}`.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    whose: Whose
    title: str
    message: str
    what_to_do: str
    evidence: str = ""
    evidence_event: int | None = None
    fix: dict[str, str | int] = {}
    incident: str | None = None


def _entry(code: str, title: str, explanation: str, what_to_do: str) -> CatalogueEntry:
    return CatalogueEntry(code, title, explanation, what_to_do)


_ENTRIES = (
    _entry(
        "agent.syntax_error",
        "The agent's code is not valid Python.",
        "Python refused to compile a file before running it.",
        "Correct the line that is named, then run again.",
    ),
    _entry(
        "agent.import_error",
        "The agent imports a module that is not installed.",
        "The import failed inside the container, where only the listed requirements exist.",
        "Add the package to the requirements, or remove the import.",
    ),
    _entry(
        "agent.exception",
        "The agent raised an exception.",
        "Your code ran and raised an exception that nothing in it caught.",
        "Read the traceback; the last line of your own code is marked.",
    ),
    _entry(
        "agent.no_entrypoint",
        "No entry point was found in agent.py.",
        "Seatrial looks for a conventional name, a framework object, a function, or a script.",
        "Define a function such as `def run(query)`, or name one: agent.py:my_function.",
    ),
    _entry(
        "agent.web_server",
        "The agent is a web server.",
        "It serves requests until it is stopped, so it never answers the query.",
        "Define a function such as `def run(query)`; a package brings a server for it.",
    ),
    _entry(
        "agent.no_response",
        "The agent ended without a response.",
        "The process ended normally but returned and printed nothing that could be an answer.",
        "Return the answer from the entry point, or print it if the agent is a script.",
    ),
    _entry(
        "agent.no_model_call",
        "The agent never called its model.",
        "The test names a model, but no successful call to it went through the gateway.",
        "Let the agent use the model, or run with the model `none`.",
    ),
    _entry(
        "agent.exited",
        "The agent's process ended by itself.",
        "It exited with a non-zero code or was ended by a signal before it returned an answer.",
        "Look at the last log lines before the exit.",
    ),
    _entry(
        "agent.tampered",
        "The agent's process wrote over its own report.",
        "What came from it is not in the form of a report, so its answer is not believed.",
        "Do not write to file descriptors that your code did not open.",
    ),
    _entry(
        "agent.response_too_large",
        "The agent's response is too large.",
        "Responses are limited so that they can be stored and shown.",
        "Return less, or raise the response limit of the test.",
    ),
    _entry(
        "agent.host_not_allowed",
        "The agent tried to reach a host that the test does not allow.",
        "The container has no network: only hosts that the test lists can be reached, and only "
        "over TLS.",
        "Add the host to the test's egress list, or let the agent do without it.",
    ),
    _entry(
        "agent.host_unreachable",
        "A host that the test allows could not be reached.",
        "The gateway resolved its name and connected on the agent's behalf, and that failed.",
        "Correct the host's name, or check that it answers over TLS from the worker's machine.",
    ),
    _entry(
        "agent.address_unreachable",
        "The agent used an address that means nothing inside the container.",
        "localhost is the container itself, and tests reach no private addresses.",
        "Offer model services with --model, and other services under a public name with --egress.",
    ),
    _entry(
        "agent.variable_missing",
        "The agent needs a variable that the test does not set.",
        "Only variables that the test names are in the container; a .env file is never sent.",
        "Run it with --env NAME=VALUE, or with --secret NAME for a stored secret.",
    ),
    _entry(
        "agent.file_missing",
        "The agent opened a file that is not in the container.",
        "Only the files that were sent with the test are there.",
        "Send the file along with --file, or correct its path.",
    ),
    _entry(
        "agent.read_only",
        "The agent wrote to a place that is read-only.",
        "In the container only some folders can be written, and in the package as well.",
        "Write below /tmp or the home folder.",
    ),
    _entry(
        "agent.program_missing",
        "The agent started a program that is not in the base image.",
        "The base image holds Python and no other program.",
        "Replace the program by a Python package in the requirements.",
    ),
    _entry(
        "agent.input_ended",
        "The agent asked for more input than there is.",
        "There is no terminal: the query is the only input, once.",
        "Take the query as the argument of a function, or read it once.",
    ),
    _entry(
        "agent.client_timeout",
        "The agent's own client did not wait for the model's answer.",
        "Its timeout was over before the first byte; a model that is not loaded can take minutes.",
        "Raise the timeout of the agent's client, or load the model before the test.",
    ),
    _entry(
        "agent.reach_not_allowed",
        "The agent asked the model service for something that the test does not allow.",
        "Hosted tools, addresses to fetch and stored objects are refused unless the test allows "
        "them.",
        "Leave it out of the call, or allow it with the switch that is named.",
    ),
    _entry(
        "agent.secret_sent",
        "The agent sent a stored secret to the model service.",
        "A stored secret is for a service that the agent uses, so a call that holds one is "
        "refused.",
        "Keep the secret out of prompts and tool results, or allow it with "
        "`--allow secret=VARIABLE`.",
    ),
    _entry(
        "dependencies.not_found",
        "A required package or version does not exist.",
        "The package index has no such package, or none in that version.",
        "Check the spelling and the version in the requirements.",
    ),
    _entry(
        "dependencies.conflict",
        "The requirements contradict each other.",
        "No set of versions satisfies all requirements at once.",
        "Loosen one of the requirements that are named.",
    ),
    _entry(
        "dependencies.python_mismatch",
        "A required package does not support this Python version.",
        "Every version that fits the requirements asks for another Python.",
        "Choose another Python version for the test, or another version of the package.",
    ),
    _entry(
        "dependencies.build_failed",
        "A required package could not be built from source.",
        "It has no ready-made wheel for this platform, and building it failed.",
        "Choose a version with a wheel, or read the build log above.",
    ),
    _entry(
        "dependencies.version_mismatch",
        "An installed package lacks a name that the code imports.",
        "The package is there, in a version that has no such module or name.",
        "Require a version that has it, or change the import.",
    ),
    _entry(
        "dependencies.incomplete",
        "An installed package needs another one that is not installed.",
        "The package says so itself when it is used.",
        "Add the package that it names to the requirements.",
    ),
    _entry(
        "dependencies.index_unreachable",
        "The package index could not be reached.",
        "The network or the index itself did not answer while packages were fetched.",
        "Check the network and the index setting, then retry the test.",
    ),
    _entry(
        "model.not_allowed",
        "The agent asked for a model that the test does not name.",
        "A test may use only the models it names, so that the result says what was tested.",
        "Name that model in the test, or change the agent to use the one that is named.",
    ),
    _entry(
        "model.unreachable",
        "The model service could not be reached.",
        "Nothing answered at the provider's address.",
        "Start the service or correct its address, then retry.",
    ),
    _entry(
        "model.not_found",
        "The model does not exist at the provider.",
        "The service answered that it has no such model.",
        "Pull the model or correct its name.",
    ),
    _entry(
        "model.auth_failed",
        "The provider refused the credential.",
        "The key is missing, wrong or expired.",
        "Set the credential again, then retry.",
    ),
    _entry(
        "model.access_denied",
        "The credential may not use this model.",
        "The key is valid, but its account has no access to the model.",
        "Ask for access to the model at the provider, or choose another.",
    ),
    _entry(
        "model.rate_limited",
        "The provider limited the rate of calls.",
        "The service answered 429, 503 or 529, or asked for a longer pause than the test could "
        "wait, and the agent gave up.",
        "Wait, call less often, or ask the provider for a higher limit.",
    ),
    _entry(
        "model.quota",
        "The provider's quota is used up.",
        "The account has no quota or credit left for this model.",
        "Raise the quota or add credit at the provider.",
    ),
    _entry(
        "model.bad_request",
        "The provider refused a model call as malformed.",
        "The service answered 400 to what the agent sent.",
        "Read the provider's message and correct the call.",
    ),
    _entry(
        "model.server_error",
        "The model service failed.",
        "The service answered with an error of its own, such as 500.",
        "Look at the model service's own log, then retry.",
    ),
    _entry(
        "model.lost_mid_stream",
        "The connection to the model was lost in the middle of an answer.",
        "The service began to answer and then closed the connection.",
        "Retry; if it happens again, look at the model service's own log.",
    ),
    _entry(
        "model.replay_differs",
        "The agent asked something other than what was recorded.",
        "A replay answers model calls from a recording, and this call is not in it.",
        "If the change is meant, run the test with the model and record it again; "
        "else undo what changed the call.",
    ),
    _entry(
        "model.recording_missing",
        "The recording that should answer the model calls is not there.",
        "The recorded test was deleted, or its recording was not kept whole.",
        "Run the test with the model and record it again.",
    ),
    _entry(
        "limit.timeout",
        "The test ran into its time limit.",
        "The agent was still running when its time was over, so it was stopped.",
        "Raise the timeout, or find out what the agent was waiting for.",
    ),
    _entry(
        "limit.memory",
        "The agent ran out of memory.",
        "The kernel stopped a process of the agent at the memory limit.",
        "Raise the memory limit, or use less.",
    ),
    _entry(
        "limit.processes",
        "The agent reached its process limit.",
        "It could not start another process or thread.",
        "Raise the process limit, or start fewer.",
    ),
    _entry(
        "limit.disk",
        "The agent filled its disk.",
        "The working, temporary and home folders are limited in size; all else is read-only.",
        "Write less, or raise the disk limit.",
    ),
    _entry(
        "limit.files",
        "The agent made too many files.",
        "The temporary and the home folder hold a limited number of files and folders.",
        "Make fewer files, or raise the disk limit, which raises their number too.",
    ),
    _entry(
        "limit.open_files",
        "The agent opened too many files or connections at one time.",
        "The number that a process may hold open is limited.",
        "Close what is no longer used, or raise the limit of open files.",
    ),
    _entry(
        "limit.model_calls",
        "The test used up its model calls.",
        "Further calls were refused, in a way that SDKs do not try again.",
        "Allow more calls, or find out why the agent makes so many.",
    ),
    _entry(
        "limit.model_tokens",
        "The test used up its tokens.",
        "Further calls were refused, in a way that SDKs do not try again.",
        "Allow more tokens, or let the agent send and ask for less.",
    ),
    _entry(
        "limit.traffic",
        "The test used up its traffic.",
        "What went to and came from models and allowed hosts reached the limit; it was cut there.",
        "Allow more traffic, or let the agent send and fetch less.",
    ),
    _entry(
        "limit.build_timeout",
        "Installing the requirements took too long.",
        "The build was stopped at its own time limit.",
        "Remove heavy requirements, or raise SEATRIAL_BUILD_TIMEOUT_SECONDS.",
    ),
    _entry(
        "limit.build_size",
        "The requirements are too large.",
        "What they wrote while they were installed went over the limit of one build.",
        "Remove heavy requirements, or raise SEATRIAL_BUILD_MAX_MB.",
    ),
    _entry(
        "user.secret_not_found",
        "A stored secret that the test names is not there.",
        "It was removed after the test was submitted, so the agent could not be given it.",
        "Store it again (`seatrial credentials set NAME --provider secret`), then retry.",
    ),
    _entry(
        "platform.engine_unavailable",
        "The container engine is not available.",
        "Docker or Podman did not answer.",
        "Run `seatrial doctor`, which says what to start or install.",
    ),
    _entry(
        "platform.not_isolated",
        "Containers on this machine are not closed.",
        "The self-test reached from inside a container what no agent may reach, so nothing ran.",
        "Run `seatrial doctor`, which names what is open, and correct the engine's settings.",
    ),
    _entry(
        "platform.limits_not_enforced",
        "The container engine does not enforce every limit.",
        "In a container the self-test exceeded a limit, or made a forbidden system call, so "
        "nothing ran.",
        "Correct what `seatrial doctor` names, or set SEATRIAL_ALLOW_UNENFORCED_LIMITS=1 to run "
        "without it.",
    ),
    _entry(
        "platform.no_capacity",
        "There is no capacity to run the test.",
        "The machine is out of disk, memory or container slots.",
        "Free some space (`seatrial environments prune`), then retry.",
    ),
    _entry(
        "platform.image_unavailable",
        "The base image could not be had.",
        "The registry did not answer and the image could not be built here.",
        "Run `seatrial doctor`, which says what is missing.",
    ),
    _entry(
        "platform.worker_lost",
        "The worker that ran the test was lost.",
        "It stopped in the middle of the test, more often than Seatrial retries by itself.",
        "Retry the test.",
    ),
    _entry(
        "platform.door_lost",
        "The way between the container and the gateway was lost.",
        "The relay container of the test ended, more often than Seatrial retries by itself.",
        "Retry the test. `seatrial doctor` shows which way is used; SEATRIAL_DOOR sets it.",
    ),
    _entry(
        "platform.internal",
        "Seatrial itself failed.",
        "This is a defect of Seatrial, not of your agent.",
        "Retry; if it happens again, report the incident number.",
    ),
)

CATALOGUE: dict[str, CatalogueEntry] = {entry.code: entry for entry in _ENTRIES}
"""Every failure that a test can have, by code."""


def failure(
    code: str,
    message: str = "",
    *,
    what_to_do: str = "",
    evidence: str = "",
    evidence_event: int | None = None,
    fix: dict[str, str | int] | None = None,
    incident: str | None = None,
) -> Failure:
    """Make the failure of a test from its catalogue entry.

    Without `message` or `what_to_do` the entry's own texts are used. Raises KeyError for a code
    that is not in the catalogue: the list is closed.
    """
    entry = CATALOGUE[code]
    return Failure(
        code=code,
        whose=entry.whose,
        title=entry.title,
        message=message or entry.explanation,
        what_to_do=what_to_do or entry.what_to_do,
        evidence=evidence[:2000],
        evidence_event=evidence_event,
        fix=fix or {},
        incident=incident,
    )


def is_retried_by_platform(code: str) -> bool:
    """Whether Seatrial tries the test again by itself: platform faults only."""
    return code.startswith("platform.")
