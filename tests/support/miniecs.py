"""ECS on Fargate, as far as a template says what it does: the task's containers, run as declared.

They share one network, as the containers of a task do; they start in their order, wait for what
they depend on, have their health checks asked, and have no more than the task has.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.package_images import Engine

Template = dict[str, Any]

_CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1]))).close()"
_ASK = (
    "import sys, urllib.request as u; "
    "r = u.Request('http://127.0.0.1:8080/invocations', sys.stdin.buffer.read(), "
    "{'Content-Type': 'application/json'}); "
    "sys.stdout.write(u.urlopen(r, timeout=60).read().decode())"
)


class Refused(AssertionError):
    """The task does not come up; the message says why."""


class Declared:
    """A template with values for its parameters."""

    def __init__(self, template: Template, parameters: Mapping[str, str]) -> None:
        self._template = template
        defaults = {
            name: one["Default"] for name, one in template["Parameters"].items() if "Default" in one
        }
        self._parameters = {**defaults, **parameters, "AWS::Region": "eu-central-1"}

    def value(self, node: Any) -> Any:
        """What CloudFormation makes of it; a resource stands for itself, by its name."""
        if isinstance(node, list):
            return [self.value(one) for one in node]  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(node, dict):
            return node
        found: Template = node  # pyright: ignore[reportUnknownVariableType]
        if "Ref" in found:
            return self._parameters.get(found["Ref"], found["Ref"])
        if "Fn::If" in found:
            name, yes, no = found["Fn::If"]
            return self.value(yes if self._holds(self._template["Conditions"][name]) else no)
        if "Fn::GetAtt" in found:
            return found["Fn::GetAtt"][0]
        return {key: self.value(one) for key, one in found.items()}

    def _holds(self, condition: Template) -> bool:
        if "Condition" in condition:
            return self._holds(self._template["Conditions"][condition["Condition"]])
        if "Fn::Not" in condition:
            return not self._holds(condition["Fn::Not"][0])
        one, other = (self.value(side) for side in condition["Fn::Equals"])
        return one == other

    def made(self, kind: str) -> list[Template]:
        """The properties of every resource of that kind that is made."""
        return [
            self.value(one["Properties"])
            for one in self._template["Resources"].values()
            if one["Type"] == kind
            and ("Condition" not in one or self._holds({"Condition": one["Condition"]}))
        ]

    def task(self) -> Template:
        """The definition that the service runs."""
        [service] = self.made("AWS::ECS::Service")
        return self.value(self._template["Resources"][service["TaskDefinition"]]["Properties"])

    def refusals(self) -> list[str]:
        """Why ECS would not run it, or nobody would reach it, as far as no linter says so."""
        task = self.task()
        containers = {one["Name"]: one for one in task["ContainerDefinitions"]}
        found: list[str] = []
        if not task.get("ExecutionRoleArn"):
            found.append("nothing may fetch its image and write its log")
        ports = {port["ContainerPort"] for one in containers.values() for port in _ports(one)}
        for group in self.made("AWS::EC2::SecurityGroup"):
            for rule in group["SecurityGroupIngress"]:
                opened = range(rule["FromPort"], rule["ToPort"] + 1)
                found += [f"nothing listens on port {port}" for port in opened if port not in ports]
        for name, one in containers.items():
            for needed in one.get("DependsOn", []):
                found += _dependency(name, needed, containers.get(needed["ContainerName"]))
        return found


def _ports(container: Template) -> list[Template]:
    return container.get("PortMappings", [])


def _dependency(name: str, needed: Template, other: Template | None) -> list[str]:
    if other is None:
        return [f"{name} waits for {needed['ContainerName']}, which is not there"]
    if needed["Condition"] == "HEALTHY" and "HealthCheck" not in other:
        return [f"{name} waits for the health of {other['Name']}, which nobody asks"]
    if needed["Condition"] in {"SUCCESS", "COMPLETE"} and other["Essential"]:
        return [f"{name} waits for the end of {other['Name']}, which ends the task"]
    return []


@dataclass
class Task:
    """Containers that run. `order` is what happened, in its order."""

    engine: Engine
    definition: Template
    images: Mapping[str, str]
    ids: dict[str, str] = field(default_factory=dict[str, str])
    order: list[str] = field(default_factory=list[str])

    def ask(self, query: str) -> Template:
        """What the agent answers from within the task's network. Refused."""
        body = json.dumps({"prompt": query})
        done = self.engine.run(
            *("exec", "--interactive", self.ids["agent"], "python", "-c", _ASK),
            check=False,
            given=body,
        )
        if done.returncode:
            raise Refused(f"no answer: {done.stderr[-2000:]}{self.log('agent')}")
        return json.loads(done.stdout)

    def log(self, name: str) -> str:
        """What that container wrote."""
        done = self.engine.run("logs", self.ids[name])
        return done.stdout + done.stderr

    def stop(self, name: str) -> int:
        """As ECS stops it; its exit code."""
        self.engine.run("stop", "--time", "30", self.ids[name])
        return self._state(name)[1]

    def bring_up(self) -> None:
        """Start every container when its time has come, and wait until all are healthy. Refused."""
        containers = {one["Name"]: one for one in self.definition["ContainerDefinitions"]}
        self.ids[""] = self._network(containers["agent"]["Image"])
        waiting = dict(containers)
        while waiting:
            ready = [
                name
                for name, one in waiting.items()
                if all(need["ContainerName"] not in waiting for need in one.get("DependsOn", []))
            ]
            if not ready:
                raise Refused(f"they wait for each other: {', '.join(waiting)}")
            for name in ready:
                one = waiting.pop(name)
                for need in one.get("DependsOn", []):
                    self._await(containers[need["ContainerName"]], need["Condition"])
                self._start(one)
        for one in containers.values():
            if one["Essential"]:
                self._until_healthy(one)

    def _network(self, image: str) -> str:
        """Holds the network that all share."""
        command = ("python", "-c", "import signal; signal.pause()")
        started = self.engine.run("run", "--detach", "--network=none", self._known(image), *command)
        return started.stdout.strip()

    def _known(self, image: str) -> str:
        return self.images.get(image, image)

    def _start(self, container: Template) -> None:
        name, image = container["Name"], self._known(container["Image"])
        cores = min(int(self.definition["Cpu"]) / 1024, os.cpu_count() or 1)
        options = [
            f"--network=container:{self.ids['']}",
            f"--cpus={cores}",
            f"--memory={self.definition['Memory']}m",
        ]
        if container.get("ReadonlyRootFilesystem"):
            options.append("--read-only")
        volumes = self._volumes(image)
        for mount in container.get("MountPoints", []):
            if (path := mount["ContainerPath"]) not in volumes:
                raise Refused(f"{path} is root's: the image does not declare it as a volume")
            options.append(f"--volume={path}")
        options += [
            f"--env={one['Name']}={one['Value']}" for one in container.get("Environment", [])
        ]
        entry = container.get("EntryPoint", [])
        options += [f"--entrypoint={entry[0]}"] if entry else []
        command = [*entry[1:], *container.get("Command", [])]
        self.ids[name] = self.engine.run(
            "run", "--detach", *options, image, *command
        ).stdout.strip()
        self.order.append(f"{name} starts")

    def _volumes(self, image: str) -> list[str]:
        done = self.engine.run("inspect", "--format", "{{json .Config.Volumes}}", image)
        return list(json.loads(done.stdout) or {})

    def _await(self, container: Template, condition: str) -> None:
        name = container["Name"]
        if condition == "HEALTHY":
            self._until_healthy(container)
        elif condition in {"SUCCESS", "COMPLETE"}:
            code = int(self.engine.run("wait", self.ids[name]).stdout)
            self.order.append(f"{name} ends with {code}")
            if condition == "SUCCESS" and code:
                raise Refused(f"{name} ended with {code}: {self.log(name)}")

    def _until_healthy(self, container: Template) -> None:
        """Unhealthy is what fails its check as often as it may once its ports listen."""
        name, check = container["Name"], container["HealthCheck"]
        failures = 0
        while (done := self._inside(name, *check["Command"][1:])).returncode:
            said = done.stdout + done.stderr
            if "not found" in said or "no such file" in said:
                raise Refused(f"the health check of {name} is not in its image: {said}")
            if not self._state(name)[0]:
                raise Refused(f"{name} has ended: {self.log(name)}")
            failures += not _ports(container) or self._listens(container)
            if failures > (check["Retries"] if _ports(container) else 60):
                raise Refused(f"{name} is unhealthy: {said}")
        self.order.append(f"{name} is healthy")
        if not self._listens(container):
            raise Refused(f"{name} does not listen where it says")

    def _listens(self, container: Template) -> bool:
        name = container["Name"]
        ports = [str(one["ContainerPort"]) for one in _ports(container)]
        return not any(
            self._inside(name, "python", "-c", _CONNECT, port).returncode for port in ports
        )

    def _inside(self, name: str, *command: str) -> Any:
        return self.engine.run("exec", self.ids[name], *command, check=False)

    def _state(self, name: str) -> tuple[bool, int]:
        """Whether it runs, and its exit code."""
        form = "{{json .State}}"
        state = json.loads(self.engine.run("inspect", "--format", form, self.ids[name]).stdout)
        return bool(state["Running"]), int(state["ExitCode"])


@contextlib.contextmanager
def running_task(engine: Engine, declared: Declared, images: Mapping[str, str]) -> Generator[Task]:
    """The service's task while the block runs. Refused. `images` are known by other names here."""
    if refusals := declared.refusals():
        raise Refused("; ".join(refusals))
    task = Task(engine, declared.task(), images)
    try:
        task.bring_up()
        yield task
    finally:
        for one in reversed(task.ids.values()):
            engine.run("rm", "--force", "--volumes", one, check=False)
