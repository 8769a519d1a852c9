"""Prepares one environment in a process of its own: `python environment_process.py JOB`.

Prints every piece of output as one JSON line, and the key at the end.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from environment_rig import Place, rig_at


async def main(job: dict[str, Any]) -> None:
    place: dict[str, Any] = job["place"]
    where = Place(
        url=place["url"],
        state=Path(place["state"]),
        images=Path(place["images"]),
        settings=place["settings"],
    )
    async with rig_at(where) as rig:
        rig.said = _Printed()
        environment = await rig.prepare(str(job["requirements"]))
        print(json.dumps({"key": environment.key, "cached": environment.cached}), flush=True)


class _Printed(list[str]):
    def append(self, object: str, /) -> None:
        print(json.dumps({"said": object}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
