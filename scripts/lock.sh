#!/bin/sh
# Locks what the functions and this checkout need, with hashes, for every Python and platform at once.
set -eu

UV=.build/uv/bin/uv
[ -x "$UV" ] || { "${PYTHON:-python3}" -m venv .build/uv && .build/uv/bin/python -m pip install --quiet uv==0.13.9; }

for lock in lambdas/requirements requirements; do
    "$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header "$@" -o "$lock.txt" "$lock.in"
done
