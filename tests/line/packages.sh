#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The published packages, imported and built, as others see them: rpmlint, rpm 4.18 of this machine
# and the rpm 6 that the distribution itself brings along.
#   packages.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/common.sh"
needs_line
for each in rpmlint bwrap rpm; do
    command -v $each >/dev/null || skip "this machine has no $each"
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
repo=$(readlink -f "$work/distro/out/repo/current")
key=$work/distro/keys/tarn.asc
mapfile -t packages < <(cd "$repo" && find Packages -name '*.rpm' | LC_ALL=C sort)
[ "${#packages[@]}" -gt 250 ] || not_ok "only ${#packages[@]} packages were published"

# ---- rpmlint, which asks rpm about signatures and so needs the key in rpm's database ----
mkdir -p "$scratch/home" "$scratch/db"
rpmkeys --dbpath "$scratch/db" --import "$key"
printf '%%_dbpath %s\n' "$scratch/db" >"$scratch/home/.rpmmacros"
lint() { HOME=$scratch/home XDG_CONFIG_HOME=$scratch/home LC_ALL=C.UTF-8 rpmlint --config "$source/tests/rpmlint.toml" "$@" 2>&1; }
report=$(lint "$repo")
errors=$(grep ': E: ' <<<"$report")
if [ -z "$errors" ] && grep -qE "^ *${#packages[@]} packages and 0 specfiles checked; 0 errors" <<<"$report"; then
    ok "rpmlint finds no error in ${#packages[@]} packages"
else
    not_ok "rpmlint" "$(printf '%s\n' "${errors:-$report}" | tail -n 40)"
fi
# The filters let nothing else through: the same package without its key is an error.
printf '%%_dbpath %s\n' "$scratch" >"$scratch/home/.rpmmacros"
lint "$repo/${packages[0]}" | grep -q ': E: unknown-key' && ok "rpmlint still finds errors" || not_ok "rpmlint finds no unknown key"

# ---- rpm 6 in a sandbox that is made of nothing but the distribution ----
# The tools tree, in which images are composed: it has mke2fs, and rpm.
root=$(find "$line_store/roots" -mindepth 3 -maxdepth 4 -path '*/usr/sbin/mke2fs' -print -quit)
root=${root%/usr/sbin/mke2fs}
[ -x "$root/usr/bin/rpmkeys" ] || { not_ok "no tools tree with rpm in the store"; exit 1; }
rpm6() {
    bwrap --unshare-all --die-with-parent --clearenv --setenv PATH /usr/bin:/usr/sbin --setenv LC_ALL C \
        --ro-bind "$root/usr" /usr --ro-bind "$root/etc" /etc --symlink usr/bin /bin --symlink usr/sbin /sbin \
        --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp --tmpfs /var \
        --ro-bind "$repo" /repo --ro-bind "$key" /key.asc --ro-bind "$scratch" /scratch --chdir /repo "$@"
}
version=$(rpm6 rpm --version 2>&1)
[[ $version == "RPM version 6."* ]] && ok "the distribution's rpm is $version" || not_ok "the distribution's rpm: $version"

printf '%s\n' "${packages[@]}" >"$scratch/list"
cat >"$scratch/verify.sh" <<'EOS'
rpmkeys --dbpath /tmp/db --import /key.asc
mapfile -t all </scratch/list
rpmkeys --dbpath /tmp/db --define '_pkgverify_level all' -Kv "${all[@]}"
EOS
verified=$(rpm6 bash /scratch/verify.sh 2>&1)
code=$?
counted=$(grep -cE 'OpenPGP .* signature, .*: OK$' <<<"$verified")
if [ "$code" = 0 ] && [ "$counted" = "${#packages[@]}" ] && ! grep -vE '(: OK|\.rpm:)$' <<<"$verified" | grep -q .; then
    ok "rpm 6 accepts $counted packages"
else
    not_ok "rpm 6: exit $code, $counted of ${#packages[@]} signatures are good" \
        "$(grep -vE '(: OK|\.rpm:)$' <<<"$verified" | head)"
fi
cat >"$scratch/altered.sh" <<'EOS'
rpmkeys --dbpath /tmp/db --import /key.asc
for each in /scratch/altered-*.rpm; do
    rpmkeys --dbpath /tmp/db --define '_pkgverify_level all' -K "$each" >/dev/null 2>&1 && echo "accepted: $each"
done
rpmkeys --dbpath /tmp/db --define '_pkgverify_level all' -K /scratch/unaltered.rpm
EOS
package=$(find "$repo/Packages" -name 'jq-[0-9]*.rpm')
size=$(stat -c %s "$package")
cp "$package" "$scratch/unaltered.rpm"
for at in 200 $((size / 3)) $((size / 2)) $((size - 5)); do
    cp "$package" "$scratch/altered-$at.rpm"
    byte=$(od -An -tu1 -j "$at" -N1 "$package")
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$scratch/altered-$at.rpm" bs=1 seek="$at" conv=notrunc status=none
done
same "rpm 6 refuses flipped bytes" "/scratch/unaltered.rpm: digests signatures OK" "$(rpm6 bash /scratch/altered.sh 2>&1)"

# Both read the same out of every package.
cat >"$scratch/query.sh" <<'EOS'
while read -r each; do
    printf '== %s\n' "$each"
    rpm --dbpath /tmp/none -qp --nosignature --requires --provides --conflicts --obsoletes "$each"
    rpm --dbpath /tmp/none -qp --nosignature --qf '%{NEVRA} %{LICENSE} %{SUMMARY}\n' "$each"
    rpm --dbpath /tmp/none -qplv --nosignature "$each"
done
EOS
rpm6 bash -c 'bash /scratch/query.sh </scratch/list' >"$scratch/rpm6" 2>&1
(cd "$repo" && LC_ALL=C TZ=UTC bash "$scratch/query.sh" <"$scratch/list") >"$scratch/rpm4" 2>&1
lines=$(wc -l <"$scratch/rpm4")
if [ "$lines" -gt 10000 ] && cmp -s "$scratch/rpm4" "$scratch/rpm6"; then
    ok "$(rpm --version) and rpm 6 read the same from all packages ($lines lines)"
else
    not_ok "rpm 4 and rpm 6 read different things" "$(diff "$scratch/rpm4" "$scratch/rpm6" | head -n 20)"
fi
all_ok
