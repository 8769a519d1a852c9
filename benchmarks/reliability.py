"""Whether every test ends once, as it must, and leaves nothing, whatever goes wrong meanwhile.

    python benchmarks/reliability.py [--engine docker|podman] [--tests 1000] [--seed N]

Sends a shuffled mix of agents to real containers: some answer, some fail in each way that an agent
can, some run into each limit, some are cancelled in each phase, some have their container killed
by the engine; meanwhile the server with its worker is killed (SIGKILL) and started again, once in
every 50 tests. Faults that no real engine can be made to have are provoked on the fake one and
counted apart. Prints what became of each kind, and:

    lost            tests without an end
    doubled         tests with two ends, or whose journal or output repeats or misses something
    left over       containers, volumes and folders 30 s after the last end
    wrongly blamed  tests that ended otherwise than what was done to them explains

All four must be zero; otherwise the exit code is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
from served import Served, engine, exit_code_of

from seatrial.client import AsyncClient
from seatrial.domain.errors import NotFound, PlatformError
from seatrial.domain.events import Event, LogEvent, PhaseEvent, is_final
from seatrial.domain.phases import Phase
from seatrial.domain.requests import TestRequest
from seatrial.domain.tests import Test

AT_A_TIME = 24
TESTS_PER_KILL = 50
LONGEST_SECONDS = 900.0
"""A test without an end by then is lost."""
CLEAN_SECONDS = 30.0
UNREACHABLE_SECONDS = 180.0

ECHO = "def run(query):\n    for n in range(20): print('line', n, flush=True)\n    return query\n"
SLOW = (
    "import time\n"
    "def run(query):\n"
    "    for n in range(int(query)):\n"
    "        print('line', n, flush=True)\n"
    "        time.sleep(0.1)\n"
    "    return query\n"
)
HOARD = "def run(query):\n    kept = []\n    while True: kept.append(bytearray(2**24))\n"
FILL = (
    "def run(query):\n"
    "    with open('/tmp/fill', 'wb') as file:\n"
    "        while True: file.write(bytes(2**20))\n"
)
FORK = (
    "import os, time\n"
    "def run(query):\n"
    "    for _ in range(500):\n"
    "        if os.fork() == 0: time.sleep(30)\n"
)
OPEN = "def run(query):\n    kept = []\n    while True: kept.append(open('/dev/null'))\n"

Answer = TypeVar("Answer")
Act = Callable[["Place", Test], Awaitable[None]]


@dataclass(frozen=True)
class Place:
    """Where it happens."""

    client: AsyncClient
    engine_url: str


@dataclass(frozen=True)
class Kind:
    """A kind of test: what is sent, what is done to it, and how it must end."""

    name: str
    share: int
    source: str
    ends: str
    query: str = "q"
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    act: Act | None = None
    lines: int | None = None

    def request(self) -> TestRequest:
        """What is submitted."""
        files = {"agent.py": self.source}
        given = {"files": files, "query": self.query, "model": "none", "name": self.name}
        return TestRequest.model_validate({**given, **self.fields})


@dataclass
class Found:
    """What became of the tests. Each count names the tests that it counts."""

    ended: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    faults: Counter[str] = field(default_factory=Counter[str])
    lost: list[str] = field(default_factory=list[str])
    doubled: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])
    blamed: list[str] = field(default_factory=list[str])
    done: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing of what must not be was found."""
        return not (self.lost or self.doubled or self.left or self.blamed)


# ------------------------------------------------------------------ what is done to tests


async def cancel_at_once(place: Place, test: Test) -> None:
    """While it waits, or while it is being prepared."""
    await patient(lambda: place.client.cancel(test.id))


async def cancel_running(place: Place, test: Test) -> None:
    """Once its agent has printed something."""
    await first_line(place, test)
    await patient(lambda: place.client.cancel(test.id))


async def kill_container(place: Place, test: Test) -> None:
    """Have the engine kill the first attempt's container, as running out of memory would."""
    await first_line(place, test)
    path = place.engine_url.removeprefix("unix://")
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as session,
        session.post(f"http://engine/v1.40/containers/seatrial-{test.id}-1/kill") as answer,
    ):
        await answer.read()


async def first_line(place: Place, test: Test) -> None:
    """Return when the agent has printed something, or the test has ended."""

    async def look() -> None:
        async with contextlib.aclosing(place.client.events(test.id)) as events:
            async for event in events:
                if isinstance(event.data, LogEvent):
                    return

    await patient(look)


KINDS = (
    Kind("green", 30, ECHO, "succeeded", lines=20),
    Kind("green, slow", 10, SLOW, "succeeded", query="30", lines=30),
    Kind("exception", 6, "def run(query): raise ValueError('no')\n", "agent.exception"),
    Kind("exit code", 4, "import os\ndef run(query): os._exit(3)\n", "agent.exited"),
    Kind("missing module", 4, "import nowhere\ndef run(query): return 1\n", "agent.import_error"),
    Kind("no response", 4, "def run(query): return ''\n", "agent.no_response"),
    Kind("no entry point", 3, "x = 1\n", "agent.no_entrypoint"),
    Kind("memory", 4, HOARD, "limit.memory", fields={"limits": {"memory_mb": 128}}),
    Kind("disk", 3, FILL, "limit.disk", fields={"limits": {"disk_mb": 16}}),
    Kind("processes", 3, FORK, "limit.processes", fields={"limits": {"processes": 16}}),
    Kind("open files", 3, OPEN, "limit.open_files", fields={"limits": {"open_files": 64}}),
    Kind("response", 3, "def run(q): return 'x' * 3_000_000\n", "agent.response_too_large"),
    Kind("timeout", 4, SLOW, "limit.timeout", query="9999", fields={"timeout_seconds": 2}),
    Kind("cancelled waiting", 6, SLOW, "cancelled", query="9999", act=cancel_at_once),
    Kind("cancelled running", 7, SLOW, "cancelled", query="9999", act=cancel_running),
    Kind("container killed", 6, SLOW, "succeeded", query="40", act=kill_container, lines=40),
)

FAKE = {
    "engine_unavailable": ({"SEATRIAL_FAKE_LAUNCH_ERROR": "engine_unavailable:2"}, "succeeded"),
    "engine_refused": ({"SEATRIAL_FAKE_LAUNCH_ERROR": "engine_refused:2"}, "succeeded"),
    "no_capacity": ({"SEATRIAL_FAKE_LAUNCH_ERROR": "no_capacity:2"}, "succeeded"),
    "never any capacity": ({"SEATRIAL_FAKE_LAUNCH_ERROR": "no_capacity"}, "platform.no_capacity"),
    "dies always": ({"SEATRIAL_FAKE_DIE_AFTER_SECONDS": "1"}, "platform.worker_lost"),
    "slow to start": ({"SEATRIAL_FAKE_DELAY_SECONDS": "2"}, "succeeded"),
}
"""What only the fake engine can be told to do, and how tests must end there."""


# ------------------------------------------------------------------ one test


async def drive(place: Place, kind: Kind, key: str, found: Found) -> None:
    """Send one test, do to it what is to be done, and judge its end."""
    test = await patient(lambda: place.client.submit(kind.request(), idempotency_key=key))
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            if kind.act is not None:
                await kind.act(place, test)
            done = await patient(lambda: place.client.wait(test.id))
            events = await patient(lambda: journal(place.client, test.id))
    except (TimeoutError, NotFound):
        found.lost.append(f"{test.id} ({kind.name})")
        return
    finally:
        found.done += 1
    judge(kind, done, events, found)


async def journal(client: AsyncClient, test_id: str) -> list[Event]:
    """All of it."""
    return [event async for event in client.events(test_id, follow=False)]


def judge(kind: Kind, done: Test, events: Sequence[Event], found: Found) -> None:
    """Count the test where it belongs."""
    ended = done.failure.code if done.failure else str(done.outcome)
    found.ended[kind.name, ended] += 1
    named = f"{done.id} ({kind.name})"
    for event in events:
        data = event.data
        if isinstance(data, PhaseEvent) and data.phase is Phase.QUEUED and data.message:
            found.faults[why(data.message)] += 1
    numbers = [event.number for event in events]
    ends = sum(is_final(event) for event in events)
    if numbers != list(range(1, len(numbers) + 1)) or ends != 1 or not is_final(events[-1]):
        found.doubled.append(f"{named}: {ends} ends, events {numbers[:3]}…{numbers[-3:]}")
    elif kind.lines and ended == "succeeded" and printed(events) != expected(kind.lines):
        found.doubled.append(f"{named}: its output is not what it printed")
    if ended != kind.ends:
        said = done.failure.message if done.failure else ""
        found.blamed.append(f"{named}: {ended} instead of {kind.ends}. {said}")


def why(message: str) -> str:
    """The last sentence that tells why an attempt was given back, without its numbers."""
    return re.sub(r"\d+", "N", message.rstrip(".").rpartition(". ")[2])[:110]


def printed(events: Sequence[Event]) -> str:
    """The output of the last attempt."""
    texts: list[str] = []
    for event in events:
        if isinstance(event.data, PhaseEvent) and event.data.phase is Phase.BUILDING:
            texts.clear()
        elif isinstance(event.data, LogEvent) and event.data.stream == "stdout":
            texts.append(event.data.text)
    return "".join(texts)


def expected(lines: int) -> str:
    """What an agent of so many lines prints."""
    return "".join(f"line {number}\n" for number in range(lines))


async def patient(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Repeat a call while the server is down."""
    deadline = time.monotonic() + UNREACHABLE_SECONDS
    while True:
        try:
            return await call()
        except PlatformError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)


# ------------------------------------------------------------------ all tests


async def on_real_containers(url: str, tests: int, chance: random.Random) -> Found:
    """Send them all, and kill the server now and then."""
    found = Found()
    kinds = chance.choices(KINDS, [kind.share for kind in KINDS], k=tests)
    many = {"max_per_user": "1000", "max_queued": "2000"}
    async with Served({"docker_host": url, **many}) as served, served.client() as client:
        place = Place(client, url)
        window = asyncio.Semaphore(AT_A_TIME)
        killing = asyncio.create_task(kill_now_and_then(served, tests, found))

        async def one(number: int, kind: Kind) -> None:
            async with window:
                await drive(place, kind, f"reliability-{number}", found)

        try:
            async with asyncio.TaskGroup() as group:
                for number, kind in enumerate(kinds):
                    group.create_task(one(number, kind))
        finally:
            killing.cancel()
        found.left = await left_over(served, url)
        await served.stop()
        found.left += [f"after the stop: {one}" for one in await left_now(served, url)]
    return found


async def kill_now_and_then(served: Served, tests: int, found: Found) -> None:
    """SIGKILL to the server in the middle of every 50 tests, and a new one at once."""
    for at in range(TESTS_PER_KILL // 2, tests, TESTS_PER_KILL):
        while found.done < at:
            await asyncio.sleep(0.2)
        served.kill()
        found.faults["server and worker killed by SIGKILL"] += 1
        await served.start()
        print(f"{found.done} of {tests} tests have ended", flush=True)


async def left_over(served: Served, url: str) -> list[str]:
    """What is still there when clean-up has had its time."""
    deadline = time.monotonic() + CLEAN_SECONDS
    while (left := await left_now(served, url)) and time.monotonic() < deadline:
        await asyncio.sleep(1)
    return left


async def left_now(served: Served, url: str) -> list[str]:
    """Containers and volumes of this installation, and folders of slots."""
    name = (served.data_dir / "installation").read_text().strip()
    wanted = {"filters": json.dumps({"label": [f"seatrial.installation={name}"]})}
    connector = aiohttp.UnixConnector(url.removeprefix("unix://"))
    api = "http://engine/v1.40"
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(f"{api}/containers/json", params={"all": "1", **wanted}) as answer:
            left = [f"container {one['Names'][0]}" for one in await answer.json()]
        async with session.get(f"{api}/volumes", params=wanted) as answer:
            left += [f"volume {one['Name']}" for one in (await answer.json())["Volumes"] or ()]
    slots = served.data_dir / "slots"
    return left + [f"folder {one.name}" for one in (slots.iterdir() if slots.exists() else ())]


async def on_the_fake_engine(tests: int) -> Found:
    """The faults that only it can have, a few tests each."""
    found = Found()
    for name, (told, ends) in FAKE.items():
        kind = Kind(name, 1, SLOW, ends, query="20", lines=20)
        async with Served({"engine": "fake"}, also=told) as served, served.client() as client:
            async with asyncio.TaskGroup() as group:
                for number in range(tests):
                    place = Place(client, "")
                    group.create_task(drive(place, kind, f"{name}-{number}", found))
            slots = served.data_dir / "slots"
            found.left += [f"folder {one.name}" for one in slots.iterdir()]
    return found


def report(title: str, found: Found) -> None:
    """Print what was found."""
    print(f"\n{title}: {sum(found.ended.values())} tests ended")
    for (kind, ended), many in sorted(found.ended.items()):
        print(f"  {kind:22} {ended:28} {many:5}")
    print("faults by kind")
    for fault, many in found.faults.most_common():
        print(f"  {fault:112} {many:5}")
    for name, what in (
        ("lost", found.lost),
        ("doubled", found.doubled),
        ("left over", found.left),
        ("wrongly blamed", found.blamed),
    ):
        print(f"{name:16} {len(what)}")
        for one in what[:20]:
            print(f"    {one}")


async def run(given: argparse.Namespace) -> bool:
    """Everything; whether all four counts are zero."""
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"{given.tests} tests on {given.engine}, seed {seed}", flush=True)
    started = time.monotonic()
    async with engine(given.engine, given.socket) as url:
        real = await on_real_containers(url, given.tests, random.Random(seed))
    report(f"real containers ({given.engine}, {time.monotonic() - started:.0f} s)", real)
    if sys.platform != "linux" or os.geteuid() != 0:
        print("\nthe fake engine: not measured: it needs Linux and root")
        return real.sound
    fake = await on_the_fake_engine(given.fake)
    report("the fake engine", fake)
    return real.sound and fake.sound


def main() -> None:
    """Read the options; the exit code tells whether all counts are zero."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=("docker", "podman"), default="docker")
    parser.add_argument("--socket", help="url of the engine's socket; without it a private engine")
    parser.add_argument("--tests", type=int, default=1000)
    parser.add_argument(
        "--fake", type=int, default=3, help="tests for each fault of the fake engine"
    )
    parser.add_argument("--seed", type=int, help="replays the mix of an earlier run")
    raise SystemExit(exit_code_of(run(parser.parse_args())))


if __name__ == "__main__":
    main()
