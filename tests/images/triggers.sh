#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What composing did in place of the packages' scripts, against the programs those scripts would have run: each runs
# inside the finished tree and must come to the same.
#   triggers.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/../line/common.sh"
needs_line
[ "$(id -u)" = 0 ] || skip "only root keeps the owners of the files it takes out of an image"
for program in debugfs sgdisk unshare; do
    command -v "$program" >/dev/null || skip "there is no $program"
done
unshare -m -n -p -f true 2>/dev/null || skip "no name spaces can be made here"
export TARN_STORE=$line_store
scratch=$work/triggers
rm -rf "$scratch"
mkdir -p "$scratch"
trap 'rm -rf "$scratch"' EXIT
inside() { # TREE, command...: nothing of this machine's but the kernel
    local tree=$1
    shift
    unshare -m -n -p -f sh -c 'mount -t proc proc "$1/proc" && exec chroot "$@"' sh "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 "$@" 2>&1
}
listing() { # DIRECTORY, below it...
    (cd "$1" && shift && find "$@" -printf '%p %y %m %U %G %l\n' | LC_ALL=C sort)
}
sums() { (cd "$1" && shift && sha256sum "$@"); }

expect "vm is built" 0 "vm" tarn image build vm
raw=$project/out/images/vm/vm.raw
start=$(sgdisk -p "$raw" | awk '$NF == "root" { print $2 }')
vm=$scratch/vm
mkdir "$vm"
debugfs -R "rdump / $vm" "$raw?offset=$((start * 512))" >/dev/null 2>&1
[ -x "$vm/usr/bin/systemctl" ] || { not_ok "the root file system can be taken out"; exit 1; }
mknod -m 666 "$vm/dev/null" c 1 3

# ---- accounts ----
before=$(sums "$vm" etc/passwd etc/group etc/shadow etc/gshadow)
out=$(inside "$vm" systemd-sysusers) || not_ok "systemd-sysusers runs" "$out"
same "systemd-sysusers has nothing to add" "$before" "$(sums "$vm" etc/passwd etc/group etc/shadow etc/gshadow)"
accounts() { (cd "$1" && LC_ALL=C sort etc/passwd | cut -d: -f1,3,4,6,7 && LC_ALL=C sort etc/group | cut -d: -f1,3,4); }
before=$(accounts "$vm")
rm "$vm"/etc/{passwd,group,shadow,gshadow}
out=$(inside "$vm" systemd-sysusers) || not_ok "systemd-sysusers runs again" "$out"
same "accounts are those systemd-sysusers makes" "$(accounts "$vm")" "$before"

# ---- the linker's cache ----
before=$(inside "$vm" ldconfig -p)
[ "$(wc -l <<<"$before")" -gt 50 ] && ok "ldconfig reads the cache" || not_ok "ldconfig reads the cache" "$before"
rm "$vm/etc/ld.so.cache"
out=$(inside "$vm" ldconfig -X) || not_ok "ldconfig runs" "$out"
same "the cache is the one ldconfig makes" "$(inside "$vm" ldconfig -p)" "$before"

# ---- kernel modules ----
version=$(basename "$(echo "$vm"/usr/lib/modules/*)")
made() { sums "$vm/usr/lib/modules/$version" modules.{alias,dep,devname,softdep,symbols,weakdep} modules.{alias,dep,symbols,builtin}.bin; }
before=$(made)
rm "$vm/usr/lib/modules/$version"/modules.{alias,dep,symbols}{,.bin}
out=$(inside "$vm" depmod "$version") || not_ok "depmod runs" "$out"
same "modules.* are those depmod makes" "$(made)" "$before"

# ---- hardware ----
before=$(sums "$vm" usr/lib/udev/hwdb.bin)
out=$(inside "$vm" systemd-hwdb --usr update) || not_ok "systemd-hwdb runs" "$out"
same "hwdb.bin is the one systemd-hwdb makes" "$(sums "$vm" usr/lib/udev/hwdb.bin)" "$before"

# ---- units ----
before=$(listing "$vm" etc/systemd)
for scope in --system --global; do
    out=$(inside "$vm" systemctl --root=/ "$scope" preset-all) || not_ok "systemctl $scope preset-all runs" "$out"
done
same "systemctl preset-all has nothing to change" "$(listing "$vm" etc/systemd)" "$before"
grep -q 'wants/ssh.service' <<<"$before" && ok "presets enable sshd" || not_ok "presets enable sshd" "$before"

# ---- certificates ----
if command -v update-ca-certificates >/dev/null && command -v openssl >/dev/null; then
    mkdir -p "$scratch/certs" "$scratch/local" "$scratch/hooks"
    (cd "$vm/usr/share/ca-certificates" && find . -name '*.crt' -printf '%P\n') >"$scratch/certs.conf"
    update-ca-certificates --certsconf "$scratch/certs.conf" --certsdir "$vm/usr/share/ca-certificates" \
        --localcertsdir "$scratch/local" --etccertsdir "$scratch/certs" --hooksdir "$scratch/hooks" >/dev/null 2>&1
    certificates() { awk '/BEGIN/ { one = "" } { one = one $0 } /END/ { print one }' "$1" | LC_ALL=C sort; }
    same "the bundle holds what update-ca-certificates puts into it" \
        "$(certificates "$scratch/certs/ca-certificates.crt" | sha256sum)" \
        "$(certificates "$vm/etc/ssl/certs/ca-certificates.crt" | sha256sum)"
else
    printf 'skipped: there is no update-ca-certificates\n'
fi

# ---- tmpfiles: an image that is not booted by its own kernel has what they ask for from the start ----
expect "wsl is built" 0 "wsl" tarn image build wsl
wsl=$scratch/wsl
mkdir "$wsl"
tar -xf "$project/out/images/wsl/wsl.wsl" -C "$wsl" --numeric-owner
[ -e "$wsl/dev/null" ] || mknod -m 666 "$wsl/dev/null" c 1 3
before=$(listing "$wsl" etc home opt root srv usr var)
out=$(inside "$wsl" systemd-tmpfiles --create --boot --exclude-prefix=/dev --exclude-prefix=/proc --exclude-prefix=/sys \
    --exclude-prefix=/run --exclude-prefix=/tmp)
same "systemd-tmpfiles has nothing to make" "$(listing "$wsl" etc home opt root srv usr var)" "$before"
all_ok
