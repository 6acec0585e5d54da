#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Secure Boot with the project's own key, from what the test `line` published: the signed image boots on
# firmware that trusts nothing else; an altered UKI, an unsigned one and one of another key do not.
# A key at hand and a program that signs give the same image; sbsign's signature, made elsewhere, boots.
#   secure_boot.sh TARN SOURCE_DIR WORK_DIR
. "$(dirname "$0")/../line/common.sh"
needs_line
for each in qemu-system-x86_64 sbverify sbsign openssl mcopy; do
    command -v $each >/dev/null || skip "this machine has no $each"
done
[ -f /usr/share/OVMF/OVMF_CODE_4M.secboot.fd ] || skip "this machine has no OVMF with Secure Boot"
export TARN_STORE=$line_store
copy_project "$work/secure-boot"
project=$work/secure-boot/distro
trap 'rm -rf "$work/secure-boot"' EXIT
mkdir -p "$project/out"
cp -al "$work/distro/out/repo" "$project/out/repo"
image=$project/out/images/sb
cat >"$project/images/sb.image.toml" <<'EOS'
[images.sb]
description = "vm, signed"
base = "vm"
secure-boot = true
formats = ["raw"]
EOS
esp_copy() { mcopy -n -o -i "$1@@1M" "::EFI/BOOT/BOOTX64.EFI" "$2"; }
signed_sum() { sha256sum <"$image/sb.raw"; }
key=$project/keys/secure-boot

# ---- a key at hand ----
rm -f "$key".*
expect "without a key there is no image" 1 "tarn key new --secure-boot" tarn image build sb
expect "a key is made" 0 "Secure Boot" tarn key new --secure-boot
same "the key is private" 600 "$(stat -c %a "$key.key")"
expect "it is not made twice" 2 "there is a key already" tarn key new --secure-boot
chmod 644 "$key.key"
expect "a key that others can read is refused" 2 "chmod 600" tarn image build sb --force
chmod 600 "$key.key"
expect "the image is built" 0 "sb.raw" tarn image build sb
esp_copy "$image/sb.raw" "$project/uki.efi"
expect "sbverify accepts the UKI" 0 "Signature verification OK" sbverify --cert "$key.crt" "$project/uki.efi"
first=$(signed_sum)
expect "enrolment is written" 0 "OVMF_VARS_4M.fd" tarn key enroll "$project/enroll"

# ---- a program that signs ----
cat >"$project/sign.sh" <<EOS
#!/bin/sh
[ "\$TARN_SIGN_ALGORITHM" = rsa-pkcs1-sha256 ] || exit 1
exec openssl dgst -sha256 -sign "$key.key"
EOS
printf '\n[secure-boot]\ncommand = ["/bin/sh", "%s"]\n' "$project/sign.sh" >>"$project/tarn.toml"
expect "a program signs" 0 "sb.raw" tarn image build sb --force
same "it makes the same image" "$first" "$(signed_sum)"

# ---- signing elsewhere ----
sed -i 's|^command = .*|signatures = "signatures"|' "$project/tarn.toml"
expect "without signatures there is no image" 1 "export-unsigned" tarn image build sb --force
expect "the programs are exported" 0 "efi-boot-bootx64.efi" tarn image export-unsigned sb "$project/unsigned"
expect "unsigned ones are not taken" 1 "is not signed" tarn image inject "$project/unsigned"
program=$project/unsigned/efi-boot-bootx64.efi
cp "$program" "$project/unsigned.efi"
sbsign --key "$key.key" --cert "$key.crt" --output "$project/signed.efi" "$program" >/dev/null 2>&1
cp "$project/signed.efi" "$program"
printf 'x' | dd of="$program" bs=1 seek=100000 conv=notrunc status=none
expect "an altered one is refused" 1 "differs in more than its signature" tarn image inject "$project/unsigned"
[ ! -e "$project/signatures" ] && ok "and nothing is taken" || not_ok "something was taken"
cp "$project/signed.efi" "$program"
expect "signatures are taken" 0 "1 signature taken" tarn image inject "$project/unsigned"
expect "and attached" 0 "sb.raw" tarn image build sb --force
esp_copy "$image/sb.raw" "$project/uki.efi"
expect "sbverify accepts sbsign's signature there" 0 "Signature verification OK" sbverify --cert "$key.crt" "$project/uki.efi"

# ---- machines ----
expect "it boots where only this key is trusted" 0 "SecureBoot=1, SetupMode=0" \
    tarn image boot sb --test --timeout 1500

esp_put() { mcopy -n -o -i "$image/sb.raw@@1M" "$1" "::EFI/BOOT/BOOTX64.EFI"; }
console=$image/boot/console.log
# WHAT: the firmware does not start the program that is on the ESP now.
refused() {
    rm -f "$console"
    "$tarn_program" -C "$project" image boot sb --test --timeout 300 >"$project/refused.log" 2>&1 &
    local machine=$!
    until grep -qaE 'Access Denied|Linux version' "$console" 2>/dev/null || ! kill -0 $machine 2>/dev/null; do
        sleep 0.5
    done
    kill $machine 2>/dev/null
    wait $machine 2>/dev/null
    if grep -qa 'Access Denied' "$console" && ! grep -qa 'Linux version' "$console"; then
        ok "$1 is refused by the firmware"
    else
        not_ok "$1: the firmware says" "$(tail -n 5 "$console"; tail -n 5 "$project/refused.log")"
    fi
}
at=$(grep -obUa -m1 'earlyprintk=ttyS0' "$project/uki.efi" | head -n 1 | cut -d: -f1)
cp "$project/uki.efi" "$project/altered.efi"
printf 'E' | dd of="$project/altered.efi" bs=1 seek="$at" conv=notrunc status=none
esp_put "$project/altered.efi"
refused "an altered UKI"
esp_put "$project/unsigned.efi"
refused "an unsigned UKI"
openssl req -x509 -newkey rsa:2048 -nodes -subj '/CN=somebody else/' -days 1 \
    -keyout "$project/other.key" -out "$project/other.crt" 2>/dev/null
sbsign --key "$project/other.key" --cert "$project/other.crt" --output "$project/other.efi" "$project/unsigned.efi" >/dev/null 2>&1
expect "sbverify accepts what another key signed" 0 "Signature verification OK" sbverify --cert "$project/other.crt" "$project/other.efi"
esp_put "$project/other.efi"
refused "a UKI signed with another key"
all_ok
