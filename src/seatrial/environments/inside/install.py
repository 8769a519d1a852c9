"""Makes the tree of an environment from the cache and compiles it to bytecode.

Runs in a container without any network. Nothing of the tree is executed: uv asks the tree's
interpreter about itself only before the first package is there, and bytecode is compiled by the
image's interpreter with `-I -S`, since a `.pth` file runs code in any other start.
Standard library only, Python 3.9+, started with `-I -S`.
"""

import json
import subprocess
import sys

UV = "/seatrial/bin/uv"


def main() -> int:
    """Make the tree, fill it, compile it. The exit code of the first step that fails."""
    with open("/agent/job.json", encoding="utf-8") as file:
        job = json.load(file)
    tree = job["tree"]
    venv = [UV, "venv", "--quiet", "--offline", "--python=python3", tree]
    install = [UV, "pip", "install", "--offline", "--no-build", "--no-deps", "--require-hashes"]
    install += ["--link-mode=hardlink", f"--python={tree}/bin/python"]
    install += [f"--find-links={path}" for path in job["find_links"]]
    for command in (venv, [*install, "--requirements=/agent/lock.txt"]):
        code = subprocess.run(command, check=False).returncode  # noqa: S603
        if code:
            return code
    _compile(tree)
    return 0


def _compile(tree: str) -> None:
    """Compile all there is. Files that are no Python of this version are left as they are."""
    command = [sys.executable, "-I", "-S", "-m", "compileall", "-qq", "-j0"]
    command += ["--invalidation-mode=unchecked-hash", f"{tree}/lib"]
    subprocess.run(command, check=False)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
