# SPDX-License-Identifier: MIT
# How the benches measure: medians of RUNS of a whole program, wall clock and CPU. Sourced; $work is a directory.
# shellcheck shell=bash
row() { printf '%-52s %s\n' "$1" "$2"; }
# what, command...; `before` names what is done ahead of each run
figure() {
    local what=$1 i
    shift
    for ((i = 0; i < runs; i++)); do
        ${before:-true} >/dev/null 2>&1
        local TIMEFORMAT='%R %U %S'
        { time "$@" >/dev/null 2>"$work/log"; } 2>>"$work/times" || { cat "$work/log" >&2; exit 1; }
    done
    # LC_ALL keeps the decimal point a point.
    LC_ALL=C sort -n "$work/times" | awk -v what="$what" -v runs="$runs" \
        'NR == int((runs + 1) / 2) { printf "%-52s %7.3f s wall %7.3f s CPU\n", what, $1, $2 + $3 }'
    rm -f "$work/times"
}
