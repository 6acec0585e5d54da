# SPDX-License-Identifier: MIT
# Components that cannot be rendered or locked, and servers that are gone. Sourced by components.sh.
# shellcheck shell=bash
render -a
good=$(digest_of "$specs")
locked=$(lock_digest)

# ---- overlays that do not apply ------------------------------------------------------------------
cp "$project/base/components.toml" "$work/saved"
cat >"$project/base/broken.toml" <<'EOT'
[components.yew]
spec = { upstream-name = "elm" }

[[components.yew.overlays]]
type = "spec-update-tag"
tag = "Licence"
value = "MIT"
EOT
update yew
expect "an overlay that matches nothing: where" 1 "base/broken.toml:6:7: error: overlay matches nothing" tarn component render yew
expect "an overlay that matches nothing: what there is" 1 "License" tarn component render yew
same "RENDER_FAILED alone, one line" "RENDER_FAILED 1" "$(ls "$specs/y/yew") $(wc -l <"$specs/y/yew/RENDER_FAILED")"
expect "the others go on" 3 "9 components, 0 changed, 1 failed" tarn component render -a
has_lines "the row of a failure" "$(json_of component render yew)" '[0].component = yew' '[0].status = error'
expect "exit code as azldev has it" 0 "1 failed" tarn --compat azldev component render yew
expect "or not" 1 "1 failed" tarn --compat azldev component render yew --fail-on-error
sed -i 's/Licence/License/' "$project/base/broken.toml"
expect "mended" 0 "1 changed, 0 failed" tarn component render yew
[ ! -e "$specs/y/yew/RENDER_FAILED" ] || not_ok "RENDER_FAILED stays"
rm "$project/base/broken.toml" "$project/locks/yew.lock"
expect "and gone" 0 "specs/y/yew" tarn component render -a --clean-stale

# ---- what dist-git does not have: no lock is written at all --------------------------------------
missing() { # description, wanted text, lines of TOML
    printf '%s\n' '[components.pine]' 'spec = { upstream-name = "birch" }' "$3" >"$project/base/missing.toml"
    expect "$1" 1 "$2" tarn component update -a
    expect "$1: said so" 1 "no lock was written" tarn component update -a
    same "$1: no lock changed" "$locked" "$(lock_digest)"
    rm "$project/base/missing.toml"
}
missing "no such package" "nosuch" '[components.nosuch]'
missing "no such branch" 'f99' '[components.beech]
spec = { upstream-name = "birch", upstream-distro = { name = "other", version = "1" } }
[distros.other]
default-version = "1"
dist-git-base-uri = "git://127.0.0.1:'"$git_port"'/$pkg.git"
[distros.other.versions.1]
dist-git-branch = "f99"'
missing "no such commit" 'deadbeef' '[components.beech]
spec = { upstream-name = "birch", upstream-commit = "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef" }'

# ---- the servers are gone ------------------------------------------------------------------------
expect "sources before" 0 "" tarn component prepare-sources cedar -o "$work/before"
stop_servers
for how in '' --offline; do
    rm -rf "$project/build" "$specs" "$work/after"
    expect "without servers: render ${how:-}" 0 "0 failed" tarn component render -a $how
    same "without servers: the same specs" "$good" "$(digest_of "$specs")"
    expect "without servers: sources ${how:-}" 0 "" tarn component prepare-sources cedar -o "$work/after" $how
    same "without servers: the same sources" "$(digest_of "$work/before")" "$(digest_of "$work/after")"
    expect "without servers: update ${how:-}" 0 "0 of 8 locks changed" tarn component update -a $how
done
export TARN_STORE=$work/store-empty
expect "nothing fetched, offline" 1 "--offline" tarn component render birch --offline -o "$work/nowhere"
expect "nothing fetched, no server" 1 "127.0.0.1" tarn component render birch -o "$work/nowhere"
expect "nothing fetched: the local one is rendered" 0 "1 changed, 0 failed" tarn component render larch -o "$work/nowhere"
start_git_server "$git_port"
start_file_server "$file_port"
rm -rf "$project/build" "$specs"
expect "the servers are back" 0 "0 failed" tarn component render -a
same "the servers are back: the same specs" "$good" "$(digest_of "$specs")"
