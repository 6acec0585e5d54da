# SPDX-License-Identifier: MIT
# Releases, changelogs and histories over several commits of locks. Sourced by components.sh.
# shellcheck shell=bash
update() { tarn component update "$@" >"$work/out" 2>&1 </dev/null || not_ok "update $*" "$(cat "$work/out")"; }
render() { tarn component render "$@" >"$work/out" 2>&1 </dev/null || not_ok "render $*" "$(cat "$work/out")"; }
# What a release can be seen in: the tags, the number of %autorelease, the generated changelog.
releases_text() {
    local name
    for name in $all; do
        printf '==> %s <==\n' "$name"
        awk 'tolower($1) ~ /^release:/ || /^ *release_number = / { print }
             /^## START: Generated/ { on = 1; next } /^## END: Generated/ { on = 0 } on' \
            "$specs/${name:0:1}/$name/$name.spec"
    done
}
begin=$(git -C "$project" rev-parse HEAD)

# ---- first commit of the locks: each counts once -------------------------------------------------
render -a
commit "$project" 2026-03-02T12:00:00Z "Import components"
first=$(git -C "$project" rev-parse HEAD)
render -a
releases_text | matches_golden releases-1-import.txt
for wanted in abies++:fir-9-3.tl4 alder:alder-1.4-6.tl4 birch:birch-2.0-3.tl4 cedar:cedar-1.2-7.1.tl4 \
    dogwood:dogwood-3-2 elm:elm-1.0-6.tl4 larch:larch-1-4.tl4; do
    same "rpm reads ${wanted%%:*} with one commit of its lock" "${wanted#*:}" "$(nevr "${wanted%%:*}")"
done
whole=$(digest_of "$specs")
render -a --without-git
same "--without-git leaves the release alone" '5%{?dist}' "$(release_lines alder)"
render -a
same "and back" "$whole" "$(digest_of "$specs")"

# A change that is not committed counts too, the same way every time.
cp "$project/base/comps/alder.comp.toml" "$work/saved"
sed -i 's/feature = "2"/feature = "3"/' "$project/base/comps/alder.comp.toml"
printf '[components.birch.build]\nwith = ["bark"]\n' >"$project/base/dirty.toml"
sed -i '/^\[components.birch\]$/d' "$project/base/components.toml"
render alder birch
same "a change without a commit: one more release" '7%{?dist}' "$(release_lines alder)"
grep -qx -- '- Local changes (uncommitted)' "$specs/b/birch/birch.spec" ||
    not_ok "a change without a commit is in the changelog" "$(cat "$specs/b/birch/birch.spec")"
dirty=$(digest_of "$specs")
rm -rf "$project/build"
render alder birch
same "a dirty tree renders to the same bytes" "$dirty" "$(digest_of "$specs")"
git -C "$project" checkout -q -- base
rm "$project/base/dirty.toml"
render -a
same "without the change it is as before" "$whole" "$(digest_of "$specs")"

# ---- a mass rebuild ------------------------------------------------------------------------------
update -a --bump
has_lines "--bump is in the lock" "$(cat "$project/locks/alder.lock" "$project/locks/larch.lock")" 'manual-bump = 1'
commit "$project" 2026-03-05T12:00:00Z "Mass rebuild"
render -a
commit "$project" 2026-03-05T13:00:00Z "Render"
releases_text | matches_golden releases-2-bump.txt
same "a commit that changes no lock counts for nothing" '7%{?dist}' "$(release_lines alder)"
changed=$(json_of component changed --from "$begin")
same "changed: all are new since there were no locks" 8 "$(grep -c 'changeType = added' <<<"$changed")"
changed=$(json_of component changed --from "$first")
has_lines "changed: the shape of a row" "$changed" '[0].component = abies++' '[0].changeType = changed' \
    '[0].sourcesChange = false'
same "changed: nothing between equal commits" '[] ' "$(json_of component changed --from HEAD --to HEAD | sed 's/^ = //') "
expect "changed wants --from" 2 "--from" tarn component changed
expect "changed: no such commit" 1 "nowhere" tarn component changed --from nowhere

# ---- upstream moves on ---------------------------------------------------------------------------
author 'Ann Author' ann@example.org
here=$work/packages/alder
sed -i 's/^Release: .*/Release:        6%{?dist}/' "$here/alder.spec"
commit "$here" 2026-03-08T10:00:00Z "Rebuild for a library"
push
here=$work/packages/birch
sed -i 's/^Version: .*/Version:        3.0/' "$here/birch.spec"
commit "$here" 2026-03-08T10:00:00Z "Update to 3.0"
push
here=$work/packages/elm
merge_branch two 2026-03-06T10:00:00Z 2026-03-07T10:00:00Z 2026-03-08T10:00:00Z
push
here=$work/packages/cedar
printf 'data 4\n' >"$work/made/cedar-data-3/data"
sed -i '/cedar-data-3/d' "$here/sources"
into_lookaside cedar cedar-data-3.tar.gz "$work/made" >>"$here/sources"
commit "$here" 2026-03-08T10:00:00Z "New data"
push
here=$work/packages/dogwood
commit "$here" 2026-03-20T10:00:00Z "After the snapshot"
push
author 'Proj Lead' lead@example.net
expect "an old snapshot stays answered" 0 "0 of 8 locks would change" tarn component update -a --check-only
snapshot=2026-03-10T00:00:00Z
write_distro $snapshot
# What was fetched after a snapshot answers it for good; these commits were pushed later with an
# earlier date, so they are for a machine that has fetched nothing yet.
export TARN_STORE=$work/store-2
moved=$(json_of component update -a)
for name in $upstreams; do
    same "$name: the commit of the later snapshot" "$(commit_at "$name" $snapshot)" "$(lock_value "$name" upstream-commit)"
done
same "import-commit stays" "$(commit_at birch 2026-02-24T00:00:00-08:00)" "$(lock_value birch import-commit)"
has_lines "update: what it was before" "$moved" \
    "[2].previousCommit = $(lock_value birch import-commit)" "[2].upstreamCommit = $(lock_value birch upstream-commit)" \
    '[6].component = larch' '[6].changed = false' '[6].skipped = true' '[6].skipReason = up to date'
commit "$project" 2026-03-11T12:00:00Z "Take the snapshot of March 10"
render -a
commit "$project" 2026-03-11T13:00:00Z "Render"
releases_text | matches_golden releases-3-upstream.txt
changed=$(json_of component changed --from HEAD~2 --include-unchanged)
has_lines "changed: where fingerprint or sources differ" "$(paste -sd '  \n' <<<"$changed")" \
    '[1].component = alder [1].changeType = changed [1].sourcesChange = false' \
    '[3].component = cedar [3].changeType = changed [3].sourcesChange = true' \
    '[4].component = dogwood [4].changeType = unchanged [4].sourcesChange = false'
same "changed: of those named" $'birch\nelm' \
    "$(json_of component changed --from HEAD~2 birch dogwood elm | sed -n 's/.*\.component = //p')"
echo >>"$specs/d/dogwood/sources"
commit "$project" 2026-03-11T14:00:00Z "Something is wrong"
expect "sources without a fingerprint" 1 'component `dogwood`: its `sources` changed' tarn component changed --from HEAD~1
git -C "$project" reset -q --hard HEAD~1

# ---- history -------------------------------------------------------------------------------------
history=$(json_of component history -a --include-bare)
same "history: most customised first" alder "$(sed -n 's/^\[0\]\.name = //p' <<<"$history")"
same "history: every component" 8 "$(grep -c '^\[[0-9]*\]\.name = ' <<<"$history")"
history=$(json_of component history birch)
has_lines "history: the shape of a row" "$history" '[0].name = birch' '[0].customizations = 0' \
    '[0].customizationItems = []' '[0].sharedToml = true' '[0].tomlPath = base/components.toml' \
    '[0].tomlCommits = 1' "[0].latestCommit = $begin" '[0].fingerprintChanges = 3' \
    '[0].fingerprintChangeDetails[0].subject = Take the snapshot of March 10' \
    '[0].fingerprintChangeDetails[2].author = Proj Lead' \
    '[0].fingerprintChangeDetails[2].date = 2026-03-02T12:00:00Z' \
    "[0].fingerprintChangeDetails[2].commit = $first" '[0].hasLock = true' '[0].hasImport = true' \
    '[0].manualBump = 1' '[0].warnings = []'
expect "history: a card of one" 0 "1. overlay  spec-add-tag: Twice is allowed" tarn component history alder
expect "history: bare ones are hidden" 0 alder tarn component history
tarn component history 2>/dev/null | grep -q birch && not_ok "history shows bare components unasked"
tarn component history --shared omit 2>/dev/null | grep -q 'abies' && not_ok "history --shared omit shows shared ones"

# ---- a component goes ----------------------------------------------------------------------------
cp -r "$project" "$work/kept"
rm -r "$project/base/comps/larch"
sed -i 's/, "larch"//' "$project/base/components.toml"
expect "a lock without component: an error for all" 2 "larch" tarn component render -a
expect "but not for one" 0 "1 components, 0 changed" tarn component render alder
expect "--check-only tells of it" 1 "stale: lock of \`larch\`" tarn component update -a --check-only
expect "update removes it" 0 "removed: lock of \`larch\`" tarn component update -a
[ ! -e "$project/locks/larch.lock" ] || not_ok "the lock of a component that is gone stays"
expect "and render its directory" 0 "specs/l/larch" tarn component render -a --clean-stale
[ ! -e "$specs/l" ] || [ -z "$(ls "$specs/l")" ] || not_ok "the directory of a component that is gone stays"
commit "$project" 2026-03-12T12:00:00Z "Drop larch"
changed=$(json_of component changed --from HEAD~1)
has_lines "changed: deleted" "$changed" '[0].component = larch' '[0].changeType = deleted'
rm -rf "$project"
mv "$work/kept" "$project"

# ---- upstream rewrites its branch ----------------------------------------------------------------
good=$(digest_of "$specs")
here=$work/packages/fir
author 'Ann Author' ann@example.org
git -C "$here" checkout -q --orphan rewritten
git -C "$here" branch -q -D f43
git -C "$here" branch -q -m f43
commit "$here" 2026-01-07T11:00:00Z "Import fir 9, cleanly"
printf 'the most needles\n' >"$here/needles.txt"
commit "$here" 2026-03-09T10:00:00Z "The most needles"
push
author 'Proj Lead' lead@example.net
rm -rf "$project/build" "$specs"
render -a
same "a rewritten branch: what is locked stays what it is" "$good" "$(digest_of "$specs")"
same "a rewritten branch, with nothing fetched" "$good" "$(
    export TARN_STORE=$work/store-4
    tarn component render -a -o "$work/other-specs" >/dev/null 2>&1
    digest_of "$work/other-specs")"
export TARN_STORE=$work/store-3
update 'abies*' --force-recalculate
same "a rewritten branch: the new commit" "$(commit_at abies++ $snapshot)" "$(lock_value abies++ upstream-commit)"
commit "$project" 2026-03-13T12:00:00Z "Follow fir"
expect "the import commit is not on it" 1 "the branch was rewritten" tarn component render 'abies*'
same "what is left says so" RENDER_FAILED "$(ls "$specs/a/abies++")"
expect "the others go on" 3 "8 components, 0 changed, 1 failed" tarn component render -a
rm "$project/locks/abies++.lock"
update 'abies*'
commit "$project" 2026-03-14T12:00:00Z "Lock fir anew"
expect "locked anew, as the advice says" 0 "0 failed" tarn component render 'abies*'
expect "what was counted before is left out, with a warning" 0 "is left out of release and changelog" \
    tarn component render 'abies*' -o "$work/abies"
releases_text | sed -n '/abies/,/alder/p' | matches_golden releases-4-rewritten.txt
