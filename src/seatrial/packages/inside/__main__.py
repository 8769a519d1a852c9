"""`python FOLDER`: start the server, or what the first argument says. See `main.py`."""

import importlib
import os
import sys

_FOLDER = os.path.dirname(os.path.abspath(__file__))
# The agent's own modules may have any name: only this folder's parent is searched until then.
sys.path[0] = os.path.dirname(_FOLDER)

if __name__ == "__main__":
    sys.exit(importlib.import_module(f"{os.path.basename(_FOLDER)}.main").main(sys.argv[1:]))
