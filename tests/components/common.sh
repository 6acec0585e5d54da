# SPDX-License-Identifier: MIT
# What the parts of components.sh share: JSON as lines, servers on loopback, commits with
# fixed dates. Sourced with tarn_program, source and work set.
# shellcheck shell=bash
set -u
export NO_COLOR=1 LC_ALL=C.UTF-8 TZ=UTC HOME=$work/home TARN_STORE=$work/store
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$work/home/.gitconfig
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE XDG_CONFIG_HOME XDG_CACHE_HOME
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
mkdir -p "$HOME"
git config --global init.defaultBranch main
git config --global core.autocrlf false
git config --global commit.gpgSign false
golden=$source/tests/golden/components
. "$source/tests/report.sh"
project=$work/project
tarn() { "$tarn_program" -C "$project" --network-retries 1 "$@"; }

# description, text, wanted lines...: each stands in the text as a whole line.
has_lines() {
    local what=$1 text=$2 line missing=''
    shift 2
    for line; do grep -qxF -- "$line" <<<"$text" || missing+="  missing: $line"$'\n'; done
    if [ -z "$missing" ]; then ok "$what"; else not_ok "$what" "$missing$text"; fi
}
# NAME < text: compares with the golden file of that name; TARN_ACCEPT=1 writes it.
matches_golden() {
    local got=$work/golden.got
    cat >"$got"
    if [ "${TARN_ACCEPT:-}" = 1 ]; then
        mkdir -p "$golden"
        cp "$got" "$golden/$1"
    fi
    if diff -u --label "wanted: $1" --label got "$golden/$1" "$got" >"$work/golden.diff" 2>&1; then
        ok "golden file $1"
    else
        not_ok "golden file $1" "$(cat "$work/golden.diff")"
    fi
}

# JSON on stdin as lines "path = value"; exit code 1, and what is wrong, when it is not JSON.
json_lines() {
    awk '
        function bad(why) { print "not JSON at byte " at ": " why; failed = 1; exit 1 }
        function space() { while (substr(text, at, 1) ~ /[ \t\n\r]/) at++ }
        function string(   start) {
            start = ++at
            while (at <= size && (c = substr(text, at, 1)) != "\"") {
                if (c < " ") bad("a control character")
                at += c == "\\" ? 2 : 1
            }
            if (at > size) bad("a string has no end")
            at++
            return substr(text, start, at - 1 - start)
        }
        function value(path,   n, key, start) {
            space()
            c = substr(text, at, 1)
            if (c == "{" || c == "[") {
                return c == "{" ? object(path) : array(path)
            }
            if (c == "\"") { key = string(); print path " = " key; return }
            start = at
            while (substr(text, at, 1) ~ /[-+.0-9a-zA-Z]/) at++
            key = substr(text, start, at - start)
            if (key !~ /^(true|false|null|-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?)$/) bad("no value")
            print path " = " key
        }
        function object(path,   key) {
            at++; space()
            if (substr(text, at, 1) == "}") { at++; print path " = {}"; return }
            for (;;) {
                space()
                if (substr(text, at, 1) != "\"") bad("a key is wanted")
                key = string(); space()
                if (substr(text, at++, 1) != ":") bad("a colon is wanted")
                value(path == "" ? key : path "." key); space()
                c = substr(text, at++, 1)
                if (c == "}") return
                if (c != ",") bad("a comma is wanted")
            }
        }
        function array(path,   n) {
            at++; space(); n = 0
            if (substr(text, at, 1) == "]") { at++; print path " = []"; return }
            for (;;) {
                value(path "[" n++ "]"); space()
                c = substr(text, at++, 1)
                if (c == "]") return
                if (c != ",") bad("a comma is wanted")
            }
        }
        { text = text $0 "\n" }
        END {
            if (failed) exit 1
            at = 1; size = length(text)
            value(""); space()
            if (at <= size) { print "not JSON: more behind its end"; exit 1 }
        }'
}
# Command of tarn...: its stdout, which must be JSON, as lines. What it says goes to $work/said.
json_of() { tarn -O json "$@" 2>"$work/said" </dev/null | json_lines; }

# REPOSITORY, DATE, SUBJECT, further paragraphs...: commits everything there.
commit() {
    local where=$1 date=$2 paragraph args=()
    shift 2
    for paragraph; do args+=(-m "$paragraph"); done
    git -C "$where" add -A -f . &&
        GIT_AUTHOR_DATE=$date GIT_COMMITTER_DATE=$date git -C "$where" commit -q --allow-empty "${args[@]}"
}
author() { git config --global user.name "$1"; git config --global user.email "$2"; }

# Everything below a directory, as one text: modes, links, contents.
tree_text() {
    local path
    (cd "$1" && find . ! -type d | LC_ALL=C sort) | while IFS= read -r path; do
        if [ -L "$1/$path" ]; then
            printf '==> %s -> %s <==\n' "${path#./}" "$(readlink "$1/$path")"
        else
            printf '==> %s (%s) <==\n' "${path#./}" "$(stat -c %a "$1/$path")"
            cat "$1/$path"
        fi
    done
}
digest_of() { tree_text "$1" | sha256sum | cut -c1-64; }

# ---- servers -------------------------------------------------------------------------------------
git_server='' file_server='' git_port='' file_port=''
# The daemon itself, not `git`, which would start it as a child.
daemon=$(git --exec-path)/git-daemon
[ -x "$daemon" ] || skip "git has no daemon here"
try_git_server() { # PORT
    : >"$work/git-daemon.log"
    "$daemon" --listen=127.0.0.1 --port="$1" --base-path="$work/dist-git" --export-all --reuseaddr \
        --verbose "$work/dist-git" >>"$work/git-daemon.log" 2>&1 </dev/null &
    git_server=$!
    local tries=0
    while [ $((tries += 1)) -lt 100 ]; do
        grep -q 'Ready to rumble' "$work/git-daemon.log" && { git_port=$1; return 0; }
        kill -0 "$git_server" 2>/dev/null || break
        sleep 0.05
    done
    stop_git_server
    return 1
}
start_git_server() { # [PORT]
    local tries=0
    if [ $# = 1 ]; then try_git_server "$1" && return 0; fi
    while [ $# = 0 ] && [ $((tries += 1)) -lt 20 ]; do
        try_git_server $((20000 + RANDOM % 12000)) && return 0
    done
    not_ok "the dist-git server does not start" "$(cat "$work/git-daemon.log")"
    exit 1
}
try_file_server() { # PORT
    : >"$work/serve.out"
    "$tarn_program" repo serve --path "$work/lookaside" --port "$1" --verbose \
        >"$work/serve.out" 2>"$work/serve.log" </dev/null &
    file_server=$!
    local tries=0
    while [ $((tries += 1)) -lt 600 ] && [ ! -s "$work/serve.out" ]; do
        kill -0 "$file_server" 2>/dev/null || break
        sleep 0.05
    done
    grep -qxF "http://127.0.0.1:$1/" "$work/serve.out" && { file_port=$1; return 0; }
    stop_file_server
    return 1
}
start_file_server() { # [PORT]
    local tries=0
    if [ $# = 1 ]; then try_file_server "$1" && return 0; fi
    while [ $# = 0 ] && [ $((tries += 1)) -lt 20 ]; do
        try_file_server $((20000 + RANDOM % 12000)) && return 0
    done
    not_ok "the lookaside server does not start" "$(cat "$work/serve.out" "$work/serve.log")"
    exit 1
}
end() { [ -z "$1" ] || { kill "$1" 2>/dev/null; wait "$1" 2>/dev/null; }; }
stop_git_server() { end "$git_server"; git_server=''; }
stop_file_server() { end "$file_server"; file_server=''; }
stop_servers() { stop_git_server; stop_file_server; }
git_requests() { grep -c 'Request upload-pack' "$work/git-daemon.log"; }
file_requests() { grep -c '^GET' "$work/serve.log"; }
