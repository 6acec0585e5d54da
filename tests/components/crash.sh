# SPDX-License-Identifier: MIT
# SIGKILL in the middle of update and render, and two of them at once. Sourced by components.sh.
# shellcheck shell=bash
locked=$(lock_digest)
struck=0
# DELAY, command of tarn...: killed after so many seconds, unless it is done.
strike() {
    local delay=$1 pid code
    shift
    "$tarn_program" -C "$project" -j 2 --network-retries 1 "$@" >"$work/struck.log" 2>&1 </dev/null &
    pid=$!
    sleep "$delay"
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    code=$?
    [ $code != 137 ] || struck=$((struck + 1))
    [ $code = 137 ] || [ $code = 0 ] || not_ok "$*: exit $code before it was killed" "$(cat "$work/struck.log")"
}
# A rendered directory is as before or as after.
declare -A whole_of=()
for name in $all; do whole_of[$name]=$(digest_of "$specs/${name:0:1}/$name"); done
check_specs() {
    local name place
    for name in $all; do
        place=$specs/${name:0:1}/$name
        [ ! -e "$place" ] || [ "$(digest_of "$place")" = "${whole_of[$name]}" ] ||
            not_ok "after a kill, $name is half written" "$(tree_text "$place")"
    done
}
for delay in 0.01 0.03 0.06 0.1 0.15 0.2 0.3 0.5; do
    rm -rf "$project/build" "$specs" "$work/store-killed" "$project/locks"
    export TARN_STORE=$work/store-killed
    cp -r "$project" "$work/kept"
    git -C "$project" checkout -q -- locks
    strike "$delay" component update -a --force-recalculate
    same "update killed after $delay s: every lock is whole" "$locked" "$(lock_digest)"
    strike "$delay" component render -a
    check_specs
    rm -rf "$work/kept"
done
[ $struck -gt 2 ] || not_ok "only $struck of 16 were struck"
export TARN_STORE=$work/store-killed
expect "update after the kills" 0 "0 of 8 locks changed" tarn component update -a
expect "render after the kills" 0 "0 failed" tarn component render -a --clean-stale
same "specs after the kills" "$good" "$(digest_of "$specs")"
same "locks after the kills" "$locked" "$(lock_digest)"
same "nothing is left over" '' "$(find "$specs" "$project/locks" -name '.tarn*' -o -name '*.tmp*')"
expect "the store is sound" 0 "sound" tarn store verify

# ---- two at once ---------------------------------------------------------------------------------
for round in 1 2 3; do
    rm -rf "$project/build" "$specs" "$work/store-both"
    export TARN_STORE=$work/store-both
    tarn component render -a >"$work/one.log" 2>&1 </dev/null &
    one=$!
    tarn component render -a >"$work/two.log" 2>&1 </dev/null &
    two=$!
    wait $one
    code_one=$?
    wait $two
    codes="$code_one $?"
    same "two renders at once, round $round" "0 0" "$codes"
    [ "$codes" = "0 0" ] || cat "$work/one.log" "$work/two.log"
    same "two renders at once: the specs" "$good" "$(digest_of "$specs")"
done
tarn component update -a --force-recalculate >"$work/one.log" 2>&1 </dev/null &
one=$!
tarn component update -a --force-recalculate >"$work/two.log" 2>&1 </dev/null &
two=$!
wait $one
code_one=$?
wait $two
same "two updates at once" "0 0" "$code_one $?"
same "two updates at once: the locks" "$locked" "$(lock_digest)"
