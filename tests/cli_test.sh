#!/usr/bin/env bash
# The command line as a person meets it: help, typos, exit codes, formats.
set -u
tarn=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TARN_STORE=$work/store NO_COLOR=1
. "$(dirname "$0")/report.sh"

expect "overview" 0 "usage: tarn" "$tarn" --help
expect "no arguments" 0 "component list" "$tarn"
expect "version" 0 "tarn 0." "$tarn" --version
expect "noun lists its verbs" 0 "image boot" "$tarn" image
expect "help of a command" 0 "usage: tarn image build" "$tarn" image build --help
expect "mistyped command" 2 'did you mean `image build`?' "$tarn" image biuld vm
expect "mistyped noun" 2 'did you mean `image`' "$tarn" imagee
expect "mistyped option" 2 'did you mean `--force`?' "$tarn" image build vm --forse
expect "missing argument" 2 "tarn image build --help" "$tarn" image build
expect "wrong choice" 2 "--output" "$tarn" store stats -O xml
expect "no project" 2 "tarn.toml" "$tarn" -C "$work" component list
expect "store stats as json" 0 '"store": [' "$tarn" store stats -O json
expect "store stats as csv" 0 'what,count,size' "$tarn" store stats -O csv
expect "empty store is sound" 0 "sound" "$tarn" store verify
expect "gc dry run" 0 "nothing was removed" "$tarn" store gc --dry-run
expect "wrong number" 2 "--days" "$tarn" store gc --days soon
expect "port out of range" 2 "--port" "$tarn" repo serve --path "$work" --port 99999
expect "nothing published" 1 "tarn repo publish" "$tarn" repo serve --path "$work/none"
expect "manual page" 0 ".SH COMMANDS" "$tarn" man
expect "completion" 0 "complete -o default -F _tarn tarn" "$tarn" completion

cat >"$work/tarn.toml" <<'EOF'
[project]
relase = 1
[components.a]
spec = { type = "local", path = "missing.spec" }
EOF
expect "typo in the project" 2 'tarn.toml:2:1: error: unknown key `relase`' "$tarn" -C "$work" component list
if "$tarn" completion | bash -n; then ok "completion parses"; else not_ok "completion parses"; fi
# Data goes to stdout, talk to stderr.
same "an error writes nothing to stdout" "" "$("$tarn" image biuld 2>/dev/null)"
all_ok
