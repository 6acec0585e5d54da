# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Runs inside the machine, once in every boot (tests/images/immutable.sh hands it over). What it did
# is kept in /var; what it found goes to the second serial port. In front of it stand: url2, url3
# and url_bad, the directories of the updates, and mode ("update" or "flip").
stty -F /dev/ttyS1 raw -echo 2>/dev/null
exec 3>/dev/ttyS1
say() { printf '%s\n' "$*" >&3; }
check() { # name, 0 or not, detail
    local result=fail
    [ "$2" = 0 ] && result=pass
    say "CHECK $1 $result $(printf '%s' "$3" | tr '\n' ';' | tail -c 400)"
}
data() { while IFS= read -r line; do say "DATA $1 $line"; done; }
end() { say END; sync; systemctl poweroff; exit; }

state=/var/lib/tarn-check
mkdir -p "$state"
step=$(cat "$state/step" 2>/dev/null || echo first)
# shellcheck source=/dev/null
. /etc/os-release
say "BOOT $IMAGE_VERSION $step"

if [ "$mode" = flip ]; then
    check flip-before 0 "up; reading the altered file"
    cat /usr/share/tarn-check/canary >/dev/null 2>"$state/said"
    check flip-refused 1 "it was read, or only refused: $(cat "$state/said")"
    end
fi

# The new one that is broken on purpose: it says that it ran, and its own unit does the rest.
[ "$IMAGE_VERSION" = 3 ] && exit

update() { # url
    rm -rf /run/update && mkdir /run/update
    for file in /usr/lib/sysupdate.d/*.transfer; do
        sed "s|^Path=file:.*|Path=$1|" "$file" >"/run/update/${file##*/}"
    done
    /usr/lib/systemd/systemd-sysupdate --definitions=/run/update update 2>&1
}
partitions() { lsblk -nro PARTLABEL | grep . | sort | paste -sd' '; }
blessed() { # whether the boot loader no longer counts this version
    for _ in $(seq 300); do
        [ -e "/efi/EFI/Linux/vm-immutable_$IMAGE_VERSION.efi" ] && return 0
        sleep 1
    done
    return 1
}
sound() { # what holds in every version
    local where=$1 root
    root=$(findmnt -no FSTYPE,OPTIONS /)
    case $root in "erofs ro"*) true ;; *) false ;; esac
    check "$where-root-read-only" $? "$root"
    [ "$(stat -c '%a %u' /)" = "755 0" ]
    check "$where-root-mode" $? "$(stat -c '%a %u' /)"
    uuid=$(cat /sys/block/dm-0/dm/uuid)
    case $uuid in CRYPT-VERITY-*) true ;; *) false ;; esac
    check "$where-root-verified" $? "$uuid"
    touch /usr/touched 2>/dev/null && out="was written" || out="refused"
    [ "$out" = refused ]
    check "$where-usr-read-only" $? "$out"
    [ "$(findmnt -no FSTYPE /var)" = ext4 ]
    check "$where-var" $? "$(findmnt -no SOURCE,FSTYPE,OPTIONS /var)"
    [ "$(findmnt -no FSTYPE /etc)" = overlay ]
    check "$where-etc" $? "$(findmnt -no FSTYPE,OPTIONS /etc)"
    blessed
    check "$where-blessed" $? "$(systemctl is-active boot-complete.target systemd-bless-boot.service | paste -sd' ') $(find /efi/EFI/Linux -name '*.efi' -printf '%f ')"
    failed=$(systemctl list-units --failed --plain --no-legend --no-pager | cut -d' ' -f1)
    [ -z "$failed" ]
    check "$where-no-failed-unit" $? "${failed:-none}"
    for unit in $failed; do systemctl status "$unit" --no-pager -n 8 2>&1 | data "unit-$unit"; done
}

case $step in
    first)
        systemctl is-system-running --wait >/dev/null
        sound first
        [ "$(partitions)" = "_empty _empty esp var vm-immutable_1.0 vm-immutable_1.0_verity" ]
        check first-second-slot $? "$(partitions)"
        packages=$(rpm -qa | wc -l)
        [ "$packages" -gt 50 ]
        check first-rpmdb $? "$packages packages"
        keys=$(find /etc/ssh -name 'ssh_host_*_key' | wc -l)
        [ "$keys" -gt 0 ]
        check first-host-keys $? "$keys"
        cat /etc/machine-id >"$state/machine-id"
        echo kept >/etc/tarn-check
        # A directory that somebody else signed, or nobody.
        out=$(update "$url_bad")
        code=$?
        [ "$code" != 0 ] && ! lsblk -nro PARTLABEL | grep -q vm-immutable_9
        check altered-update-refused $? "$(tail -n 2 <<<"$out")"
        out=$(update "$url2")
        code=$?
        check update-to-2 "$code" "$(tail -n 3 <<<"$out")"
        [ "$code" = 0 ] || { data update <<<"$out"; end; }
        [ "$(partitions)" = "esp var vm-immutable_1.0 vm-immutable_1.0_verity vm-immutable_2 vm-immutable_2_verity" ]
        check update-to-2-partitions $? "$(partitions)"
        echo second >"$state/step"
        ;;
    second)
        [ "$IMAGE_VERSION" = 2 ]
        check runs-2 $? "$IMAGE_VERSION"
        [ -e /usr/share/tarn-check/of-2 ]
        check content-of-2 $? "$(find /usr/share/tarn-check -printf '%f ')"
        systemctl is-system-running --wait >/dev/null
        sound second
        [ "$(cat /etc/machine-id)" = "$(cat "$state/machine-id")" ] && [ "$(cat /etc/tarn-check)" = kept ]
        check etc-is-kept $? "$(cat /etc/machine-id) $(cat /etc/tarn-check)"
        out=$(update "$url3")
        code=$?
        check update-to-3 "$code" "$(tail -n 3 <<<"$out")"
        [ "$code" = 0 ] || { data update <<<"$out"; end; }
        echo third >"$state/step"
        ;;
    third)
        [ "$IMAGE_VERSION" = 2 ]
        check rolled-back-to-2 $? "$IMAGE_VERSION"
        sleep 1
        names=$(find /efi/EFI/Linux -name '*.efi' -printf '%f\n' | sort | paste -sd' ')
        case $names in *vm-immutable_3+0-3.efi*) true ;; *) false ;; esac
        check three-tries-counted $? "$names"
        sound third
        end
        ;;
esac
journalctl -b -p 3 --no-pager -q -o cat 2>/dev/null | head -n 20 | data "errors-$step"
sync
systemctl reboot
