// SPDX-License-Identifier: MIT
#include "vm/detail/guest_checks.hh"

#include "base/strings.hh"

namespace tarn::vm {

namespace {

constexpr const char* kUnit = R"([Unit]
Description=Boot test of this machine
After=multi-user.target

[Service]
Type=exec
ImportCredential=tarn.check
ImportCredential=tarn.check-key
# As an administrator who logged in; without SELinux it means nothing.
SELinuxContext=-unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023
ExecStart=/usr/bin/bash %d/tarn.check
StandardOutput=journal
)";

constexpr const char* kWanted = "[Unit]\nWants=tarn-check.service\n";

// Reads nothing from the host: all it needs to know is put in front of it as variables.
constexpr const char* kScript = R"bash(
for _ in $(seq 60); do [ -c "$results" ] && break; sleep 1; done
# Programs that are confined inherit it: a terminal is what they may write to.
[ -z "$selinux" ] || chcon -t tty_device_t "$(readlink -f "$results")"
stty -F "$results" raw -echo 2>/dev/null
exec 3>"$results"
say() { printf '%s\n' "$*" >&3; }
check() { # name, 0 or not, detail
    local result=fail
    [ "$2" = 0 ] && result=pass
    say "CHECK $1 $result $(printf '%s' "$3" | tr '\n' ';' | tail -c 400)"
}
data() { while IFS= read -r line; do say "DATA $1 $line"; done; }

say BEGIN
[ "$(systemctl is-active multi-user.target)" = active ]
check multi-user $? "multi-user.target is $(systemctl is-active multi-user.target)"
state=$(timeout 300 systemctl is-system-running --wait)
[ "$state" = running ]
check system-running $? "the system is $state"
failed=$(systemctl list-units --failed --plain --no-legend --no-pager | cut -d' ' -f1)
[ -z "$failed" ]
check no-failed-unit $? "${failed:-none failed}"
for unit in $failed; do systemctl status "$unit" --no-pager -n 5 2>&1 | data "unit-$unit"; done

systemd-analyze time 2>&1 | data times
systemd-analyze blame --no-pager 2>/dev/null | head -n 8 | data blame
. /etc/os-release
[ "$ID" = tarn ]
check os-release $? "$PRETTY_NAME"
id=$(cat /etc/machine-id)
[ "${#id}" = 32 ]
check machine-id $? "made on first boot"
for unit in sshd.service systemd-networkd.service systemd-resolved.service chronyd.service; do
    state=$(systemctl is-active "$unit")
    [ "$state" = active ]
    check "unit-${unit%.service}" $? "$state"
done
keys=$(ls /etc/ssh/ssh_host_*_key 2>/dev/null | wc -l)
[ "$keys" -gt 0 ]
check ssh-host-keys $? "$keys made on first boot"
{ ls -l /dev/sr0; cat /sys/class/dmi/id/chassis_asset_tag /sys/class/dmi/id/product_uuid; } 2>&1 | data platform
! command -v curl >/dev/null || { curl -sS -m 20 -H 'Metadata: true' \
    'http://169.254.169.254/metadata/instance/compute/name?api-version=2021-02-01&format=text'; echo; } 2>&1 |
    data platform
if [ -n "$user" ]; then
out=$(timeout 600 tarn-provision status --wait 2>&1)
check provision-status $? "$out"
[ "$(hostnamectl hostname --static 2>/dev/null || hostname)" = "$hostname" ]
check provision-hostname $? "$(hostname), wanted $hostname"
out=$(getent passwd "$user")
check provision-user $? "${out:-there is no $user}"
state=$(getent shadow "$user" | cut -d: -f2)
case $state in '!'*|'*'*) state=locked ;; '') state=empty ;; *) state=set ;; esac
[ "$state" = "$password" ]
check provision-password $? "the password is $state, wanted $password"
key=/run/tarn-provision-key
install -m 600 "$CREDENTIALS_DIRECTORY/tarn.check-key" $key
out=$(timeout 240 ssh -q -i $key -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile=/dev/null "$user@127.0.0.1" 'id -un; ! command -v sudo >/dev/null || sudo -n id -un' 2>&1 | tr '\n' ' ')
rm -f $key
wanted="$user "
! command -v sudo >/dev/null || wanted="$user root "
[ "$out" = "$wanted" ]
check provision-login $? "${out:-no answer}"
[ -s /run/tarn/provision/report.json ]
check provision-report $? "$(head -c 300 /run/tarn/provision/report.json 2>&1)"
{ tr -d '\n' </run/tarn/provision/status.json; echo; } 2>&1 | data provision
fi
# Somebody logs in, with a key: from the outside that is what the machine is for.
if command -v ssh >/dev/null && command -v useradd >/dev/null; then
    home=/home/tarn-check
    key=/run/tarn-check-key
    out=$({
        useradd -m -d $home tarn-check && ssh-keygen -q -t ed25519 -N '' -f $key &&
            install -d -m 700 -o tarn-check $home/.ssh &&
            install -m 600 -o tarn-check $key.pub $home/.ssh/authorized_keys
        ! command -v restorecon >/dev/null || restorecon -R $home
        timeout 240 ssh -q -i $key -o BatchMode=yes -o StrictHostKeyChecking=no \
            -o UserKnownHostsFile=/dev/null tarn-check@127.0.0.1 \
            'id -un; touch made && rm made && cat /proc/self/attr/current 2>/dev/null'
    } 2>&1 | tr '\0' ' ')
    grep -q '^tarn-check$' <<<"$out"
    check ssh-login $? "$out"
    if [ -n "$selinux" ]; then
        grep -q ':unconfined_t:' <<<"$out"
        check ssh-login-label $? "$(tail -n 1 <<<"$out")"
    fi
    userdel -r tarn-check >/dev/null 2>&1
    rm -f $key $key.pub
fi
shadow=$(cut -d: -f2 /etc/shadow | grep -vE '^[!*]' | wc -l)
wanted=0
[ "$password" != set ] || wanted=1
[ "$shadow" = "$wanted" ]
check no-secrets $? "$shadow accounts with a password"

if [ "$secure_boot" = yes ]; then
variables=/sys/firmware/efi/efivars
vendor=8be4df61-93ca-11d2-aa0d-00e098032b8c
value() { od -An -t u1 -j 4 -N 1 "$variables/$1-$vendor" 2>/dev/null | tr -d ' '; }
[ "$(value SecureBoot)" = 1 ] && [ "$(value SetupMode)" = 0 ]
check secure-boot $? "SecureBoot=$(value SecureBoot), SetupMode=$(value SetupMode)"
fi

bad=""
count=0
while IFS='=' read -r key value; do
    key=${key//[[:space:]]/}
    value=$(echo $value)
    case $key in ''|'#'*|';'*) continue ;; esac
    key=${key#-}
    count=$((count + 1))
    now=$(sysctl -n "$key" 2>/dev/null | tr '\t' ' ')
    [ "$now" = "$value" ] || bad="$bad $key is '$now', wanted '$value';"
done < <(cat /usr/lib/sysctl.d/*tarn*.conf)
[ -z "$bad" ] && [ "$count" -gt 0 ]
check hardening-sysctls $? "${bad:-$count in force}"

if command -v rpm >/dev/null; then
rpm -qa --qf '%{NAME} %{EVR} %{ARCH}\n' | grep -v '^gpg-pubkey ' | data rpm
rpm -Va 2>&1 | data verify
else
say "DATA no-rpm yes"
fi

if [ -n "$package" ]; then
# The machine is up before the network is: wait for it.
for _ in $(seq 120); do
    curl -sfo /dev/null "$good_url/repodata/repomd.xml" && break
    sleep 1
done
dnf="dnf5 -y"
rpm -q "$package" >/dev/null 2>&1 && check boot-install-absent 1 "$package is in the image already"
out=$($dnf --setopt=cachedir=/var/tmp/bad "--setopt=tarn.baseurl=$bad_url" install "$package" 2>&1)
code=$?
rpm -q "$package" >/dev/null 2>&1 && code=0
# Refused for what it is, by a server that is there.
curl -sfo /dev/null "$bad_url/repodata/repomd.xml" && [ "$code" != 0 ] &&
    grep -qiE 'checksum|signature|digest' <<<"$out"
check altered-package-refused $? "$(printf '%s' "$out" | tail -n 4)"
out=$($dnf "--setopt=tarn.baseurl=$good_url" install "$package" 2>&1)
code=$?
[ "$code" = 0 ] && rpm -q "$package" >/dev/null
check dnf-install $? "$(rpm -q "$package" 2>&1) $( [ $code = 0 ] || printf 'exit %s: %s' "$code" "$out" )"
[ "$code" = 0 ] || printf '%s\n' "$out" | data dnf-install
rpm -V "$package" >/dev/null 2>&1
check installed-verifies $? "rpm -V $package"
out=$($dnf "--setopt=tarn.baseurl=$good_url" history undo last 2>&1)
code=$?
[ "$code" = 0 ] && ! rpm -q "$package" >/dev/null 2>&1
check dnf-history-undo $? "$(printf '%s' "$out" | tail -n 3)"
fi

if [ "$integrity" = verity ]; then
root=$(findmnt -no FSTYPE,OPTIONS /)
case $root in "erofs ro"*) ;; *) false ;; esac
check root-read-only $? "$root"
mapped=$(cat /sys/block/dm-0/dm/uuid 2>/dev/null)
case $mapped in CRYPT-VERITY-*) ;; *) false ;; esac
check root-verified $? "${mapped:-no device mapper}"
slots=$(lsblk -nro PARTLABEL | grep -c '^_empty$')
[ "$slots" = 2 ]
check second-slot $? "$slots partitions wait for the next version"
state=$(findmnt -no FSTYPE /var)
layer=$(findmnt -no FSTYPE /etc)
[ "$state" = ext4 ] && [ "$layer" = overlay ]
check state-is-kept $? "/var is $state, /etc is $layer"
for _ in $(seq 60); do systemctl is-active --quiet systemd-bless-boot.service && break; sleep 1; done
systemctl is-active --quiet systemd-bless-boot.service
check boot-blessed $? "$(find /efi/EFI/Linux -name '*.efi' -printf '%f ')"
fi

# Last, so that what the checks before it did counts as well.
if [ -n "$selinux" ]; then
enforced=$(cat /sys/fs/selinux/enforce 2>/dev/null)
wanted=0
[ "$selinux" = enforcing ] && wanted=1
[ "$enforced" = "$wanted" ]
check selinux-mode $? "wanted $selinux, enforce is ${enforced:-missing}"
denied=$(journalctl -b --no-pager -q -o cat 2>/dev/null |
    grep -E 'avc: +denied|SELINUX_ERR|USER_AVC.*denied' | sort -u)
# Permissive is for finding out: there they are told, and fail nothing.
[ -z "$denied" ] || [ "$selinux" = permissive ]
check selinux-denials $? "${denied:-none}"
printf '%s' "$denied" | data avc
unlabelled=$(find / -xdev -context '*:unlabeled_t:*' 2>/dev/null)
[ -z "$unlabelled" ]
check selinux-labels $? "${unlabelled:-every file has one}"
fi

journalctl -b -p 3 --no-pager -q -o cat 2>/dev/null | head -n 20 | data journal-errors
say END
sync
systemctl poweroff
)bash";

// A word of the shell.
std::string quoted(const std::string& text) {
    return "'" + replace_all(text, "'", "'\\''") + "'";
}

}  // namespace

std::map<std::string, std::string> check_credentials(
    const Image& image, const GuestServers& servers,
    const std::optional<Provisioned>& provisioned) {
    std::string script = fmt::format("package='{}'\nselinux='{}'\nsecure_boot='{}'\nintegrity='{}'\n"
                                     "results='{}'\ngood_url='{}'\nbad_url='{}'\n",
                                     image.boot_install,
                                     image.selinux.mode == "disabled" ? "" : image.selinux.mode,
                                     image.secure_boot ? "yes" : "no",
                                     image.integrity,
                                     servers.results,
                                     servers.good_url,
                                     servers.bad_url);
    const Provisioned wanted = provisioned.value_or(Provisioned());
    script += fmt::format("user={}\nhostname={}\npassword={}\n", quoted(wanted.user),
                          quoted(wanted.hostname), wanted.password ? "set" : "locked");
    script += kScript;
    std::map<std::string, std::string> credentials = {
        {"systemd.extra-unit.tarn-check.service", kUnit},
        {"systemd.unit-dropin.multi-user.target", kWanted},
        {"tarn.check", script}};
    if (provisioned) {
        credentials["tarn.check-key"] = wanted.private_key;
    }
    return credentials;
}

std::map<std::string, std::string> console_credentials() {
    return {{"agetty.autologin", "root"}, {"login.noauth", "yes"}};
}

}  // namespace tarn::vm
