#!/usr/bin/env bash
# Runs tests on the interpreter that is deployed: a Debian trixie root under .build, whose Python is 3.13, with the locked
# packages beside it. Arguments go to pytest. Needs Linux, root and debootstrap.
#
# Every mount is made in a mount namespace of its own and goes with it, however this script ends.
set -euo pipefail

machine=$(uname -m)
root=.build/trixie-$machine
lock=$(cat requirements.txt lambdas/requirements.txt | cksum | cut -d ' ' -f 1)
packages=.build/packages-3.13-$machine-$lock

[ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] || { echo 'firebreak: `make deployed` needs Linux and root' >&2; exit 1; }
command -v debootstrap >/dev/null || { echo 'firebreak: debootstrap is missing: apt-get install debootstrap' >&2; exit 1; }
mkdir -p .build

if [ ! -d "$root" ]; then
    rm -rf "$root.partial"
    unshare --mount debootstrap --variant=minbase --include=python3 trixie "$root.partial" >.build/debootstrap.log \
        || { tail -n 20 .build/debootstrap.log >&2; exit 1; }
    echo '127.0.0.1 localhost' >"$root.partial/etc/hosts"
    mkdir "$root.partial/checkout" "$root.partial/packages"
    mv "$root.partial" "$root"
fi

if [ ! -d "$packages" ]; then
    rm -rf .build/packages-3.13-*
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-compile \
        --require-hashes --only-binary=:all: --implementation cp --python-version 3.13 \
        --platform "manylinux2014_$machine" --platform "manylinux_2_28_$machine" \
        --target "$packages.partial" -r requirements.txt -r lambdas/requirements.txt
    mv "$packages.partial" "$packages"
fi

export root packages
exec unshare --mount sh -eu -c '
    mount --bind . "$root/checkout"
    mount --bind "$packages" "$root/packages"
    mount -t proc proc "$root/proc"
    mount -t tmpfs tmpfs "$root/tmp"
    mount -t tmpfs tmpfs "$root/dev/shm"
    exec chroot "$root" env --ignore-environment --chdir=/checkout PATH=/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 \
        ${CI:+CI=$CI} PYTHONPATH=/packages PYTHONPYCACHEPREFIX=/tmp/pycache \
        python3 -m pytest -q -p no:cacheprovider -n auto --dist loadfile "$@"
' deployed "$@"
