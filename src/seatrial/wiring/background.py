"""`python -m seatrial.wiring.background`: the data folder's process, without a terminal."""

from __future__ import annotations

import asyncio
import logging
import sys

from seatrial.domain.errors import SeatrialError
from seatrial.settings import Settings

from .owner import FolderOwned
from .serve import serve


def _log(text: str) -> None:
    logging.getLogger("seatrial").info("%s", text)


def main() -> int:
    """Serve on the data folder's socket alone; 0 also when another process already does."""
    try:
        asyncio.run(serve(Settings(), listen=False, announce=_log))
    except FolderOwned:
        return 0
    except SeatrialError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
