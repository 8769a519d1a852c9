"""Which of its jobs this container does: serve, run the agent once, or look whether it is well."""

import os
import sys
import urllib.error
import urllib.request

PORT = 8080


def main(arguments: list[str]) -> int:
    """Do the job; the exit code. Imports what that job needs and nothing else."""
    if arguments[:1] == ["run"]:
        from .run import main as run

        return run(*(int(number) for number in arguments[1:]))
    if arguments[:1] == ["healthcheck"]:
        return healthcheck()
    from .serve import serve

    return serve()


def port() -> int:
    """The port to listen on: `PORT`, else 8080, which AgentCore asks for."""
    return int(os.environ.get("PORT") or PORT)


def healthcheck() -> int:
    """Ask the server of this container how it is; 0 when it is well."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port()}/ping", timeout=3) as answer:
            return 0 if answer.status == 200 else 1
    except (OSError, urllib.error.URLError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
