"""The program of the agent's process: `<python> <folder>/harness/runner.py`.

It leaves no trace that an agent could trip over: its folder is not on `sys.path`, and its package
has a private name, so that the agent's own modules may be called `harness` or `protocol`.
"""

import importlib
import importlib.util
import os
import sys

PACKAGE = "_seatrial_harness"


def _main() -> None:
    folder = os.path.dirname(os.path.abspath(__file__))
    if sys.path and os.path.abspath(sys.path[0]) == folder:
        del sys.path[0]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError(folder)
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    sys.exit(importlib.import_module(f"{PACKAGE}.play").main())


if __name__ == "__main__":
    _main()
