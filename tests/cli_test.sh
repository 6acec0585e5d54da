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
expect "two ways to say what there is" 2 "--scenario says" "$tarn" vm metadata --scenario x --count 2
expect "instances that look alike" 2 "cannot be told apart" "$tarn" vm metadata --listen 127.0.0.1:0 --count 2
expect "no such scenario" 1 "none.toml" "$tarn" vm metadata --listen 127.0.0.1:0 --scenario "$work/none.toml"
expect "no place to listen on" 2 "IPv4 address and port" "$tarn" vm metadata --listen 80
expect "two places to serve" 2 "only one of" "$tarn" vm metadata --here --listen 127.0.0.1:0
expect "no such instance" 2 "there is no instance" "$tarn" vm metadata --write-media "$work/medium" --instance x
expect "a medium" 0 "" "$tarn" vm metadata --write-media "$work/medium" --kind iso
same "nobody else reads it" 600 "$(stat -c %a "$work/medium")"
expect "no such profile" 2 "--profile" "$tarn" image check x --profile asure
expect "no such image" 1 "there is no /nonexistent" "$tarn" image check /nonexistent
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
# The emulated platform tells when it is ready, answers, and ends when it is asked to.
"$tarn" vm metadata --listen 127.0.0.1:0 --ca-file "$work/ca.pem" >"$work/events" 2>"$work/talk" &
server=$!
for _ in $(seq 300); do grep -q listening "$work/events" && break; sleep 0.1; done
port=$(sed -n 's/.*"127.0.0.1:\([0-9]*\)".*/\1/p' "$work/events")
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /metadata/versions HTTP/1.1\r\nMetadata: true\r\nConnection: close\r\n\r\n' >&3
if grep -q '"apiVersions"' <&3; then ok "metadata answers"; else not_ok "metadata answers"; fi
exec 3>&-
if grep -q "BEGIN CERTIFICATE" "$work/ca.pem"; then ok "metadata's certificate"; else not_ok "metadata's certificate"; fi
kill "$server"
wait "$server"
same "metadata ends cleanly" 0 $?
if unshare -n true 2>/dev/null || unshare -rn true 2>/dev/null; then
    "$tarn" vm metadata >"$work/events" 2>"$work/talk" &
    server=$!
    for _ in $(seq 300); do grep -q listening "$work/events" && break; sleep 0.1; done
    if grep -q '"169.254.169.254:80","168.63.129.16:80"' "$work/events"; then ok "metadata in a namespace"
    else not_ok "metadata in a namespace" "$(cat "$work/talk")"; fi
    kill "$server"
    wait "$server"
    same "and ends cleanly" 0 $?
else
    echo "skipped - metadata in a namespace: none can be made here"
fi
# Data goes to stdout, talk to stderr.
same "an error writes nothing to stdout" "" "$("$tarn" image biuld 2>/dev/null)"
all_ok
