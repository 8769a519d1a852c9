"""What a package's image is built from for its verification: files alone, no command of a package.

The commands of the Dockerfile's stage `build` run elsewhere, in a sandbox; what they made at
/opt/venv is copied. The rest of the Dockerfile is as shipped.
"""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seatrial.domain.errors import FailureError
from seatrial.domain.failures import failure

_FROM = re.compile(r"^(?=FROM )", re.MULTILINE)
_COPIED = "COPY --from=build /opt/venv "
_TREE = "venv"
_INSIDE = "agent/"
_MB = 1 << 20


@dataclass(frozen=True)
class ImageRecipe:
    """A package's Dockerfile in two parts.

    `commands` are the shell commands of its first stage; `dockerfile` is the other stage, which
    takes the folder `venv` of its context in the first one's place.
    """

    commands: str
    dockerfile: str


def recipe_of(files: Mapping[str, bytes], *, seconds: float) -> ImageRecipe:
    """The parts of the Dockerfile among a package's files, which this product wrote itself.

    Each command that is left to the engine may take that long.
    """
    text = files[f"{_INSIDE}Dockerfile"].decode("utf-8")
    head, build, final = _FROM.split(text)
    lines = build.replace("\\\n", " ").splitlines()
    commands = [line.removeprefix("RUN ") for line in lines if line.startswith("RUN ")]
    return ImageRecipe(
        commands="set -e\n" + "\n".join(commands) + "\n",
        dockerfile=head + timed(final.replace(_COPIED, f"COPY {_TREE} "), seconds),
    )


def timed(dockerfile: str, seconds: float) -> str:
    """A Dockerfile of one stage whose commands end in time.

    Docker ends a build whose caller goes away; Podman (4.3) lets its command run on.
    """
    shell = json.dumps(["timeout", "--kill-after=1", f"{seconds:.0f}", "/bin/sh", "-c"])
    first, end, rest = dockerfile.partition("\n")
    return f"{first}{end}SHELL {shell}\n{rest}"


def base_dockerfile(base: str, label: str, *, seconds: float) -> bytes:
    """The image below a package's. Its build fails where the engine gives builds a network.

    The label makes every image of it this verification's own: engines share equal ones.
    """
    no_network = "! grep -v -e '^ *lo:' -e '|' /proc/net/dev"
    text = f"FROM {base}\nLABEL seatrial.rehearsal={label}\nRUN {no_network}\n"
    return timed(text, seconds).encode()


def files_of(package: bytes) -> dict[str, bytes]:
    """Every file of a package by its path in the archive's only folder."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def write_context(
    target: Path, files: Mapping[str, bytes], dockerfile: str, tree: Path, *, most_mb: int
) -> None:
    """Write the context of an image: a package's folder `agent/`, that Dockerfile, that tree.

    FailureError for a tree that is larger than allowed. Of the tree, only files, folders and
    symbolic links are taken, as root's, without special rights.
    """
    inside = {p.removeprefix(_INSIDE): data for p, data in files.items() if p.startswith(_INSIDE)}
    inside[".dockerignore"] = inside.get(".dockerignore", b"") + f"!{_TREE}\n".encode()
    inside["Dockerfile"] = dockerfile.encode()
    with tarfile.open(target, "w") as archive:
        _add_files(archive, inside)
        _add_tree(archive, tree, most_mb * _MB)


def write_files(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a context of those files alone."""
    with tarfile.open(target, "w") as archive:
        _add_files(archive, files)


def _add_files(archive: tarfile.TarFile, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o644
        archive.addfile(member, io.BytesIO(data))


def _add_tree(archive: tarfile.TarFile, tree: Path, most_bytes: int) -> None:
    left = most_bytes
    for folder, folders, names in os.walk(tree):
        for path in (folder, *(os.path.join(folder, name) for name in (*folders, *names))):
            if path != folder or folder == str(tree):
                left -= _add(archive, path, f"{_TREE}/{os.path.relpath(path, tree)}")
            if left < 0:
                message = f"The installed requirements are larger than {most_bytes // _MB} MiB."
                raise FailureError(failure("limit.build_size", message))


def _add(archive: tarfile.TarFile, path: str, name: str) -> int:
    """Add one entry; its size in bytes."""
    member = archive.gettarinfo(path, os.path.normpath(name))
    if not (member.isreg() or member.isdir() or member.issym()):
        return 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode &= 0o755
    if not member.isreg():
        archive.addfile(member)
        return 0
    with open(path, "rb", opener=_no_link) as file:
        archive.addfile(member, file)
    return member.size


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
