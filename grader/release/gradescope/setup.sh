#!/usr/bin/env bash
# Runs once, while Gradescope builds the image: Python 3.11 or newer, torch for CPUs, and the grader's packages.
#
# AUTOGRADER_ROOT is where Gradescope's /autograder is, for trying this elsewhere; AUTOGRADER_VENV is an
# environment that has everything already, for an image of your own.
set -euo pipefail
cd "${AUTOGRADER_ROOT:-/autograder}/source"

if [ -n "${AUTOGRADER_VENV:-}" ]; then
    ln -sfn "$AUTOGRADER_VENV" .venv
else
    python=""
    for name in python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$name
            break
        fi
    done
    if [ -z "$python" ]; then # Ubuntu 22.04, Gradescope's usual image, has 3.10
        apt-get update
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3.11 python3.11-venv
        python=python3.11
    fi
    "$python" grader/bootstrap.py grade
fi

# Hidden tests and solutions lie here, results there: neither is for another uid than the grader's.
mkdir -p ../results
chmod 700 . ../results
