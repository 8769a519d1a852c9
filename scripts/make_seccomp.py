"""Write `seccomp.json` from the reviewed allow-list beside it."""

from pathlib import Path

import seatrial.engines.docker.seccomp as profile

TARGET = Path(profile.__file__).with_name("seccomp.json")

if __name__ == "__main__":
    TARGET.write_text(profile.dump(), encoding="utf-8")
    print(f"wrote {TARGET}")
