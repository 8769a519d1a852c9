#!/bin/sh
# Runs Seatrial's main job once for real, on a machine that may have nothing yet.
set -eu
cd "$(dirname "$0")/.."
seatrial=.venv/bin/seatrial

# Whether somebody's own Seatrial runs already: that one is used, and left as it is.
runs() {
    .venv/bin/python -c 'import sys
from seatrial.settings import Settings
from seatrial.wiring.owner import owner_pid
sys.exit(owner_pid(Settings().data_dir) is None)'
}
stop() { "$seatrial" serve --stop >/dev/null 2>&1 || true; }
runs || trap stop EXIT INT TERM

echo "== Looking at this machine, and setting up what is missing"
"$seatrial" doctor --fix --yes

echo
echo "== Testing examples/hello/agent.py in a container, against a real model"
"$seatrial" run examples/hello/agent.py "Name the capital of France."

echo
echo "Next:"
echo "  .venv/bin/seatrial serve                       then open $("$seatrial" serve --show-url 2>/dev/null)"
echo "  .venv/bin/seatrial run your_agent.py \"a query\"  to test an agent of your own"
echo "  .venv/bin/seatrial tests list                  to see this test again"
