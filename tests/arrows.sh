#!/usr/bin/env bash
# Every include "room/..." goes to a room that the including room names in DEPENDS (or to itself),
# only to public headers, and the DEPENDS arrows only point to rooms earlier in TARN_ROOMS.
set -euo pipefail
cd "$1"

rooms=$(sed -n '/^set(TARN_ROOMS/,/)/p' cmake/tarn.cmake | tr -d '()' | sed 's/setTARN_ROOMS//')
[ -n "$rooms" ] || { echo "no TARN_ROOMS in cmake/tarn.cmake"; exit 1; }
bad=0
seen=""
for room in $rooms; do
    [ -f "src/$room/CMakeLists.txt" ] || continue
    depends=$(tr '\n' ' ' <"src/$room/CMakeLists.txt" |
        sed -n 's/.*tarn_room([a-z]* *//p' | sed 's/).*//; s/.*DEPENDS//; s/PKGS.*//; s/LIBS.*//')
    grep -q DEPENDS "src/$room/CMakeLists.txt" || depends=""
    for dependency in $depends; do
        case " $seen " in
            *" $dependency "*) ;;
            *) echo "src/$room/CMakeLists.txt: $room may not depend on $dependency: it is not a room before it"; bad=1 ;;
        esac
    done
    while IFS=: read -r file line include; do
        target=${include%%/*}
        case " $rooms " in *" $target "*) ;; *) continue ;; esac
        if [ "$target" != "$room" ]; then
            case " $depends " in
                *" $target "*) ;;
                *) echo "$file:$line: $room includes $target, which its DEPENDS does not name"; bad=1 ;;
            esac
            case $include in
                */detail/*) echo "$file:$line: $include is private to $target"; bad=1 ;;
            esac
        fi
    done < <(grep -rnoE '^#include "[a-z_0-9/.]+"' "src/$room" --include='*.cc' --include='*.hh' |
                 sed -E 's/#include "([^"]*)"/\1/')
    seen="$seen $room"
done

# The rooms of guest/: arrows as in guest/CMakeLists.txt, and nothing of src/ but base.
guest=$(sed -n 's/^tarn_guest(\([a-z]*\).*/\1/p' guest/CMakeLists.txt)
for room in $guest; do
    depends=$(tr '\n' ' ' <guest/CMakeLists.txt | grep -o "tarn_guest($room[ )][^)]*)" |
        sed -n 's/.*DEPENDS\([^)]*\).*/\1/p' | sed 's/LIBS.*//')
    reached=$depends  # what a room it may use includes in its headers, it sees too
    for dependency in $depends; do
        reached="$reached $(tr '\n' ' ' <guest/CMakeLists.txt | grep -o "tarn_guest($dependency[ )][^)]*)" |
            sed -n 's/.*DEPENDS\([^)]*\).*/\1/p' | sed 's/LIBS.*//')"
    done
    while IFS=: read -r file line target; do
        case " base $room $reached " in
            *" $target "*) ;;
            *) echo "$file:$line: guest/$room includes $target, which its DEPENDS does not name"; bad=1 ;;
        esac
    done < <(grep -rnoE '^#include "[a-z_]+/' "guest/$room" --include='*.cc' --include='*.hh' |
                 sed -E 's/#include "([a-z_]+).*/\1/')
done

# A foreign library is included by one room only.
fence() {
    local pattern=$1 room=$2 hits
    hits=$(grep -rlE "#include <($pattern)" src --include='*.cc' --include='*.hh' |
        grep -vE "^src/($room)/" || true)
    if [ -n "$hits" ]; then
        echo "only $room may include <$pattern>:" $hits
        bad=1
    fi
}
fence 'rpm/' rpm
fence 'solv/' solve
fence 'rnp/' pgp
fence 'curl/' upstream
fence 'toml' project
fence 'CLI/' cli
fence 'openssl/(pem|pkcs7|x509|x509v3|x509_vfy|engine)\.h' 'efi|emulator'

[ "$bad" = 0 ] && echo "arrows: ok"
exit "$bad"
