"""The channel when it breaks, when nobody listens, and when somebody else speaks."""

from __future__ import annotations

import os
import signal
import time

import pytest

from seatrial.harness.protocol import Ack, Exit, Log

from .conftest import Start
from .container import Script, Worker, assignment

STEPS = """
import time
def run(q):
    for i in range(30):
        print("line", i, flush=True)
        time.sleep(0.03)
        yield f"piece {i} "
"""


def _is_whole(worker: Worker) -> None:
    assert worker.broken == []
    assert worker.numbers == list(range(1, len(worker.numbers) + 1))
    assert worker.log("stdout") == "".join(f"line {i}\n" for i in range(30))
    assert worker.result.response == "".join(f"piece {i} " for i in range(30))
    assert isinstance(worker.frames[-1], Exit)


async def test_no_frame_is_lost_or_doubled_when_the_connection_breaks_often(start: Start) -> None:
    script = Script(cut_after=frozenset(range(2, 40, 3)))
    container = await start(assignment(STEPS), script)
    assert await container.ended() == 0
    _is_whole(container.worker)
    assert len(container.worker.hellos) >= 8
    assert all(hello.assigned for hello in container.worker.hellos[2:])


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
async def test_the_first_frames_survive_a_break_after_each_of_them(
    start: Start, number: int
) -> None:
    container = await start(assignment(STEPS), Script(cut_after=frozenset({number})))
    assert await container.ended() == 0
    _is_whole(container.worker)
    assert len(container.worker.hellos) == 2


async def test_the_exit_frame_survives_a_break(start: Start) -> None:
    container = await start(assignment("print('short')"))
    await container.worker.until(lambda: container.worker.numbers)
    assert await container.ended() == 0
    last = len(container.worker.numbers)
    again = await start(assignment("print('short')"), Script(cut_after=frozenset({last})))
    assert await again.ended() == 0
    assert isinstance(again.worker.frames[-1], Exit)


async def test_a_worker_that_stops_talking_makes_the_container_end(start: Start) -> None:
    code = "import time\nprint('up', flush=True)\ntime.sleep(60)"
    container = await start(assignment(code, orphan_seconds=1.5))
    await container.worker.until(container.worker.log)
    container.worker.silent = True
    began = time.monotonic()
    assert await container.ended() == 0
    assert 1.0 < time.monotonic() - began < 50


async def test_a_worker_that_is_stopped_and_goes_on_finds_everything(start: Start) -> None:
    container = await start(assignment(STEPS))
    await container.worker.until(container.worker.log)
    time.sleep(1.0)  # nothing of this worker runs meanwhile
    assert await container.ended() == 0
    _is_whole(container.worker)


async def test_the_last_words_wait_as_long_as_the_worker_speaks(start: Start) -> None:
    script = Script(acknowledge=False)
    container = await start(assignment("print('end')", orphan_seconds=2.0), script)
    worker = container.worker
    await worker.until(lambda: worker.exit_or_none)
    with pytest.raises(TimeoutError):  # A database that is away can be away for long.
        await container.ended(5)
    script.acknowledge = True
    worker.say(Ack(worker.committed))
    assert await container.ended() == 0
    assert worker.log() == "end\n"


async def test_a_worker_that_does_not_come_back_makes_the_container_end(start: Start) -> None:
    code = "import time\nprint('up', flush=True)\ntime.sleep(60)"
    container = await start(assignment(code, orphan_seconds=1.0))
    await container.worker.until(container.worker.log)
    container.server.close()
    (container.door / "channel.sock").unlink()
    container.worker.script.claim = "nobody"
    container.worker.session = "nobody"
    container.worker.hang_up()
    assert await container.ended(50) == 0


async def test_a_forged_claim_is_refused(start: Start) -> None:
    container = await start(assignment("print(1)"), claim="forged")
    assert await container.ended() == 3
    assert [hello.claim for hello in container.worker.refused] == ["forged"]
    assert container.worker.frames == []


async def test_the_engines_request_to_stop_ends_the_agent_in_order(start: Start) -> None:
    code = "import time\nprint('up', flush=True)\ntime.sleep(60)"
    container = await start(assignment(code))
    await container.worker.until(container.worker.log)
    os.kill(container.supervisor(), signal.SIGTERM)
    assert await container.ended() == 0
    assert container.worker.exit.reason == "cancelled"


async def test_output_waits_while_nothing_is_acknowledged(start: Start) -> None:
    code = "import sys\nfor i in range(20_000): print('x' * 999)\nprint('end')"
    script = Script(acknowledge=False)
    container = await start(assignment(code, log_bytes=40_000_000, orphan_seconds=20.0), script)
    worker = container.worker
    await worker.until(lambda: "backpressure" in worker.notices())
    held = sum(len(log.text) for log in worker.all(Log))
    assert 3_500_000 < held < 5_000_000
    script.acknowledge = True
    worker.say(Ack(worker.committed))
    assert await container.ended() == 0
    assert worker.notices() == ["backpressure"]
    assert worker.log() == ("x" * 999 + "\n") * 20_000 + "end\n"
    assert worker.exit.log_dropped_bytes == 0
