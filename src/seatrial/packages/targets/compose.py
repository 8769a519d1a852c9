"""The target `compose`: Docker Compose on a machine of one's own."""

from __future__ import annotations

import json

from seatrial.packages.render import render
from seatrial.packages.sizing import CONCURRENCY, Number, compose_memory
from seatrial.packages.tested import OLLAMA_HOST, Tested

from . import ollama
from .base import Shape, Target, never, tested_machine


def compose_file(tested: Tested, shape: Shape) -> str:
    """The compose file, which every package has."""
    limits = tested.test.request.limits
    memory = compose_memory(tested)
    return render(
        "docker-compose.yml",
        {
            "NAME": shape.name,
            "TAG": shape.tag,
            "ENVIRONMENT": _environment(tested),
            "DISK": str(limits.disk_mb),
            "MEMORY": str(memory.value),
            "MEMORY_WHY": memory.why,
            "CPUS": f"{limits.cpus:g}",
            "PROCESSES": str(limits.processes * CONCURRENCY),
            "CONCURRENCY": str(CONCURRENCY),
            "OLLAMA": _ollama(tested),
        },
    )


def env_example(tested: Tested) -> str:
    """The names of what has to be set."""
    names = (*tested.secrets, *tested.addresses, *aws_keys(tested))
    return render("env.example", {"LINES": "\n".join(f"{name}=" for name in names)}).rstrip() + "\n"


def aws_keys(tested: Tested) -> tuple[str, ...]:
    """Variables with AWS keys: a machine of one's own has no role. The last is optional."""
    if tested.provider != "bedrock":
        return ()
    return ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def _environment(tested: Tested) -> str:
    """An Ollama beside the agent stands in where `.env` names none."""
    if not ollama.brings_ollama(tested):
        return ""
    lines = ["    environment:", f"      {OLLAMA_HOST}: ${{{OLLAMA_HOST}:-http://ollama:11434}}"]
    return "\n".join(lines) + "\n"


def _ollama(tested: Tested) -> str:
    if not ollama.brings_ollama(tested):
        return ""
    model = json.dumps(ollama.model_name(tested) or "${SEATRIAL_MODEL:?set it in .env}")
    return render("compose_ollama", {"IMAGE": ollama.IMAGE, "MODEL": model[1:-1]}).rstrip()


def _files(tested: Tested, shape: Shape) -> dict[str, str]:
    optional = ollama.may_be_empty(tested)
    needed = [*tested.secrets, *(one for one in tested.addresses if one not in optional)]
    needed += aws_keys(tested)[:2]
    if ollama.brings_ollama(tested):
        up = (
            "# With an Ollama of your own in .env, none is started beside the agent.\n"
            "if grep -Eq '^OLLAMA_HOST=.+' .env; then\n"
            "    $COMPOSE up --detach --build --no-deps agent\n"
            "else\n"
            "    $COMPOSE up --detach --build\n"
            "fi"
        )
    else:
        up = "$COMPOSE up --detach --build"
    return {
        "deploy.sh": render("compose_deploy.sh", {"UP": up}),
        "destroy.sh": render("compose_destroy.sh"),
        "doctor.sh": render("compose_doctor.sh", {"NEEDED": " ".join(needed)}),
        "smoke.py": render("smoke"),
    }


def _notes(tested: Tested) -> tuple[str, ...]:
    if not ollama.brings_ollama(tested):
        return ()
    return (f"{OLLAMA_HOST} may stay empty: then an Ollama runs in a container beside the agent.",)


def _numbers(tested: Tested) -> dict[str, Number]:
    return {"memory limit, MiB": compose_memory(tested)}


TARGET = Target(
    name="compose",
    title="Docker Compose",
    concurrency=CONCURRENCY,
    refused=never,
    machine=tested_machine,
    numbers=_numbers,
    optional=ollama.may_be_empty,
    notes=_notes,
    files=_files,
    prerequisites="Docker with Compose (`COMPOSE=podman-compose` works too) and python3.",
    after="python3 smoke.py            # asks the tested query again",
    costs="nothing but your machine, and what your model provider asks for its calls.",
    trouble="- *The port is taken*: `export HOST_PORT=9090`, then `./deploy.sh`.",
)
