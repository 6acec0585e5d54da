# Sourced by ./quickstart and ./check: what the machine needs, and how Tarn is compiled.
# shellcheck shell=bash

tarn_say() { printf '%s\n' "$*" >&2; }
tarn_die() { tarn_say "$0: $*"; exit 1; }

tarn_wanted_packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' packages.list; }

tarn_missing_packages() {
    local name
    for name in $(tarn_wanted_packages); do
        dpkg-query -W -f='${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^ii' || echo "$name"
    done
}

# Installs what is missing; uses sudo only when not root.
tarn_install() {
    command -v dpkg-query >/dev/null || tarn_die "this machine has no dpkg; install the packages of packages.list by hand and use --no-install"
    local missing=() as_root=()
    mapfile -t missing < <(tarn_missing_packages)
    if [ "${#missing[@]}" -eq 0 ]; then
        return 0
    fi
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || tarn_die "these packages are missing and there is no sudo: ${missing[*]}"
        as_root=(sudo)
    fi
    tarn_say "  installing ${#missing[@]} packages: ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { "${as_root[@]}" apt-get update &&
           "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
               apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        tarn_die "apt-get failed; the whole log is $log"
    fi
    rm -f "$log"
}

# tarn_compile PRESET DIRECTORY [TARGET...]
tarn_compile() {
    local preset=$1 directory=$2
    shift 2
    if [ ! -f "$directory/build.ninja" ]; then
        cmake --preset "$preset" >/dev/null || tarn_die "cmake failed"
    fi
    cmake --build "$directory" --parallel "$(nproc)" ${1:+--target "$@"} >&2 || tarn_die "compilation failed"
}
