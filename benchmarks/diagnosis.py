"""How many failures name their cause: a corpus of small broken agents, run in real containers.

    python benchmarks/diagnosis.py [--engine docker|podman] [--only TEXT] [--goal 97]

Runs every agent of `benchmarks/broken_agents` and compares its end with what was written down by
hand: the code, whose fault it is, the evidence, the advice, and that the test succeeds once the
advice was followed. Prints the share of agents that meet all of it and what is wrong with the
others; exits with 1 below the goal.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from served import Served, engine, exit_code_of

from seatrial.client import AsyncClient
from seatrial.domain.errors import InvalidRequest
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test
from seatrial.testing import broken_agents
from seatrial.testing.broken_agents import BrokenAgent

CORPUS = Path(__file__).parent / "broken_agents"
CONCURRENT = 6
GOAL_PERCENT = 97.0


async def faults(client: AsyncClient, agent: BrokenAgent) -> list[str]:
    """What is wrong with how the product explains this agent; none when all is right."""
    try:
        done = await ended(client, agent.fields)
    except InvalidRequest as error:
        return broken_agents.faults_of_refusal(agent, error)
    found = broken_agents.faults_of_end(agent, done)
    return found or await faults_after(client, agent, done)


async def faults_after(client: AsyncClient, agent: BrokenAgent, done: Test) -> list[str]:
    """What is wrong once the advice was followed, and the offered change was applied."""
    found: list[str] = []
    if agent.fields_after is not None:
        try:
            found += broken_agents.faults_of_success(await ended(client, agent.fields_after))
        except InvalidRequest as error:
            found += [f"after the advice: {error}"]
    if agent.fix:
        changes = broken_agents.changes_offered(done)
        if changes is None:
            return [*found, "offers no change"]
        again = await client.retry(done.id, **changes.model_dump(exclude_unset=True))
        found += broken_agents.faults_of_success(await client.wait(again.id))
    return found


async def ended(client: AsyncClient, fields: Mapping[str, Any]) -> Test:
    """The completed test of a request with these fields. Raises: InvalidRequest."""
    test = await client.submit(TestRequest.model_validate(fields))
    return await client.wait(test.id)


async def benchmark(options: argparse.Namespace) -> bool:
    """Run all of it and print the report; whether the goal is reached."""
    agents = [
        agent
        for agent in broken_agents.read(CORPUS)
        if options.only in f"{agent.kind}: {agent.name}"
    ]
    async with engine(options.engine, options.docker_host) as url:
        settings = {"docker_host": url, "max_running": str(CONCURRENT), "max_per_user": "400"}
        served = Served(settings, also={"OLLAMA_HOST": "127.0.0.1:9"})
        async with served, served.client() as client:
            results = await every(client, agents)
    return report(agents, results, options.goal)


async def every(client: AsyncClient, agents: Sequence[BrokenAgent]) -> list[list[str]]:
    """The faults of each agent, in the order of the agents; a few run concurrently."""
    turns = asyncio.Semaphore(CONCURRENT)

    async def one(agent: BrokenAgent) -> list[str]:
        async with turns:
            found = await faults(client, agent)
        print("·" if not found else "x", end="", flush=True)
        return found

    return await asyncio.gather(*(one(agent) for agent in agents))


def report(agents: Sequence[BrokenAgent], results: Sequence[list[str]], goal: float) -> bool:
    """Print what is wrong, the share per kind, and the share of all."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    print()
    for agent, found in zip(agents, results, strict=True):
        total[agent.kind] += 1
        right[agent.kind] += not found
        for fault in found:
            print(f"{agent.kind}: {agent.name}: {fault}")
    for kind, count in total.items():
        print(f"{kind:14} {right[kind]:3} of {count}")
    share = 100 * right.total() / max(1, total.total())
    print(f"{'all':14} {right.total():3} of {total.total()}: {share:.1f} % (goal {goal:.0f} %)")
    return share >= goal


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--engine", choices=["docker", "podman"], default="docker")
    parser.add_argument("--docker-host", default=os.environ.get("DOCKER_HOST"))
    parser.add_argument("--only", default="", help="only agents whose kind and name contain this")
    parser.add_argument("--goal", type=float, default=GOAL_PERCENT)
    raise SystemExit(exit_code_of(benchmark(parser.parse_args())))


if __name__ == "__main__":
    main()
