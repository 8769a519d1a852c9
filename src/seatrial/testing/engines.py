"""The conformance suite of the port `Engine`: what every engine must do, whoever wrote it.

A subclass provides the fixture `make_engine`, a function that gives a new engine object on the
same backend with every call, and `make_dead_engine`, for one whose backend is gone:

    class TestMine(EngineConformance):
        known_differences = {"oom_killed": "why it cannot be had"}

        @pytest.fixture
        def make_engine(self): return lambda: MyEngine(...)

It runs real containers, about a hundred of them.
"""

from __future__ import annotations

import asyncio
import json
import platform
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from seatrial.domain.errors import (
    EngineRefused,
    EngineUnavailable,
    ImageUnavailable,
    PlatformError,
)
from seatrial.domain.ports import (
    ContainerExit,
    ContainerLimits,
    ContainerSpec,
    Engine,
    Mount,
    Tmpfs,
)

from . import engine_probes as probes
from .engine_sharing import SharingConformance

MakeEngine = Callable[[], Engine]

_LIMITS = ContainerLimits(memory_mb=128, cpus=1.0, processes=64, open_files=512, file_mb=16)
_TMPFS = (Tmpfs("/tmp", 8), Tmpfs("/home/agent", 8, 0o1777, executable=True))  # noqa: S108
_SLEEP = ("sleep", "600")
_WRITABLE_ANYWHERE = {"/dev/shm", "/dev/mqueue"}  # noqa: S108
"""Memory that every container has: 4 MB that count towards its limit, and message queues,
which the filter refuses to open."""


@dataclass
class Box:
    """Starts containers of one test and knows them all."""

    engine: Engine
    image: str
    installation: str = field(default_factory=lambda: f"conformance-{uuid.uuid4().hex[:12]}")

    def spec(self, *argv: str, **changes: Any) -> ContainerSpec:
        """A hardened container with a name of its own."""
        spec = ContainerSpec(
            name=f"seatrial-{uuid.uuid4().hex[:16]}",
            image=self.image,
            argv=argv,
            limits=_LIMITS,
            labels={"seatrial": "conformance", "seatrial.installation": self.installation},
            tmpfs=_TMPFS,
        )
        return replace(spec, **changes)

    async def launch(self, *argv: str, **changes: Any) -> str:
        """Start it; the id."""
        return await self.engine.launch(self.spec(*argv, **changes))

    async def run(self, *argv: str, **changes: Any) -> ContainerExit:
        """Start it and wait for its end."""
        return await self.engine.wait(await self.launch(*argv, **changes))

    async def probe(self, source: str, **changes: Any) -> Any:
        """What a probe found, from inside."""
        ended = await self.run("python3", "-c", source, **changes)
        assert ended.code == 0, ended
        return json.loads(ended.evidence.splitlines()[-1])

    async def volume(self) -> str:
        """Make one; its name."""
        name = f"seatrial-{uuid.uuid4().hex[:16]}"
        labels = {"seatrial": "conformance", "seatrial.installation": self.installation}
        await self.engine.make_volume(name, labels)
        return name

    async def clear(self) -> None:
        """Remove whatever is left."""
        left = await self.engine.containers(self.installation)
        await asyncio.gather(*[self.engine.remove(container.id) for container in left])
        for volume in await self.engine.volumes(self.installation):
            await self.engine.remove_volume(volume.name)


@pytest.mark.asyncio
class EngineConformance(SharingConformance):
    """Every promise of the port, against the real thing."""

    known_differences: ClassVar[Mapping[str, str]] = {}
    """What this engine cannot do, with the reason. Known: `oom_killed`."""

    @pytest_asyncio.fixture
    async def engine(self, make_engine: MakeEngine) -> AsyncIterator[Engine]:
        """The engine under test."""
        engine = make_engine()
        yield engine
        await engine.aclose()

    @pytest_asyncio.fixture
    async def box(self, engine: Engine) -> AsyncIterator[Box]:
        """Containers of this test, removed in the end."""
        box = Box(engine, await engine.image("3.11"))
        yield box
        await box.clear()

    # ------------------------------------------------------------------ what it is

    async def test_it_says_what_it_is(self, engine: Engine) -> None:
        """Name, versions, size and architecture are known."""
        await engine.ping()
        info = await engine.describe()
        assert info.name
        assert info.version
        assert info.cpus > 0
        assert info.memory_bytes > 0
        assert info.architecture == platform.machine()
        assert set(info.unenforced) <= {"CPU"}

    async def test_an_image_is_named_by_its_content(self, engine: Engine) -> None:
        """The same content id for all who ask at one time."""
        found = await asyncio.gather(*[engine.image("3.11") for _ in range(5)])
        assert len(set(found)) == 1
        assert found[0].startswith("sha256:")

    async def test_a_python_that_nobody_has_is_image_unavailable(self, engine: Engine) -> None:
        """And the error says what can be done."""
        with pytest.raises(ImageUnavailable) as caught:
            await engine.image("2.4")
        assert caught.value.hint

    # ------------------------------------------------------------------ hardening

    async def test_process_1_keeps_three_capabilities_and_gains_none(self, box: Box) -> None:
        """SETUID, SETGID and KILL; no-new-privileges; a filter of system calls."""
        status = await box.probe(probes.STATUS)
        assert int(status["CapEff"], 16) == (1 << 5) | (1 << 6) | (1 << 7)
        assert int(status["CapBnd"], 16) == (1 << 5) | (1 << 6) | (1 << 7)
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"

    async def test_another_user_has_no_capability_left(self, box: Box) -> None:
        """What the agent runs as can do nothing special."""
        status = await box.probe(probes.AS_AGENT + probes.STATUS)
        assert int(status["CapEff"], 16) == 0

    async def test_only_the_asked_for_space_is_writable(self, box: Box) -> None:
        """For the agent's user; the root, /run and /var/tmp are closed."""
        writable = set(await box.probe(probes.AS_AGENT + probes.WRITABLE))
        assert writable - _WRITABLE_ANYWHERE == {"/tmp", "/home/agent"}  # noqa: S108

    async def test_the_root_is_read_only_for_process_1_too(self, box: Box) -> None:
        """Nothing but memory file systems can be written."""
        writable = set(await box.probe(probes.WRITABLE))
        assert {path for path in writable if not path.startswith("/dev")} == {
            "/tmp",  # noqa: S108
            "/home/agent",
        }

    async def test_there_is_no_network_but_loopback(self, box: Box) -> None:
        """The one door is a socket."""
        assert await box.probe(probes.INTERFACES) == ["lo"]

    async def test_names_of_the_host_do_not_leak(self, box: Box) -> None:
        """Its name, its address and its name servers stay outside; localhost works."""
        names = await box.probe(probes.NAMES)
        assert names["hostname"] == "agent"
        assert names["resolv"] == ""
        assert names["localhost"] == "127.0.0.1"
        assert platform.node() not in names["hosts"].replace("localhost", "").split()
        assert "containers.internal" not in names["hosts"]

    async def test_user_namespaces_and_odd_sockets_are_refused(self, box: Box) -> None:
        """The ways out that default profiles leave open."""
        for user in ("", probes.AS_AGENT):
            result = await box.probe(user + probes.USER_NAMESPACE)
            assert "OK" not in result.values(), result

    @pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 has int 0x80")
    async def test_32_bit_system_calls_kill_the_process(self, box: Box) -> None:
        """They would go round the filter's arguments."""
        assert await box.probe(probes.INT80) == {"getpid": 31, "socketcall": 31}

    async def test_limits_of_a_process_are_set(self, box: Box) -> None:
        """No core dumps, few files, small ones."""
        limits = await box.probe(probes.LIMITS)
        assert limits == {"CORE": [0, 0], "NOFILE": [512, 512], "FSIZE": [16 << 20, 16 << 20]}

    async def test_memory_beyond_the_limit_ends_with_137(self, box: Box) -> None:
        """And the engine says why, if it can."""
        ended = await box.run("python3", "-c", "x = bytearray(400 << 20)")
        assert ended.code == 137
        assert ended.oom_killed or "oom_killed" in self.known_differences

    async def test_processes_beyond_the_limit_are_refused(self, box: Box) -> None:
        """With EAGAIN, and the container goes on."""
        result = await box.probe(probes.PROCESSES)
        assert result["refused"] == 11
        assert 32 <= result["made"] < 64

    async def test_a_full_tmpfs_says_so_at_its_size(self, box: Box) -> None:
        """ENOSPC at 8 MB."""
        result = await box.probe(probes.FILL)
        assert result == {"written": 8 << 20, "errno": 28}

    async def test_a_file_cannot_grow_beyond_its_limit(self, box: Box) -> None:
        """EFBIG at 16 MB, though there is room for more."""
        result = await box.probe(probes.FILL, tmpfs=(Tmpfs("/tmp", 48),))  # noqa: S108
        assert result == {"written": 16 << 20, "errno": 27}

    async def test_only_an_executable_tmpfs_runs_programs(self, box: Box) -> None:
        """EACCES elsewhere."""
        assert await box.probe(probes.EXECUTE) == {"/tmp": -13, "/home/agent": 0}  # noqa: S108

    async def test_cpu_time_is_limited(self, box: Box) -> None:
        """A fifth of a core gives about 0.4 s of two seconds."""
        limits = replace(_LIMITS, cpus=0.2)
        assert await box.probe(probes.BURN, limits=limits) < 0.8

    # ------------------------------------------------------------------ the door

    async def test_a_socket_in_a_read_only_folder_is_reachable(self, box: Box) -> None:
        """That is the container's one way out; it can make nothing there."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(100) + b" pong")
            writer.close()

        folder = Path(f"/tmp/st-{uuid.uuid4().hex[:12]}")  # noqa: S108 a short path
        folder.mkdir(mode=0o711)
        server = await asyncio.start_unix_server(answer, folder / "socket")
        (folder / "socket").chmod(0o666)
        try:
            mounts = (Mount(str(folder), "/door"),)
            result = await box.probe(probes.AS_AGENT + probes.DOOR, mounts=mounts)
        finally:
            server.close()
            (folder / "socket").unlink(missing_ok=True)
            folder.rmdir()
        assert result == {"answer": "ping pong", "made": False}

    # ------------------------------------------------------------------ life

    async def test_the_exit_code_is_the_process_own(self, box: Box) -> None:
        """Zero and others."""
        assert (await box.run("true")).code == 0
        assert (await box.run("sh", "-c", "exit 7")).code == 7

    async def test_environment_and_folder_arrive(self, box: Box) -> None:
        """As they were asked for."""
        ended = await box.run(
            "sh",
            "-c",
            'echo "$PWD $GREETING"',
            environment={"GREETING": "a=b c"},
            working_directory="/home/agent",
        )
        assert ended.evidence == "/home/agent a=b c\n"

    async def test_an_early_crash_leaves_evidence(self, box: Box) -> None:
        """Both streams of process 1."""
        ended = await box.run("python3", "-c", "print('out', flush=True); raise SystemError('why')")
        assert ended.code == 1
        assert "out" in ended.evidence
        assert "SystemError: why" in ended.evidence

    async def test_evidence_is_the_end_of_much_output(self, box: Box) -> None:
        """Up to 64 KB."""
        ended = await box.run("sh", "-c", "seq 1 200000; echo end")
        assert ended.evidence.endswith("\n199999\n200000\nend\n")
        assert len(ended.evidence) <= 64 * 1024

    async def test_a_second_launch_of_a_name_gives_the_same_container(self, box: Box) -> None:
        """Also when it has ended."""
        spec = box.spec("sh", "-c", "exit 3")
        first = await box.engine.launch(spec)
        assert (await box.engine.wait(first)).code == 3
        assert await box.engine.launch(spec) == first
        assert len(await box.engine.containers(box.installation)) == 1

    async def test_launches_of_a_name_at_one_time_make_one_container(self, box: Box) -> None:
        """Everybody gets its id."""
        spec = box.spec(*_SLEEP)
        ids = await asyncio.gather(*[box.engine.launch(spec) for _ in range(4)])
        assert len(set(ids)) == 1
        (only,) = await box.engine.containers(box.installation)
        assert only.running

    async def test_a_cancelled_launch_leaves_nothing(self, box: Box) -> None:
        """At whatever moment it comes."""
        for delay in (0.0, 0.002, 0.01, 0.03):
            task = asyncio.create_task(box.launch(*_SLEEP))
            await asyncio.wait([task], timeout=delay)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert await box.engine.containers(box.installation) == []

    async def test_everybody_who_waits_hears_of_the_end(self, box: Box) -> None:
        """And who comes later hears at once."""
        container = await box.launch("sh", "-c", "sleep 0.3; exit 5")
        ends = await asyncio.gather(*[box.engine.wait(container) for _ in range(5)])
        assert {end.code for end in ends} == {5}
        started = time.monotonic()
        assert (await box.engine.wait(container)).code == 5
        assert time.monotonic() - started < 0.5

    async def test_waiting_for_one_that_is_gone_gives_137(self, box: Box) -> None:
        """Removed while waited for, or long before."""
        container = await box.launch(*_SLEEP)
        waiting = asyncio.create_task(box.engine.wait(container))
        await asyncio.wait([waiting], timeout=0.2)
        await box.engine.remove(container)
        assert (await asyncio.wait_for(waiting, 2)).code == 137
        assert (await box.engine.wait(container)).code == 137

    async def test_kill_is_prompt_and_may_be_repeated(self, box: Box) -> None:
        """Also of one that has ended or is gone."""
        container = await box.launch(*_SLEEP)
        started = time.monotonic()
        await box.engine.kill(container)
        assert (await box.engine.wait(container)).code == 137
        assert time.monotonic() - started < 1
        await box.engine.kill(container)
        await box.engine.remove(container)
        await box.engine.kill(container)

    @pytest.mark.spec("SC-009")
    async def test_remove_takes_a_running_one_away_within_a_second(self, box: Box) -> None:
        """And may be repeated, and done by several at one time."""
        container = await box.launch("sh", "-c", "trap '' TERM; sleep 600")
        started = time.monotonic()
        await asyncio.gather(*[box.engine.remove(container) for _ in range(3)])
        assert time.monotonic() - started < 1
        assert await box.engine.containers(box.installation) == []
        await box.engine.remove(container)

    async def test_a_container_outlives_its_engine_object(
        self, box: Box, make_engine: MakeEngine
    ) -> None:
        """Another one finds it by its installation, adopts it by its name and waits for it."""
        first, second = make_engine(), make_engine()
        try:
            spec = box.spec("sh", "-c", "sleep 1; exit 9")
            container = await first.launch(spec)
            await first.aclose()
            (found,) = await second.containers(box.installation)
            assert (found.id, found.name, found.running) == (container, spec.name, True)
            assert found.labels.items() >= spec.labels.items()
            assert await second.launch(spec) == container
            assert (await second.wait(container)).code == 9
        finally:
            await second.aclose()

    async def test_twenty_at_once_all_end_as_they_should(self, box: Box) -> None:
        """Each with its own code and its own evidence, each waited for from its start."""

        async def one(number: int) -> None:
            ended = await box.run("sh", "-c", f"echo {number}; sleep 1; exit {number}")
            assert (ended.code, ended.evidence) == (number, f"{number}\n")

        await asyncio.gather(*[one(number) for number in range(1, 21)])

    async def test_installations_see_only_their_own(self, box: Box, engine: Engine) -> None:
        """Labels are what was asked for."""
        other = Box(engine, box.image)
        mine, theirs = await asyncio.gather(box.launch(*_SLEEP), other.launch(*_SLEEP))
        try:
            assert [found.id for found in await engine.containers(box.installation)] == [mine]
            assert [found.id for found in await engine.containers(other.installation)] == [theirs]
        finally:
            await other.clear()

    # ------------------------------------------------------------------ failure

    async def test_a_command_that_is_missing_is_refused_and_leaves_nothing(self, box: Box) -> None:
        """EngineRefused names it."""
        with pytest.raises(EngineRefused, match="no-such-program"):
            await box.launch("no-such-program")
        assert await box.engine.containers(box.installation) == []

    async def test_a_folder_that_is_missing_is_refused_and_leaves_nothing(self, box: Box) -> None:
        """It is not made."""
        with pytest.raises(EngineRefused):
            await box.launch("true", mounts=(Mount("/no/such/folder", "/x"),))
        assert await box.engine.containers(box.installation) == []
        assert not Path("/no/such").exists()

    async def test_a_missing_image_is_image_unavailable(self, box: Box) -> None:
        """For launch as well."""
        with pytest.raises(ImageUnavailable):
            await box.launch("true", image="seatrial/no-such-image:1")

    async def test_an_engine_that_is_gone_is_unavailable_for_every_call(
        self, make_dead_engine: MakeEngine
    ) -> None:
        """Quickly, and with nothing of a library."""
        engine = make_dead_engine()
        box = Box(engine, "sha256:0")
        calls: list[Callable[[], Any]] = [
            engine.ping,
            engine.describe,
            lambda: engine.image("3.11"),
            lambda: engine.launch(box.spec("true")),
            lambda: engine.wait("x"),
            lambda: engine.kill("x"),
            lambda: engine.remove("x"),
            lambda: engine.containers("x"),
            lambda: engine.launch_piped(box.spec("cat")),
            lambda: engine.make_volume("x", {}),
            lambda: engine.remove_volume("x"),
            lambda: engine.volumes("x"),
        ]
        for call in calls:
            with pytest.raises(PlatformError) as caught:
                await asyncio.wait_for(call(), 10)
            assert isinstance(caught.value, EngineUnavailable)
        await engine.aclose()
