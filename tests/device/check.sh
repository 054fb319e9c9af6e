#!/usr/bin/env bash
# Compares a GPU with the CPU and measures how busy an evaluation keeps it. It needs no network.
#
#   tests/device/check.sh                      on the first GPU
#   tests/device/check.sh --json result.json   also writes what it finds; --help shows all options
#
# PYTHON names the interpreter that has robseg's dependencies. The exit code is 1 if a check fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHONPATH="$PWD" OMP_WAIT_POLICY=PASSIVE
exec "${PYTHON:-python3}" tests/device/check.py "$@"
