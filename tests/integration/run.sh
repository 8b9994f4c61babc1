#!/bin/bash
# tests/integration/run.sh BUILD_DIR
# Real clients against the load server and the chat of a build; the last line of output is "N passed, N failed".
set -u
if [ $# -ne 1 ] || [ ! -d "$1" ]; then
    echo "usage: tests/integration/run.sh BUILD_DIR" >&2
    exit 2
fi
# The system's own Python: it has the packages of the system.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
exec "$python" "$(dirname "$0")/run.py" "$1"
