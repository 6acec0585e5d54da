#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# vm-immutable: a verified root, a second slot made on the first boot, an update from a signed
# directory, a new version that does not come up and is rolled back, and a flipped byte that is
# refused at run time. Each is proven by a boot. Uses what the test `line` has published.
#   immutable.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/../line/common.sh"
export TARN_STORE=$line_store
here=$source/tests/images
needs_line
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
firmware=
for pair in OVMF_CODE_4M.fd:OVMF_VARS_4M.fd OVMF_CODE.fd:OVMF_VARS.fd; do
    [ -z "$firmware" ] && [ -e "/usr/share/OVMF/${pair%:*}" ] && firmware=/usr/share/OVMF/${pair%:*} variables=/usr/share/OVMF/${pair#*:}
done
[ -n "$firmware" ] || skip "there is no OVMF firmware"
for each in ip unshare nsenter; do
    command -v $each >/dev/null || skip "$each is not installed"
done

at=$work/immutable
project=$at/distro
copy_project "$at"
mkdir -p "$project/out"
cp -al "$work/distro/out/repo" "$project/out/repo"
servers=()
machine=
# The machines and what serves them: a network with nothing in it but its own loopback.
if [ "$(id -u)" = 0 ]; then apart=(unshare -n) join=(-n); else apart=(unshare -rn) join=(-U -n --preserve-credentials); fi
mkdir -p "$at"
"${apart[@]}" sh -c 'ip link set lo up && echo up && exec sleep 100000' >"$at/network" 2>&1 &
network=$!
until [ -s "$at/network" ]; do sleep 0.1; done
grep -q '^up$' "$at/network" || skip "there is no network namespace: $(cat "$at/network")"
inside=(nsenter -t "$network" "${join[@]}" --)
finish() {
    [ -z "$machine" ] || kill "$machine" 2>/dev/null
    kill "$network" 2>/dev/null
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null; done
    rm -rf "$at/disks"
}
trap finish EXIT

declared=$project/images/vm-immutable.image.toml
cp "$declared" "$at/declared.toml"
canary=$(head -c 49152 /dev/urandom | base64 -w0)
# VERSION, and what the version has beyond the image: builds it to $at/VERSION.
version() {
    local version=$1
    cp "$at/declared.toml" "$declared"
    sed -i "s|^\[images.vm-immutable\]|[images.vm-immutable]\nversion = \"$version\"|" "$declared"
    {
        printf '\n[[images.vm-immutable.files]]\npath = "/usr/share/tarn-check/canary"\ncontent = "%s"\n' "$canary"
        printf '\n[[images.vm-immutable.files]]\npath = "/usr/share/tarn-check/of-%s"\ncontent = "%s\\n"\n' "$version" "$version"
        [ "$version" != 3 ] || cat <<'TOML'

[[images.vm-immutable.files]]
path = "/usr/lib/systemd/system/never-good.service"
content = """
[Unit]
Before=boot-complete.target
[Service]
Type=oneshot
ExecStart=/usr/bin/false
"""

[[images.vm-immutable.files]]
path = "/usr/lib/systemd/system/boot-complete.target.d/99-never.conf"
content = """
[Unit]
Requires=never-good.service
"""
TOML
    } >>"$declared"
    expect "version $version is composed" 0 "" tarn image build vm-immutable
    rm -rf "${at:?}/$version"
    cp -r --sparse=always "$project/out/images/vm-immutable" "$at/$version"
}
# DIRECTORY: served on a free loopback port, whose number is left in $port.
serve() {
    "${inside[@]}" "$tarn_program" -C "$project" repo serve --path "$1" --port 0 >"$at/serve.log" 2>&1 &
    servers+=($!)
    for _ in $(seq 100); do
        port=$(grep -oE '127\.0\.0\.1:[0-9]+' "$at/serve.log" | head -n 1 | cut -d: -f2)
        [ -n "$port" ] && return 0
        sleep 0.1
    done
    not_ok "serving $1" "$(cat "$at/serve.log")"
}
encoded() { base64 -w0 <"$1"; }
# NAME DISK SCRIPT SECONDS [OPTION...]: one machine; its disk is not written.
boot() {
    local name=$1 disk=$2 script=$3 seconds=$4
    shift 4
    cp "$variables" "$at/vars.fd"
    printf '%s\n' '[Unit]' 'After=multi-user.target' '[Service]' 'Type=exec' 'ImportCredential=tarn.check' \
        'ExecStart=/usr/bin/bash %d/tarn.check' >"$at/unit"
    printf '%s\n' '[Unit]' 'Wants=tarn-check.service' >"$at/wanted"
    # An emulated machine on a busy one takes its time.
    printf '%s\n' '[Unit]' 'JobTimeoutSec=40min' >"$at/patient"
    local credentials=()
    for pair in systemd.extra-unit.tarn-check.service="$at/unit" systemd.unit-dropin.multi-user.target="$at/wanted" \
        systemd.unit-dropin.boot-complete.target="$at/patient" tarn.check="$script"; do
        credentials+=(-smbios "type=11,value=io.systemd.credential.binary:${pair%%=*}=$(encoded "${pair#*=}")")
    done
    : >"$at/$name.results"
    "${inside[@]}" timeout "$seconds" qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35,smm=off,hpet=off \
        -accel tcg,thread=multi -cpu max -smp 2 -m 2048 \
        -drive "if=pflash,format=raw,unit=0,readonly=on,file=$firmware" \
        -drive "if=pflash,format=raw,unit=1,file=$at/vars.fd" \
        -drive "if=none,id=disk,format=raw,snapshot=on,file=$disk" -device nvme,drive=disk,serial=tarn,bootindex=0 \
        -netdev user,id=net -device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci \
        -chardev "file,id=console,path=$at/$name.console" -serial chardev:console \
        -chardev "file,id=results,path=$at/$name.results" -serial chardev:results \
        "${credentials[@]}" "$@" >"$at/$name.qemu" 2>&1 &
    machine=$!
    wait "$machine"
    status=$?
    machine=
}
# NAME: every finding of the machine as one of this test.
findings() {
    local word name result detail
    while read -r word name result detail; do
        detail=${detail%$'\r'}
        [ "$word" = CHECK ] || continue
        if [ "$result" = pass ]; then ok "$name: $detail"; else not_ok "$name" "$detail"; fi
    done < <(tr -d '\0' <"$at/$1.results")
    grep -aE '^DATA ' "$at/$1.results" | head -n 60
    return 0
}

version 1.0
version 2
version 3
signed=$(ls "$at/2/vm-immutable.update")
same "an update directory" 5 "$(wc -l <<<"$signed")"
if command -v gpg >/dev/null; then
    export GNUPGHOME=$at/gnupg
    rm -rf "$GNUPGHOME" && mkdir -m 700 "$GNUPGHOME"
    gpg --quiet --batch --no-autostart --import "$project/keys/tarn.asc" 2>/dev/null
    expect "gpg accepts the signature of the update" 0 "" gpg --quiet --batch --no-autostart --verify \
        "$at/2/vm-immutable.update/SHA256SUMS.gpg" "$at/2/vm-immutable.update/SHA256SUMS"
fi
expect "sha256sum accepts the list" 0 "OK" env -C "$at/2/vm-immutable.update" sha256sum -c SHA256SUMS

# Version 9 says it is newer, and its list is not what was signed.
rm -rf "$at/bad" && cp -r "$at/2/vm-immutable.update" "$at/bad"
for file in "$at"/bad/vm-immutable_2*; do mv "$file" "${file/vm-immutable_2/vm-immutable_9}"; done
sed -i 's/vm-immutable_2/vm-immutable_9/' "$at/bad/SHA256SUMS"

serve "$at/2/vm-immutable.update"; url2=http://10.0.2.2:$port/
serve "$at/3/vm-immutable.update"; url3=http://10.0.2.2:$port/
serve "$at/bad"; url_bad=http://10.0.2.2:$port/
{
    printf "url2='%s'\nurl3='%s'\nurl_bad='%s'\nmode=update\n" "$url2" "$url3" "$url_bad"
    cat "$here/immutable_guest.sh"
} >"$at/update.sh"
boot update "$at/1.0/vm-immutable.raw" "$at/update.sh" 2700
findings update
boots=$(grep -aoE '^BOOT [^ ]+ [a-z]+' "$at/update.results" | paste -sd,)
case $boots in
    "BOOT 1.0 first,BOOT 2 second,"*"BOOT 2 third") ok "boots: $boots" ;;
    *) not_ok "boots: $boots" "$(tail -n 30 "$at/update.console")" ;;
esac
grep -aq '^END' "$at/update.results" && ok "the machine came to its end" || not_ok "the machine came to no end (status $status)"

# One bit of one file, in the middle of what the partition holds of it.
mkdir -p "$at/disks"
cp --sparse=always "$at/1.0/vm-immutable.raw" "$at/disks/flipped.raw"
offset=$(grep -aboF -m 1 "${canary:20000:48}" "$at/disks/flipped.raw" | head -n 1 | cut -d: -f1)
if [ -z "$offset" ]; then
    not_ok "the file to alter was not found in the image"
else
    byte=$(od -An -tu1 -j "$offset" -N1 "$at/disks/flipped.raw")
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$at/disks/flipped.raw" bs=1 seek="$offset" conv=notrunc status=none
    { printf 'mode=flip\n'; cat "$here/immutable_guest.sh"; } >"$at/flip.sh"
    boot flip "$at/disks/flipped.raw" "$at/flip.sh" 900 -no-reboot
    if grep -aq 'CHECK flip-before pass' "$at/flip.results" && ! grep -aq 'CHECK flip-refused' "$at/flip.results" &&
        grep -aq 'dm-verity.*corrupted' "$at/flip.console" && grep -aq 'Kernel panic' "$at/flip.console"; then
        ok "a flipped byte stops the machine that reads it"
    else
        not_ok "a flipped byte in the root" "$(tr -d '\0' <"$at/flip.results"; tail -n 20 "$at/flip.console")"
    fi
fi
all_ok
