#!/usr/bin/env bash
# The figures of a project of the real size (7,600 components), measured on this machine:
#   bench/components.sh [TARN]
# Medians of RUNS (10) runs of the whole program, wall clock and CPU; what begins with nothing, medians
# of 3 (COLD), each from an empty store and without what the run before wrote. Run it on a quiet machine.
set -euo pipefail
cd "$(dirname "$0")/.."
tarn=$(readlink -f "${1:-build/tarn}")
runs=${RUNS:-10} cold=${COLD:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TARN_STORE=$work/store HOME=$work XDG_CONFIG_HOME=$work GIT_CONFIG_NOSYSTEM=1
git config --global user.name Bench
git config --global user.email bench@example.org
git config --global gc.autoDetach false  # or it works in the background of what is measured
bash bench/make_project.sh "$work/declared" >/dev/null
bash bench/make_project.sh --specs 7600 "$work/specs" >/dev/null

. bench/figures.sh
# what, how to clear away, command...
afresh() {
    local what=$1 before=$2 runs=$cold
    shift 2
    figure "$what, median of $runs" "$@"
}
nothing_rendered() { rm -rf "$TARN_STORE" "$work/specs/base/build" "$work/specs/build" "$work/specs/specs"; }
nothing_locked() { rm -rf "$TARN_STORE" "$work/specs/base/locks" "$work/specs/locks"; }
declared() { "$tarn" -C "$work/declared" "$@"; }
specs() { "$tarn" -C "$work/specs" "$@"; }

figure "load, validate, resolve 7,583 components" declared component list 0050x --quiet
figure "component list -a -O json" declared component list -a -O json --quiet
afresh "render 7,600 specs, cold" nothing_rendered specs component render 'local*' --quiet
figure "render 7,600 specs, nothing changed" specs component render 'local*' --quiet

# Locks of the local components, and 500 commits that change some of them.
git -C "$work/specs" init -q -b main
printf '/specs/\nbuild/\n' >"$work/specs/.gitignore"
afresh "component update of 7,600, no locks" nothing_locked specs component update 'local*' --quiet
figure "component update --check-only, all locks fresh" specs component update 'local*' --check-only --quiet
git -C "$work/specs" add -A
git -C "$work/specs" commit -q -m 'locks'
locks_at=$(dirname "$(find "$work/specs" -name "local*.lock" -print -quit)")
mapfile -t locks < <(ls "$locks_at" | head -n 5000)
for ((i = 1; i < 500; i++)); do
    for lock in "${locks[@]:i * 10:10}"; do
        sed -i "s/^version = 1/version = 1\nmanual-bump = 1/" "$locks_at/$lock"
    done
    git -C "$work/specs" commit -qam "change $i"
done
git -C "$work/specs" gc -q
figure "component history, 500 commits" specs component history 'local*' --include-bare -O json --quiet
