#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGKILL and SIGINT in the middle of every stage before the image (line.sh has that one): what is
# there stays sound, nothing runs on, and the same command then gives what it gives undisturbed.
#   kill.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/common.sh"
needs_line
here=$work/kill
project=$here/distro
export TARN_STORE=$here/store
rm -rf "$here"
copy_project "$here"
store_of_downloads "$TARN_STORE"
log=$here/log
lock=$project/locks/debian.lock
# PID: all that it has started, and what that has.
family() {
    local child
    for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        echo "$child"
        family "$child"
    done
}
alive() { [ -z "$struck_family" ] || ps -o pid=,args= -p "$(tr ' ' , <<<"$struck_family")" 2>/dev/null; }
results() { find "$TARN_STORE/results/$1" -type f 2>/dev/null | wc -l; }

# What holds whenever somebody was killed.
check_rest() {
    local what=$1 tries=0 out
    while [ -n "$(alive)" ] && [ $((tries += 1)) -lt 300 ]; do sleep 0.1; done
    [ -z "$(alive)" ] || not_ok "$what: something runs on" "$(alive)"
    out=$(tarn store verify 2>&1) && grep -q sound <<<"$out" || not_ok "$what: the store is not sound" "$out"
    if [ -e "$project/out/repo/current" ] && [ "$(repository_digests "$project/out/repo")" != "$published" ]; then
        not_ok "$what: a repository that is not whole was published"
    fi
}

# SIGNAL, description, condition (a command), command of tarn... The signal goes out as soon as the
# condition holds; `more` and `downloading` speak of what happened since the command began.
declare -A begun=()
struck_family='' late=0
more() { [ "$(results "$1")" -ge $((${begun[$1]} + $2)) ]; }
downloading() { find "$TARN_STORE/tmp" -type f -size +0 -newer "$here/began" 2>/dev/null | grep -q .; }
strike() {
    local signal=$1 what=$2 condition=$3 pid code room struck=0
    shift 3
    for room in import build signed repo; do begun[$room]=$(results $room); done
    touch "$here/began"
    # A shell starts what is in the background with SIGINT ignored.
    env --default-signal=INT "$tarn_program" -C "$project" "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        if eval "$condition"; then
            struck_family=$(echo "$pid" $(family "$pid"))
            kill -s "$signal" "$pid" 2>/dev/null && struck=1
            break
        fi
        sleep 0.02
    done
    wait "$pid" 2>/dev/null
    code=$?
    if [ $code = 0 ]; then
        # On a busy machine the last step may be over before the signal is seen: see the end.
        printf '%s: it was done before SIG%s reached it\n' "$what" "$signal"
        late=$((late + 1))
    elif [ $struck = 0 ]; then
        not_ok "$what: it ended (exit $code) before it could be struck" "$(tail -n 20 "$log")"
    elif [ "$signal" = KILL ] && [ $code = 137 ]; then
        ok "$what: killed"
    elif [ "$signal" = INT ] && [ $code = 130 ] && grep -q interrupted "$log"; then
        ok "$what: interrupted, and says so"
    else
        not_ok "$what: exit $code after SIG$signal" "$(tail -n 20 "$log")"
    fi
    check_rest "$what"
}
# description, wanted text, command of tarn...
completes() {
    local what=$1 text=$2
    shift 2
    expect "$what: the same command completes" 0 "$text" tarn "$@"
}

published=$(repository_digests "$work/distro/out/repo")

# ---- lock: the old one stays until there is a new one ----
blobs=$(find "$TARN_STORE/blobs" -type f | wc -l)
new_blobs() { [ "$(find "$TARN_STORE/blobs" -type f | wc -l)" -ge $((blobs + $1)) ]; }
before=$(sha256sum <"$lock")
strike KILL "lock, downloading" downloading lock
strike INT "lock, downloading" downloading lock
strike KILL "lock, an index is there" "new_blobs 2" lock
strike INT "lock, all indexes are there" "new_blobs 2 && sleep 1" lock
strike KILL "lock, all indexes are there" "new_blobs 2 && sleep 1.5" lock
[ "$(sha256sum <"$lock")" = "$before" ] && ok "the lock stays what it was" || not_ok "a killed lock changed the lock"
mkdir -p "$here/undisturbed"
cp -r "$project" "$work/guest" "$work/src" "$here/undisturbed/"
completes lock "wrote" lock
"$tarn_program" -C "$here/undisturbed/distro" --store "$here/undisturbed/store" lock >/dev/null 2>&1
same "the lock is what it is undisturbed" "$(cat "$here/undisturbed/distro/locks/debian.lock")" "$(cat "$lock")"
cp -p "$work/distro/locks/debian.lock" "$lock"  # the mirror may have moved on since `line` locked

# ---- import: about 280 packages, two results each ----
strike KILL "import, at the first" "more import 1" component build
strike INT "import, reading" "more import 90" component build
strike KILL "import, reading" "more import 90" component build
strike KILL "import, writing" "more import 100" component build
strike INT "import, writing" "more import 90" component build
strike KILL "import, writing" "more import 90" component build

# ---- build ----
building() {
    local each
    for each in $(family "$pid"); do
        [ "$(cat "/proc/$each/comm" 2>/dev/null)" = rpmbuild ] && return 0
    done
    return 1
}
strike KILL "build, in rpmbuild" building component build
strike INT "build, in rpmbuild" building component build
strike KILL "build, in a later rpmbuild" "more build 2 && building" component build
completes "component build" "jq" component build
check_rest "component build"

# ---- sign, publish: 300 packages ----
snapshot_begun() { find "$project/out/repo/snapshots" -mindepth 1 2>/dev/null | grep -q .; }
strike KILL "sign, at the first" "more signed 1" repo publish
strike INT "sign" "more signed 80" repo publish
strike KILL "sign" "more signed 80" repo publish
strike INT "publish, describing" "more repo 1" repo publish
strike KILL "publish, describing" "more repo 20" repo publish
rm -rf "$project/out/repo"
strike KILL "publish, writing the snapshot" snapshot_begun repo publish
completes "repo publish" SNAPSHOT repo publish
check_rest "repo publish"
same "the repository is what it is undisturbed" "$published" "$(repository_digests "$project/out/repo")"
expect "and nothing is left to do" 0 unchanged tarn repo publish
same "nothing half-written is left" "snapshots/$(basename "$(readlink -f "$project/out/repo/current")")" \
    "$(cd "$project/out/repo" && find . -mindepth 1 -maxdepth 2 ! -path './current*' ! -name .lock ! -path ./snapshots -printf '%P\n')"
[ $late -le 2 ] || not_ok "$late signals came too late to show anything"
all_ok && rm -rf "$here"
all_ok
