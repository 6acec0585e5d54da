#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Components with a dist-git, end to end: a dist-git host and a lookaside cache on loopback, a project
# in azldev's shape, every command that works on components. Reaches nothing else, needs no root.
#   components.sh TARN SOURCE_DIR          (TARN_ACCEPT=1 rewrites tests/golden/components)
tarn_program=$(realpath "$1") source=$(realpath "$2")
parts=$source/tests/components
work=$(mktemp -d)
stop_servers() { :; }
trap 'stop_servers; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
for part in common fixture first releases sources failures crash; do
    # shellcheck disable=SC1090
    . "$parts/$part.sh" || { echo "not ok - $part.sh is not there"; exit 1; }
done
all_ok
