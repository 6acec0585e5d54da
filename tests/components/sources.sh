# SPDX-License-Identifier: MIT
# Sources ready to build, what changed in them, and a lookaside that lies. Sourced by components.sh.
# shellcheck shell=bash
out=$work/sources
# The archive overlay's hash is not declared rightly yet: the error says the right one.
expect "an archive whose hash is declared wrongly" 1 "cedar-1.2.tar.gz" tarn component prepare-sources cedar -o "$out"
[ ! -e "$out" ] || not_ok "sources that failed left something behind"
made_hash=$(tarn component prepare-sources cedar -o "$out" 2>&1 | grep -oE '\b[0-9a-f]{128}\b' | grep -v '^0*$' | tail -1)
write_cedar "$made_hash"
update cedar
commit "$project" 2026-03-15T12:00:00Z "Say what the archive of cedar is"
expect "with the right one" 0 "" tarn component prepare-sources cedar -o "$out"
same "its sha512" "$made_hash" "$(sha512sum "$out/cedar-1.2.tar.gz" | cut -c1-128)"
same "inside: sorted, no owner, time 0, a member gone" "drwxr-xr-x 0/0 1970-01-01 cedar-1.2/
-rw-r--r-- 0/0 1970-01-01 cedar-1.2/config
drwxr-xr-x 0/0 1970-01-01 cedar-1.2/docs/
-rwxr-xr-x 0/0 1970-01-01 cedar-1.2/run.sh
lrwxrwxrwx 0/0 1970-01-01 cedar-1.2/start" \
    "$(tar -tvzf "$out/cedar-1.2.tar.gz" --numeric-owner | awk '{ print $1, $2, $4, $6 }')"
same "inside: changed text" $'timber = red\ntimber = dark' "$(tar -xOzf "$out/cedar-1.2.tar.gz" cedar-1.2/config)"
same "gzip: no time, no name, system 255" "1f 8b 08 00 00 00 00 00 02 ff" \
    "$(head -c 10 "$out/cedar-1.2.tar.gz" | od -An -tx1 | sed 's/^ //')"
same "the files" "$(printf '%s\n' .gitignore README.md cedar-1.2.tar.gz cedar-data-3.tar.gz cedar-rings-1.tar.gz \
    cedar.spec sources)" "$(ls -A "$out")"
same "a declared download" "$rings_hash" "$(sha256sum "$out/cedar-rings-1.tar.gz" | cut -c1-64)"
same "sources: replaced in place, kept, appended" \
    "cedar-1.2.tar.gz $made_hash cedar-data-3.tar.gz $(sha512sum "$out/cedar-data-3.tar.gz" | cut -c1-128) cedar-rings-1.tar.gz $rings_hash" \
    "$(sed 's/^SHA[0-9]* (\(.*\)) = /\1 /' "$out/sources" | tr '\n' ' ' | sed 's/ $//')"
asked=$(file_requests)
whole_sources=$(digest_of "$out")
expect "what is there is not replaced" 2 "--force" tarn component prepare-sources cedar -o "$out"
expect "but with --force" 0 "" tarn component prepare-sources cedar -o "$out" --force
same "the same bytes" "$whole_sources" "$(digest_of "$out")"
same "nothing is downloaded twice" "$asked" "$(file_requests)"
expect "as upstream has them" 0 "" tarn component prepare-sources cedar -o "$out" --force --skip-overlays
same "then nothing is changed" "wood = red" "$(tar -xOzf "$out/cedar-1.2.tar.gz" cedar-1.2/config | head -1)"
expect "without archives" 0 "left out" tarn component prepare-sources cedar -o "$out" --force --skip-sources
[ ! -e "$out/cedar-data-3.tar.gz" ] || not_ok "--skip-sources fetched sources"
expect "one component, not many" 2 "not one" tarn component prepare-sources '*' -o "$work/none"
expect "a directory is asked for" 2 "--output-dir" tarn component prepare-sources cedar

# ---- diff-sources, explain -----------------------------------------------------------------------
tarn component diff-sources dogwood 2>"$work/said" | matches_golden diff-dogwood.txt
expect "diff-sources into a file" 0 "" tarn component diff-sources dogwood --output-file "$work/dogwood.diff"
matches_golden diff-dogwood.txt <"$work/dogwood.diff"
rm -rf "$work/patched"
expect "without overlays" 0 "" tarn component prepare-sources dogwood -o "$work/patched" --skip-overlays --skip-sources
(cd "$work/patched" && git apply --whitespace=nowarn "$work/dogwood.diff") 2>"$work/said" ||
    not_ok "the diff does not apply" "$(cat "$work/said")"
expect "with overlays" 0 "" tarn component prepare-sources dogwood -o "$work/overlaid" --skip-sources
same "the diff leads from one to the other" "$(digest_of "$work/overlaid")" "$(digest_of "$work/patched")"
(cd "$project" && "$tarn_program" component explain dogwood) 2>"$work/said" |
    sed "s,$project/,," | matches_golden explain-dogwood.txt
explained=$(json_of component explain dogwood)
has_lines "explain as JSON" "$explained" 'version = 1' 'steps[0].what = overlay 1: spec-update-tag' \
    'steps[0].description = ' 'dependsOn[0].kind = upstream commit'

# ---- a lookaside that lies -----------------------------------------------------------------------
export TARN_STORE=$work/store-lies
find "$work/lookaside/cedar/cedar-data-3.tar.gz" -type f | while IFS= read -r truth; do
    cp "$truth" "$truth.kept"
    printf 'lies' >"$truth"
done
expect "a lookaside that lies" 1 "cedar-data-3.tar.gz" tarn component prepare-sources cedar -o "$work/lies"
expect "what was expected is said" 1 "expected the sha512" tarn component prepare-sources cedar -o "$work/lies"
[ ! -e "$work/lies" ] || not_ok "wrong bytes reached the sources"
same "and none stays in the store" '' "$(grep -rlx lies "$TARN_STORE" 2>/dev/null)"
find "$work/lookaside" -name '*.kept' | while IFS= read -r truth; do mv "$truth" "${truth%.kept}"; done
expect "when it tells the truth again" 0 "" tarn component prepare-sources cedar -o "$work/lies"
same "the right sources" "$whole_sources" "$(digest_of "$work/lies")"
export TARN_STORE=$work/store-3
