# SPDX-License-Identifier: MIT
# From declarations to locks and rendered specs; what is listed. Sourced by components.sh.
# shellcheck shell=bash
snapshot=2026-02-24T00:00:00-08:00
upstreams='abies++ alder birch cedar dogwood elm'
all="$upstreams larch maple"
package_of() { if [ "$1" = abies++ ]; then echo fir; else echo "$1"; fi; }
# COMPONENT, TIME: what git itself says.
commit_at() {
    git -C "$work/packages/$(package_of "$1")" rev-list -1 --first-parent --before="$2" f43
}
lock_value() { sed -n "s/^$2 = '\(.*\)'$/\1/p" "$project/locks/$1.lock"; }
lock_digest() { (cd "$project/locks" && sha256sum -- *.lock | sha256sum | cut -c1-64); }
specs=$project/specs
release_lines() { grep -iE '^Release *:' "$specs/${1:0:1}/$1/$1.spec" | sed 's/^[^:]*: *//'; }

# ---- what is declared ----------------------------------------------------------------------------
list=$(json_of component list -a)
same "list: every component, by name, the excluded spec left out" "$(printf '%s\n' $all)" \
    "$(sed -n 's/^\[[0-9]*\]\.name = //p' <<<"$list")"
has_lines "list: configuration is resolved" "$list" \
    '[0].spec.upstream-name = fir' '[0].spec.upstream-distro.version = 43' \
    "[0].spec.upstream-distro.snapshot = $snapshot" '[0].build.check.skip = true' \
    '[0].release.calculation = auto' '[1].overlays[0].type = spec-add-tag' \
    '[3].release.calculation = manual' '[6].spec.type = local' '[7].spec.type = local'
same "list: a table without names is of every component" 9 "$(tarn component list | wc -l)"
same "list: patterns and -p, each once" $'alder\nbirch' \
    "$(json_of component list alder -p '*ir*' 'a?der' | sed -n 's/^\[[0-9]*\]\.name = //p')"
same "list: a group's spec patterns" maple "$(json_of component list -g extra | sed -n 's/^\[[0-9]*\]\.name = //p')"
same "list: by spec" larch \
    "$(json_of component list -s "$project/base/comps/larch/larch.spec" | sed -n 's/^\[[0-9]*\]\.name = //p')"
same "list: listed members are of the group" abies++ \
    "$(json_of component list -g no-checks | sed -n 's/^\[[0-9]*\]\.name = //p')"
same "list: not so in azldev" '[]' "$(tarn --compat azldev -O json component list -g no-checks 2>/dev/null)"
expect "an option's value is one word" 0 '"name": "alder"' tarn component list -O json alder
expect "a typing error" 2 'did you mean `alder`?' tarn component list aldr
expect "no selection" 2 "no component was named" tarn component render
expect "no selection, as azldev has it" 0 "no component was named" tarn --compat azldev component render
expect "a pattern without a match is no error" 0 "no component matches" tarn component render 'no*'
has_lines "dump as JSON" "$(json_of project dump)" 'components.birch.spec.type = upstream' \
    'component-groups.no-checks.components[0] = abies++' 'distros.fedora.versions.43.dist-git-branch = f43'
expect "dump says where values come from" 0 'calculation = "manual"  # ' tarn project dump --origins cedar
has_lines "the schema is JSON" "$(tarn project schema | json_lines)" 'type = object' \
    'properties.project.properties.lock-dir.type = string'
has_lines "package list" "$(json_of package list -a)" '[0].packageName = alder' '[0].type = rpm' \
    '[0].packageGroups[0] = core' '[0].componentGroups = []' '[0].component = ' '[0].publishChannel = core'

# ---- locks ---------------------------------------------------------------------------------------
expect "render wants locks" 2 'component `birch` has no lock' tarn component render birch
expect "prepare-sources wants locks" 2 'has no lock' tarn component prepare-sources birch -o "$work/none"
expect "a missing lock would be written" 1 "8 of 8 locks would change" tarn component update -a --check-only
[ -e "$project/locks" ] && not_ok "--check-only wrote locks"
updated=$(json_of component update -a)
same "update: every component, in order" "$(printf '%s\n' $all)" "$(sed -n 's/.*\]\.component = //p' <<<"$updated")"
has_lines "update: the shape of a row" "$updated" '[0].previousCommit = ' '[0].changed = true' \
    '[0].skipped = false' '[0].skipReason = ' '[0].error = ' '[6].upstreamCommit = '
for name in $upstreams; do
    wanted=$(commit_at "$name" $snapshot)
    same "$name: the commit of the snapshot" "$wanted $wanted" \
        "$(lock_value "$name" import-commit) $(lock_value "$name" upstream-commit)"
done
for name in $all; do
    printf '==> %s.lock <==\n' "$name"
    sed "s/^\(resolution-input-hash = 'sha256:\)[0-9a-f]\{64\}'$/\1(the address of the server is in it)'/" \
        "$project/locks/$name.lock"
done | matches_golden locks.txt
record() { printf '%d:%s=%d:%s\n' ${#1} "$1" ${#2} "$2"; }
resolution() { # UPSTREAM-NAME
    {
        record snapshot $snapshot; record distro_name fedora; record distro_version 43
        record dist_git_branch f43; record dist_git_base_uri "git://127.0.0.1:$git_port/\$pkg.git"
        record upstream_commit_pin ''; record upstream_name "$1"
    } | sha256sum | cut -c1-64
}
same "resolution hash, plain" "sha256:$(resolution '')" "$(lock_value birch resolution-input-hash)"
same "resolution hash, other name" "sha256:$(resolution fir)" "$(lock_value abies++ resolution-input-hash)"
asked=$(git_requests)
expect "update again" 0 "0 of 8 locks changed" tarn component update -a
expect "nothing would change" 0 "0 of 8 locks would change" tarn component update -a --check-only
same "a snapshot that is answered is not asked for again" "$asked" "$(git_requests)"

# ---- rendering -----------------------------------------------------------------------------------
rendered=$(json_of component render -a)
has_lines "render: the shape of a row" "$rendered" '[0].component = abies++' '[0].status = ok' \
    '[0].changed = true' '[0].error = ' '[7].component = maple'
grep -q 'outputDir = .*specs/a/abies++$' <<<"$rendered" || not_ok "render: outputDir" "$rendered"
grep -q 'cedar-1.2.tar.gz are left out' "$work/said" || not_ok "render: says archives are left out" "$(cat "$work/said")"
same "render asks no lookaside" 0 "$(file_requests)"
for name in $all; do
    tree_text "$specs/${name:0:1}/$name" | matches_golden "$name.txt"
done
same "a name that URLs escape has a link" abies++ "$(readlink "$specs/a/abies%2B%2B")"
same "nothing else is there" "$(printf '%s\n' 'abies%2B%2B' $all | LC_ALL=C sort)" \
    "$(cd "$specs" && find . -mindepth 2 -maxdepth 2 | sed 's,.*/,,' | LC_ALL=C sort)"
# rpm itself, as the judge of what was made.
nevr() {
    rpmspec -q --srpm --define "_sourcedir $specs/${1:0:1}/$1" --define 'dist .tl4' \
        --qf '%{name}-%{version}-%{release}\n' "$specs/${1:0:1}/$1/$1.spec" 2>&1 | grep -v '^warning:'
}
for wanted in abies++:fir-9-2.tl4 alder:alder-1.4-5.tl4 birch:birch-2.0-2.tl4 cedar:cedar-1.2-7.1.tl4 \
    dogwood:dogwood-3-1 elm:elm-1.0-5.tl4 larch:larch-1-3.tl4; do
    same "rpm reads ${wanted%%:*}, no release counted before locks are committed" \
        "${wanted#*:}" "$(nevr "${wanted%%:*}")"
done
whole=$(digest_of "$specs")
times() { (cd "$specs" && find . -exec stat -c '%n %y %i' {} + | LC_ALL=C sort); }
before=$(times)
again=$(json_of component render -a)
same "render again: nothing changed" 8 "$(grep -c 'changed = false' <<<"$again")"
same "render again: nothing is touched" "$before" "$(times)"
expect "--check-only finds nothing" 0 "8 components, 0 changed, 0 failed" tarn component render -a --check-only
rm -rf "$project/build"
expect "the same without the index" 0 "8 components, 0 changed, 0 failed" tarn component render -a
same "and nothing is touched" "$before" "$(times)"

# Whatever is done to the rendered tree is seen, and mended.
tamper() { # description, component, command...
    local what=$1 name=$2
    shift 2
    "$@"
    expect "$what: seen" 1 "8 components, 1 changed" tarn component render -a --check-only
    expect "$what: mended" 0 "1 components, 1 changed" tarn component render "$name"
    same "$what: as it was" "$whole" "$(digest_of "$specs")"
}
tamper "an edited spec" alder sed -i s/gcc/gdd/ "$specs/a/alder/alder.spec"
tamper "a further file" birch touch "$specs/b/birch/more"
tamper "a missing file" dogwood rm "$specs/d/dogwood/dogwood.ini"
tamper "another mode" birch chmod 644 "$specs/b/birch/birch.sh"
tamper "a missing directory" elm rm -r "$specs/e/elm"
tamper "a missing link" abies++ rm "$specs/a/abies%2B%2B"
mkdir -p "$specs/z/zelkova"
touch "$specs/z/zelkova/zelkova.spec"
expect "stale directories stay unless asked for" 0 "0 changed" tarn component render -a
expect "--clean-stale needs --all" 2 "--all" tarn component render --clean-stale birch
expect "--clean-stale --check-only tells" 1 "specs/z/zelkova" tarn component render -a --clean-stale --check-only
expect "--clean-stale removes" 0 "specs/z/zelkova" tarn component render -a --clean-stale
same "and nothing else" "$whole" "$(digest_of "$specs")"
expect "into another directory" 0 "8 changed" tarn component render -a -o "$work/elsewhere"
same "the same specs there" "$whole" "$(digest_of "$work/elsewhere")"
echo mine >>"$work/elsewhere/b/birch/birch.spec"
expect "what differs there is not overwritten" 1 "--force" tarn component render birch -o "$work/elsewhere"
grep -q mine "$work/elsewhere/b/birch/birch.spec" || not_ok "it was overwritten all the same"
expect "but with --force" 0 "1 changed" tarn component render birch -o "$work/elsewhere" -f
same "the same specs again" "$whole" "$(digest_of "$work/elsewhere")"
