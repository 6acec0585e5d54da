#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `image diff`, `image size` and `image verify` on what the test `line` published: every kind of
# image is as its manifest and rpmdb say; a byte, a mode, an attribute that was changed, a file that
# is missing and one that was added are found in each.
#   inspect.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/../line/common.sh"
needs_line
export TARN_STORE=$line_store
scratch=$work/inspect
rm -rf "$scratch"
mkdir -p "$scratch"
trap 'rm -rf "$scratch"' EXIT
images=$project/out/images
containers=(container-base container-distroless-minimal container-distroless-base container-distroless-debug)
manifest() { printf '%s/%s/manifest.json' "$images" "$1"; }
without() { printf 'skipped: %s\n' "$1"; }

# ---- what was built is what was meant ----
for name in vm edge wsl "${containers[@]}"; do
    out=$(tarn image build "$name" 2>&1) || not_ok "$name is built" "$out"
    expect "$name is as it should be" 0 "all as they should be" tarn image verify "$name"
done
expect "and so is its archive" 0 "all as they should be" tarn image verify "$images/container-base/container-base.docker.tar"
expect "and the VHD" 0 "all as they should be" tarn image verify "$images/vm/vm.vhd"
expect "the provenance is the project's" 0 "provenance: signed by" tarn image verify container-distroless-minimal --provenance
expect "what the image adds is listed" 0 "/etc/passwd added: composer" tarn image verify container-base --added
expect "as JSON" 0 '"good": true' tarn image verify container-base -O json
expect "a lone file needs a manifest" 2 "--manifest" tarn image verify "$work/distro/tarn.toml"
expect "a file of no format is refused" 2 "raw disks with GPT" \
    tarn image verify "$work/distro/tarn.toml" --manifest "$(manifest vm)"

# ---- what was altered is found ----
# WHAT MANIFEST IMAGE [PROBLEMS]: the five alterations, each by name.
finds() {
    local out code line wanted=${4:-5}
    out=$(tarn image verify "$3" --manifest "$2" 2>&1)
    code=$?
    [ $code = 1 ] || not_ok "$1: exit code $code" "$out"
    for line in '/usr/bin/cat the content is' '/usr/bin/head is missing' '/usr/bin/door is of no package' \
        '/usr/bin/ls the mode is 4755' '/usr/bin/tail has the attribute user.note'; do
        case $line in
            */usr/bin/tail*) [ -n "$attributes" ] || continue ;;
        esac
        grep -qF "$line" <<<"$out" && ok "$1: $line" || not_ok "$1: $line" "$out"
    done
    [ -n "$attributes" ] || wanted=$((wanted - 1))
    grep -q "; $wanted problems\$" <<<"$out" && ok "$1: and nothing else" || not_ok "$1: and nothing else" "$out"
}
members=(usr/bin/cat usr/bin/ls usr/bin/tail usr/bin/door)
attributes=
layer() { # ARCHIVE, member of $scratch/more...
    local archive=$1
    shift
    tar --format=posix --xattrs --xattrs-include='user.*' --owner=0 --group=0 --numeric-owner \
        --mtime='2020-01-01 00:00:00 UTC' -C "$scratch/more" -cf "$archive" "$@"
}

# tar: cat has another byte, ls another mode, door is new, tail has an attribute if the file system
# here keeps them
gunzip -c "$images/wsl/wsl.wsl" >"$scratch/altered.tar"
mkdir -p "$scratch/more"
tar -C "$scratch/more" -xf "$scratch/altered.tar" usr/bin/cat usr/bin/ls usr/bin/tail
printf '\1' | dd of="$scratch/more/usr/bin/cat" bs=1 seek=100 conv=notrunc status=none
chmod 4755 "$scratch/more/usr/bin/ls"
echo x >"$scratch/more/usr/bin/door"
chmod 755 "$scratch/more/usr/bin/door"
if command -v setfattr >/dev/null && setfattr -n user.note -v x "$scratch/more/usr/bin/tail" 2>/dev/null; then
    attributes=yes
else
    without "setfattr is not installed, or attributes are not kept here"
fi
# Under another name with the same letters its header keeps its checksum.
LC_ALL=C sed -i 's|usr/bin/head\x00|usr/bin/haed\x00|' "$scratch/altered.tar"
layer "$scratch/more.tar" "${members[@]}"
tar --concatenate -f "$scratch/altered.tar" "$scratch/more.tar"
finds "tar" "$(manifest wsl)" "$scratch/altered.tar" 6
mv "$scratch/altered.tar" "$scratch/altered.wsl"
expect "a .wsl file has to be gzip" 1 "WSL-COMPRESSION" tarn image verify "$scratch/altered.wsl" --manifest "$(manifest wsl)"
rm "$scratch/altered.wsl"

# docker-archive: a layer more, with a whiteout
name=container-distroless-debug
mkdir -p "$scratch/docker"
tar -C "$scratch/docker" -xf "$images/$name/$name.docker.tar"
: >"$scratch/more/usr/bin/.wh.head"
layer "$scratch/layer.tar" "${members[@]}" usr/bin/.wh.head
sum=$(sha256sum "$scratch/layer.tar" | cut -d' ' -f1)
mv "$scratch/layer.tar" "$scratch/docker/layer.tar"
config=$(grep -oE '"Config":"[^"]*' "$scratch/docker/manifest.json" | cut -d'"' -f4)
sed -i "s|\"diff_ids\":\[[^]]*|&,\"sha256:$sum\"|" "$scratch/docker/$config"
sed -i 's|"Layers":\[[^]]*|&,"layer.tar"|' "$scratch/docker/manifest.json"
rm "$scratch/docker/oci-layout" "$scratch/docker/index.json"
(cd "$scratch/docker" && tar -cf "$scratch/altered.tar" manifest.json layer.tar blobs)
finds "docker-archive" "$(manifest $name)" "$scratch/altered.tar"

# OCI layout: the same, as skopeo writes it
if command -v skopeo >/dev/null; then
    out=$(skopeo copy "docker-archive:$scratch/altered.tar" "oci:$scratch/altered.oci:1.0" 2>&1) || not_ok "skopeo takes the altered archive" "$out"
    finds "OCI layout" "$(manifest $name)" "$scratch/altered.oci"
else
    without "skopeo is not installed"
fi
rm -rf "$scratch/docker" "$scratch/more" "$scratch"/altered*
cp -r "$images/$name/$name.oci" "$scratch/broken.oci"
blob=$(find "$scratch/broken.oci/blobs" -type f -size +100k | LC_ALL=C sort | head -n 1)
printf '\1' | dd of="$blob" bs=1 seek=50000 conv=notrunc status=none
expect "a byte of a layer" 1 "sha256" tarn image verify "$scratch/broken.oci" --manifest "$(manifest $name)"

# disk: by debugfs, in the file system
if command -v debugfs >/dev/null && command -v sgdisk >/dev/null; then
    cp --sparse=always "$images/vm/vm.raw" "$scratch/altered.raw"
    root=$(sgdisk -p "$scratch/altered.raw" | awk '/^ +[0-9]+ /{ n = $1; s = $2 } END { print s * 512 }')
    at() { debugfs "$@" "$scratch/altered.raw?offset=$root" 2>/dev/null; }
    block=$(at -R "blocks /usr/bin/cat" | awk '{ print $1 }')
    printf '\1' | dd of="$scratch/altered.raw" bs=1 seek=$((root + block * 4096 + 100)) conv=notrunc status=none
    echo x >"$scratch/door"
    printf '%s\n' "rm /usr/bin/head" "cd /usr/bin" "write $scratch/door door" "sif ls mode 0104755" \
        "ea_set tail user.note x" >"$scratch/commands"
    at -w -f "$scratch/commands" >/dev/null
    attributes=yes
    # With SELinux the file that is new lacks a label too.
    labels=$(grep -c '"path": "lost+found"' "$(manifest vm)")
    finds "disk" "$(manifest vm)" "$scratch/altered.raw" $((5 + labels))
    mv "$scratch/altered.raw" "$scratch/vm.raw"
    expect "and the digest of the whole" 1 "vm.raw is " tarn image verify "$scratch/vm.raw" --manifest "$(manifest vm)"
    expect "diff says what was altered" 1 "~ /usr/bin/ls  mode 0755 -> mode 4755" tarn image diff vm "$scratch/vm.raw" --all
    rm -f "$scratch/vm.raw"
else
    without "debugfs or sgdisk is not installed"
fi
cp "$(manifest container-base)" "$scratch/manifest.json"
sed -i '0,/"sha256": "[0-9a-f]\{8\}/s//"sha256": "00000000/' "$scratch/manifest.json"
expect "an RPM the manifest does not mean" 1 "the manifest says 00000000" \
    tarn image verify "$images/container-base/container-base.oci" --manifest "$scratch/manifest.json"

# ---- diff ----
expect "an image is the same as itself" 0 "hold the same system" tarn image diff container-base container-base
expect "as its other format is" 0 "hold the same system" \
    tarn image diff "$images/container-base/container-base.oci" "$images/container-base/container-base.docker.tar"
out=$(tarn image diff container-base vm --all 2>&1)
for line in '+ kernel-core.x86_64' 'kernels: 1 added' '+ console  tty1 ttyS0' '+ CONFIG_EFI  y' \
    '+ ssh.service  enabled' '+ ssh.service  22/tcp' '+ kernel.kptr_restrict' '+ sshd ' '+ /usr/bin/sudo  setuid 4755' \
    '+ 1 ' '+ /EFI/BOOT/BOOTX64.EFI' '+ /usr/sbin/sshd  file 0755'; do
    grep -qF -- "$line" <<<"$out" && ok "diff: $line" || not_ok "diff: $line" "$(head -c 3000 <<<"$out")"
done
expect "as JSON" 1 '"before": "container-base"' tarn image diff container-base vm -O json
expect "as CSV" 1 'section,name,change,before,after' tarn image diff container-base vm -O csv

# ---- size ----
expect "sizes by package" 0 "by package" tarn image size vm
expect "sizes as CSV" 0 "package,directory,bytes,files" tarn image size vm -O csv
(cd "$scratch" && tarn image size vm --html a.html --svg a.svg >/dev/null 2>&1 && tarn image size "$images/vm" --html b.html >/dev/null 2>&1)
grep -q '<svg' "$scratch/a.html" && ! grep -qE 'src=|href=|url\(' "$scratch/a.html" && ok "a page that needs nothing else" || not_ok "a page that needs nothing else"
same "which is the same every time" "$(cat "$scratch/a.html")" "$(cat "$scratch/b.html")"
all_ok
