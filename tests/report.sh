# SPDX-License-Identifier: MIT
# How the tests that are shell scripts tell what they found: a line "ok - ..." or "not ok - ..." each.
# Sourced; a script ends with `all_ok`.
# shellcheck shell=bash
# A file without a name, for what fails in a pipeline fails in a shell of its own.
report_name=$(mktemp)
exec {report}<>"$report_name"
rm -f "$report_name"
ok() { printf 'ok - %s\n' "$1"; }
# description [, what there is to see]
not_ok() {
    printf 'not ok - %s\n' "$1"
    [ $# -lt 2 ] || printf '%s\n' "$2"
    printf '%s\n' "$1" >&"$report"
}
all_ok() { [ ! -s "/proc/self/fd/$report" ]; }
skip() { printf 'skipped: %s\n' "$1"; exit 77; }

# description, wanted exit code, wanted text of stdout or stderr, command...
expect() {
    local what=$1 code=$2 text=$3 out got
    shift 3
    out=$("$@" 2>&1 </dev/null)
    got=$?
    if [ "$got" = "$code" ] && grep -qF -- "$text" <<<"$out"; then
        ok "$what"
    else
        not_ok "$what: exit $got (wanted $code), wanted \"$text\" in:" "$out"
    fi
}
# description, wanted text, text
same() {
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        not_ok "$1" "$(diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") | head -n 40)"
    fi
}
