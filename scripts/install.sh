#!/bin/sh
# Installs everything that requirements.txt locks, and this checkout itself, into .venv. Run by `make`; safe to repeat.
set -eu

fail() {
    printf 'firebreak: %s\n' "$*" >&2
    exit 1
}

# The first Python of the path that is new enough, or the one named by PYTHON.
find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "no Python 3.11 or newer on the path; install one, or name it: make PYTHON=/path/to/python3.13"
}

# pip for a Python without ensurepip, as Debian's is while python3-venv is not installed. Its package can be fetched and
# unpacked by any user.
unpacked_pip() {
    mkdir -p .build/pip
    (cd .build/pip && apt-get download python3-pip-whl && dpkg-deb -x python3-pip-whl_*.deb . ) >/dev/null 2>&1 || return 1
    ls .build/pip/usr/share/python-wheels/pip-*.whl
}

make_venv() {
    python=$(find_python)
    rm -rf .venv
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv .venv
    elif "$python" -m venv --without-pip .venv && wheel=$(unpacked_pip); then
        .venv/bin/python "$wheel/pip" install --quiet --no-index "$wheel"
    else
        rm -rf .venv
        fail "$python cannot make virtual environments with pip; on Debian and Ubuntu: apt-get install python3-venv"
    fi
}

# Fails for a checkout that was moved and for an interpreter that was removed.
.venv/bin/pip --version >/dev/null 2>&1 || make_venv

printf 'firebreak: installing the locked packages into .venv; this takes a minute or two, once\n' >&2
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r requirements.txt
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
