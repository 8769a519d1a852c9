"""The Ollama beside an agent, where its package brings one."""

from __future__ import annotations

import json

from seatrial.packages.render import render
from seatrial.packages.sizing import OLLAMA_DISK, Number, fargate_with_ollama
from seatrial.packages.tested import MODEL, OLLAMA_HOST, Tested

from . import aws

IMAGE = "ollama/ollama:0.12.0"
"""On Docker Hub, for both architectures."""

HERE = "127.0.0.1:11434"
"""Where the containers of its task find it."""


def brings_ollama(tested: Tested) -> bool:
    """Whether one runs beside the agent where no other is named."""
    return tested.provider == "ollama"


def may_be_empty(tested: Tested) -> tuple[str, ...]:
    """Variables of `.env` that need not be set, since an Ollama comes along."""
    return (OLLAMA_HOST,) if brings_ollama(tested) else ()


def model_name(tested: Tested) -> str | None:
    """The model that it fetches; None where `SEATRIAL_MODEL` has to name it."""
    if tested.on_test_model:
        return None
    assert tested.model is not None  # it is Ollama's
    return tested.model.name


# ------------------------------------------------------------------ on Fargate


def numbers(tested: Tested) -> dict[str, Number]:
    """The sizes of the task that has one."""
    cpu, memory = fargate_with_ollama(tested)
    return {
        "CPU units with an Ollama beside it": cpu,
        "memory with an Ollama beside it, MiB": memory,
        "disk with an Ollama beside it, GiB": OLLAMA_DISK,
    }


def notes(tested: Tested) -> tuple[str, ...]:
    """What its user has to know."""
    if not brings_ollama(tested):
        return ()
    cpu, memory = fargate_with_ollama(tested)
    return (
        f"{OLLAMA_HOST} may stay empty: then an Ollama runs beside the agent, with "
        f"{cpu.value // 1024} CPUs and {memory.value} MiB for both. Fargate has no GPU: that is "
        "for small models (up to about 8 billion parameters), answers come more slowly than with "
        "one, and every start of the task fetches the model again. By the hour it costs more than "
        "ten times what the smallest task does.",
    )


def stack_numbers(tested: Tested) -> str:
    """Its numbers at the top of the stack in CDK."""
    cpu, memory = fargate_with_ollama(tested)
    return (
        f'\n# The Ollama beside the agent, where OLLAMA_HOST is empty.\nOLLAMA_IMAGE = "{IMAGE}"\n'
        f"# CPU: {cpu.why}.\nOLLAMA_CPU_UNITS = {cpu.value}\n"
        f"# Memory: {memory.why}.\nOLLAMA_MEMORY_MIB = {memory.value}\n"
        f"# Disk: {OLLAMA_DISK.why}.\nOLLAMA_DISK_GIB = {OLLAMA_DISK.value}"
    )


def stack_tasks(tested: Tested) -> str:
    """Both tasks in CDK: the agent alone, and with an Ollama."""
    name = model_name(tested)
    model = f'variables["{MODEL}"]' if name is None else json.dumps(name)
    return render("stack_fargate_tasks", {"HERE": HERE, "MODEL": model})


def stack_methods() -> str:
    """The containers in CDK."""
    return render("stack_fargate_ollama", {"HERE": HERE})


def parameter() -> aws.Template:
    """`OllamaHost`, which may be empty."""
    what = "Value of OLLAMA_HOST. Where it is empty, an Ollama runs beside the agent."
    return {**aws.parameter(what), "Default": ""}


def conditions() -> aws.Template:
    """Which of the two tasks is made."""
    return {
        "BringsOllama": {"Fn::Equals": [aws.ref("OllamaHost"), ""]},
        "HasOllama": {"Fn::Not": [{"Condition": "BringsOllama"}]},
    }


def containers(tested: Tested) -> list[aws.Template]:
    """What serves the model to the agent alone, and what fetches it and ends."""
    name = model_name(tested)
    shared: aws.Template = {
        "Image": IMAGE,
        "Environment": [{"Name": OLLAMA_HOST, "Value": HERE}],
    }
    check = {"Command": ["CMD", "ollama", "list"], "Interval": 10, "Timeout": 9, "Retries": 6}
    return [
        {
            **shared,
            "Name": "ollama",
            "Essential": True,
            "HealthCheck": {**check, "StartPeriod": 60},
            "LogConfiguration": aws.log_configuration("ollama"),
        },
        {
            **shared,
            "Name": "pull",
            "Essential": False,
            "EntryPoint": ["ollama"],
            "Command": ["pull", aws.ref("SeatrialModel") if name is None else name],
            "DependsOn": [{"ContainerName": "ollama", "Condition": "HEALTHY"}],
            "LogConfiguration": aws.log_configuration("pull"),
        },
    ]
