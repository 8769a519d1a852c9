"""The program of a relay container: a slot's two sockets, carried over standard input and output.

It stands where no socket of the worker's machine can be mounted. It holds no secret and has no
network: whoever launched it is at the other end of its pipe, and nobody else. It makes the
sockets in a folder that it shares with one test's container, and moves bytes that it does not
look at. It ends with its pipe, and when the worker has been silent for too long.

    python3 -I -S <folder>/harness/door_relay.py <folder of the sockets> <seconds of silence>
"""

import importlib
import os
import signal
import sys

if __name__ == "__main__":
    # As `boot` does: make this package importable by its name in the container.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    relay = importlib.import_module("harness.relaying").DoorRelay(sys.argv[1], float(sys.argv[2]))
    sys.exit(relay.run())
