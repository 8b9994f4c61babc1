#!/bin/bash
# tests/integration/run.sh BUILD_DIR [beside|alone]
# Real clients against the load server and the chat of a build; the last line of output is "N passed, N failed". What looks at processor
# time or memory is `alone`, and runs behind the rest; `beside` is the rest.
set -u
if [ $# -lt 1 ] || [ $# -gt 2 ] || [ ! -d "$1" ] || [[ ! ${2:-alone} =~ ^(beside|alone)$ ]]; then
    echo "usage: tests/integration/run.sh BUILD_DIR [beside|alone]" >&2
    exit 2
fi
# The system's own Python: it has the packages of the system.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
exec "$python" "$(dirname "$0")/run.py" "$@"
