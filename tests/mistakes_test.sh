#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Mistakes with locks, dist-gits, lookasides and selections, and what the command line says about each:
# tests/golden/mistakes/<case>.txt, in the form of src/base/golden_test.hh.
#   mistakes_test.sh TARN SOURCE_DIR [CASE...]      (TARN_ACCEPT=1 rewrites the cases)
# In the head of a case, in order: `do: SHELL` prepares, `tarn: ARGUMENTS` is what is tried; both in the
# directory of the case, which reads DIR in files and in what is said. Files below dist-git/NAME/ become
# a repository with one commit on the branch f43.
set -u
tarn_program=$(realpath "$1") source=$(realpath "$2")
shift 2
. "$source/tests/report.sh"
cases=$source/tests/golden/mistakes
work=$(realpath "$(mktemp -d)")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export NO_COLOR=1 LC_ALL=C.UTF-8 TZ=UTC HOME=$work/home
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$work/home/.gitconfig
export GIT_AUTHOR_DATE='2026-01-05T10:00:00Z' GIT_COMMITTER_DATE='2026-01-05T10:00:00Z'
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE XDG_CONFIG_HOME XDG_CACHE_HOME
mkdir -p "$HOME"
git config --global init.defaultBranch main
git config --global user.name 'Ann Author'
git config --global user.email ann@example.org

tarn() { TARN_STORE=$here/store "$tarn_program" --network-retries 1 "$@" </dev/null; }
commit() { git add -A -f . && git commit -q --allow-empty -m "$1"; } # of the directory one is in
dist_git() { # NAME: its files become its first commit
    git -C "dist-git/$1" init -q -b f43
    (cd "dist-git/$1" && commit "Import $1")
}

# CASE DIRECTORY: the files of the case.
unpack() {
    awk -v directory="$2" '
        /^-- .* --$/ {
            if (name != "") close(name)
            name = substr($0, 4, length($0) - 6)
            if (name == "said") exit
            name = directory "/" name
            parent = name
            sub("/[^/]*$", "", parent)
            system("mkdir -p \"" parent "\"")
            printf "" >name
            next
        }
        name != "" { gsub("DIR", directory); print >name }' "$1"
}

answer() { # CASE
    local line package
    mkdir -p "$here"
    unpack "$1" "$here"
    cd "$here" || exit 1
    for package in dist-git/*/; do
        [ ! -d "$package" ] || dist_git "$(basename "$package")"
    done
    while IFS= read -r line; do
        case $line in
            '-- '*' --') break ;;
            'do: '*)
                line=${line#do: }
                eval "${line//DIR/$here}" >/dev/null 2>&1 || echo "cannot $line" ;;
            'tarn: '*)
                line=${line#tarn: }
                echo "\$ tarn $line"
                eval "tarn ${line//DIR/$here}" 2>&1
                echo "exit code $?" ;;
        esac
    done <"$1" | sed -e "s|$here|DIR|g" -e 's/[[:space:]]*$//' -e 's/git says: .*/git says: .../'
}

[ $# -gt 0 ] || set -- $(cd "$cases" && printf '%s\n' *.txt | sed 's/\.txt$//')
for name; do
    file=$cases/$name.txt here=$work/$name
    (answer "$file") >"$work/got"
    sed '1,/^-- said --$/d' "$file" >"$work/wanted"
    if [ "${TARN_ACCEPT:-}" = 1 ]; then
        { sed '/^-- said --$/,$d' "$file"; echo '-- said --'; cat "$work/got"; } >"$work/case"
        cat "$work/case" >"$file"
    elif ! grep -q '^exit code [1-9]' "$work/got"; then
        not_ok "$name" "nothing is wrong there"
    elif diff -u --label wanted --label got "$work/wanted" "$work/got" >"$work/diff"; then
        ok "$name"
    else
        not_ok "$name" "$(cat "$work/diff")"
    fi
    chmod -R u+w "$here"
    rm -rf "$here"
done
all_ok
