"""The AWS command line, loaded once: each call of `aws` is a fork of the process that has it.

Loading takes a second of a core, and a package's README calls it twenty times. Its own code runs
with the caller's arguments, variables, folder and streams. Runs with the Python of the cloud tools:
`python aws_shell.py SOCKET`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

_CALL = """\
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({path!r})
told = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(line, [b"%010d" % len(told)], [0, 1, 2])
line.sendall(told)
sys.exit(int(line.recv(10) or 255))
"""


def write_aws(program: Path, path: Path) -> None:
    """The program `aws` of a user whose command line listens at that path."""
    program.write_text(f"#!{sys.executable} -IS\n{_CALL.format(path=str(path))}")
    program.chmod(0o755)


def serve(path: str) -> None:
    """Answer calls until terminated."""
    import awscli.clidriver  # pyright: ignore
    import awscli.handlers  # pyright: ignore

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    while True:
        line, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            answer(line, awscli.clidriver.main)  # pyright: ignore
        line.close()


def answer(line: socket.socket, main: Callable[[], int]) -> None:
    """Be the caller's command line; never returns."""
    code: int | str | None = 255
    try:
        code = _called(line, main)
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        number = code if isinstance(code, int) else int(code is not None)
        line.sendall(str(number).encode())
        os._exit(0)


def _called(line: socket.socket, main: Callable[[], int]) -> int:
    length, streams, _, _ = socket.recv_fds(line, 10, 3)
    with line.makefile("rb") as told:
        arguments, variables, folder = json.loads(told.read(int(length)))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    own = os.environ["AWS_DATA_PATH"]  # set while it was loaded
    os.environ.clear()
    os.environ.update(variables, AWS_DATA_PATH=own)
    sys.argv = ["aws", *arguments]
    return main()


if __name__ == "__main__":
    serve(sys.argv[1])
