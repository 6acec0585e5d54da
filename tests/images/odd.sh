#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Packages of everything that makes writers stumble, in a container, on ext4 and on EROFS: names with newlines and in
# no encoding, a file of more than 4 GiB that is nearly all hole, hard links within and across packages, setuid,
# capabilities, and 100,000 files in a directory: these not on ext4, for mke2fs searches the directory for each, which
# takes minutes.
#   odd.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/../line/common.sh"
needs_line
for program in debugfs e2fsck sgdisk dump.erofs skopeo; do
    command -v "$program" >/dev/null || skip "there is no $program"
done
scratch=$work/odd
rm -rf "$scratch"
mkdir -p "$scratch"
trap 'rm -rf "$scratch"' EXIT
[ "$(df --output=avail -B1 "$scratch" | tail -n 1)" -gt 25000000000 ] || skip "less than 25 GB are free for files of 4 GiB"
project=$scratch/distro
copy_project "$scratch"
cp -al "$line_store" "$scratch/store"
export TARN_STORE=$scratch/store

mkdir "$project/components/odd"
cat >"$project/components/odd/odd.spec" <<'EOS'
# What a package may be, and hardly ever is.
%global _invalid_encoding_terminates_build 0
%global debug_package %{nil}
Name:           odd
Version:        1
Release:        1%{?dist}
Summary:        Files that make writers stumble
License:        MIT
BuildArch:      noarch

%description
For tests.

%package many
Summary: 100,000 files
%description many
For tests.

%package twin
Summary: The other end of a hard link
%description twin
For tests.

%install
at=%{buildroot}/usr/share/odd
mkdir -p $at/many $at/names
(cd $at/many && seq -f 'file-%06.0f' 100000 | xargs touch)
echo latin >"$at/names/"$'latin-\xe9'
echo quote >"$at/names/quote\"and'and\\"
echo space >"$at/names/ leading and trailing "
echo dash >"$at/names/-rf"
truncate -s 4294967296 $at/large
echo end >>$at/large
echo linked >$at/first
ln $at/first $at/second
ln $at/first $at/elsewhere
echo program >$at/setuid
chmod 4755 $at/setuid
echo program >$at/capable
chmod 755 $at/capable
touch -d 1970-01-01T00:00:00Z $at/old

%files many
/usr/share/odd/many

%files
%dir /usr/share/odd
/usr/share/odd/names
/usr/share/odd/large
/usr/share/odd/first
/usr/share/odd/second
%attr(4755,root,root) /usr/share/odd/setuid
%caps(cap_net_raw=ep) /usr/share/odd/capable
/usr/share/odd/old

%files twin
/usr/share/odd/elsewhere
EOS
sed -i 's|^specs = \["selinux-policy|specs = ["odd/*.spec", "selinux-policy|' "$project/components/components.group.toml"
cat >"$project/images/odd.image.toml" <<'EOS'
[images.odd]
includes = ["container"]
packages = ["odd", "odd-many", "odd-twin"]
formats = ["oci", "docker-archive"]

# rpm does not package this one.
[[images.odd.files]]
path = "/usr/share/odd/names/line\nbreak"
content = "line"

[images.odd-ext4]
base = "edge"
packages = ["odd", "odd-twin"]
size = "7 GiB"
formats = ["raw"]
assert = { max-content = "9 GB", max-packages = 1000 }

[images.odd-erofs]
base = "odd-ext4"
packages = ["odd-many"]
filesystem = "erofs"
EOS

expect "the package is built and published" 0 "SNAPSHOT" tarn repo publish
for image in odd odd-ext4 odd-erofs; do
    expect "$image is built" 0 "$image" tarn image build "$image"
done
images=$project/out/images

# ---- the container: what its layers hold ----
mkdir "$scratch/layers"
skopeo copy -q "oci:$images/odd/odd.oci:1.0" "dir:$scratch/layers" || not_ok "skopeo takes the container"
list=$(for layer in "$scratch"/layers/*; do
    zstd -qdcf "$layer" 2>/dev/null | tar -tvf - --numeric-owner --quoting-style=c 2>/dev/null
done)
has() { grep -qF -- "$2" <<<"$list" && ok "$1" || not_ok "$1" "$(grep odd/ <<<"$list" | grep -v many/ | head -n 20)"; }
has "a newline in a name stays" 'usr/share/odd/names/line\nbreak"'
has "a name in no encoding stays" 'usr/share/odd/names/latin-\351"'
has "quotes and backslashes stay" "usr/share/odd/names/quote\\\"and'and\\\\\""
has "blanks at both ends stay" 'usr/share/odd/names/ leading and trailing "'
has "a file of more than 4 GiB has its size" " 4294967300 "
[ "$(grep -c odd/many/file- <<<"$list")" = 100000 ] && ok "100,000 files are there" || not_ok "100,000 files are there"
grep -qE '^h.*odd/second.* link to .*odd/first' <<<"$list" && ok "a hard link stays one" || not_ok "a hard link stays one"
grep -qE '^-.*odd/elsewhere' <<<"$list" && ok "across packages it is a file" || not_ok "across packages it is a file"
grep -qE '^-rwsr-xr-x .*odd/setuid' <<<"$list" && ok "setuid stays" || not_ok "setuid stays"

# ---- ext4 ----
raw=$images/odd-ext4/odd-ext4.raw
start=$(sgdisk -p "$raw" | awk '$NF == "root" { print $2 }')
ext4=$raw?offset=$((start * 512))
out=$(e2fsck -fn "$ext4" 2>&1) && ok "e2fsck finds nothing" || not_ok "e2fsck finds nothing" "$out"
inode() { debugfs -R "stat /usr/share/odd/$1" "$ext4" 2>/dev/null; }
debug() { debugfs -R "$1" "$ext4" 2>/dev/null; }
grep -q 'Size: 4294967300' <<<"$(inode large)" && ok "ext4: more than 4 GiB" || not_ok "ext4: more than 4 GiB" "$(inode large)"
debug 'ls -p /usr/share/odd/names' | LC_ALL=C grep -qa $'latin-\xe9/' && ok "ext4: a name in no encoding" || not_ok "ext4: a name in no encoding"
grep -q 'Links: 2' <<<"$(inode first)" && ok "ext4: a hard link" || not_ok "ext4: a hard link" "$(inode first)"
grep -q 'Mode: *04755' <<<"$(inode setuid)" && ok "ext4: setuid" || not_ok "ext4: setuid" "$(inode setuid)"
grep -q 'security.capability' <<<"$(debug 'ea_list /usr/share/odd/capable')" && ok "ext4: a capability" || not_ok "ext4: a capability"
[ "$(du -B1 "$raw" | cut -f1)" -lt 1500000000 ] && ok "ext4: a hole takes no room" ||
    not_ok "ext4: a hole takes no room" "$(du -h "$raw")"

# ---- EROFS ----
raw=$images/odd-erofs/odd-erofs.raw
start=$(sgdisk -p "$raw" | awk '$NF == "root" { print $2 }')
tail -c +$((start * 512 + 1)) "$raw" | head -c 2G | cp --sparse=always /dev/stdin "$scratch/erofs" 2>/dev/null
out=$(dump.erofs --path=/usr/share/odd/large "$scratch/erofs" 2>&1)
grep -qE 'Size: +4294967300' <<<"$out" && ok "EROFS: more than 4 GiB" || not_ok "EROFS: more than 4 GiB" "$out"
out=$(dump.erofs --path=/usr/share/odd/many --ls "$scratch/erofs" 2>&1)
[ "$(grep -c file- <<<"$out")" = 100000 ] && ok "EROFS: 100,000 files" || not_ok "EROFS: 100,000 files" "$(head -n 20 <<<"$out")"
fsck.erofs "$scratch/erofs" >/dev/null 2>&1 && ok "fsck.erofs finds nothing" || not_ok "fsck.erofs finds nothing"
all_ok
