#!/usr/bin/env bash
# Runs docs/tutorial.md: every line that begins with "$ " in a console block, in one shell, and
# compares what is printed with what the tutorial says. A line "..." stands for any number of lines.
# usage: tutorial_test.sh TARN TUTORIAL
set -u
. "$(dirname "$0")/report.sh"
tarn=$(realpath "$1")
tutorial=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/home" "$work/here"
ln -s "$tarn" "$work/bin/tarn"
export PATH=$work/bin:$PATH HOME=$work/home TARN_STORE=$work/store NO_COLOR=1 LC_ALL=C.UTF-8
export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='2026-11-02T10:00:00Z' GIT_COMMITTER_DATE='2026-11-02T10:00:00Z'
git config --global user.name 'Ada Example'
git config --global user.email ada@example.org
git config --global init.defaultBranch main
cd "$work/here" || exit 1

# Does the text fit the pattern, line by line?
fits() { # wanted file, got file
    awk -v wanted="$1" -v got="$2" '
        function match_from(i, j) {
            while (i <= nw) {
                if (w[i] == "...") {
                    if (i == nw) return 1
                    for (; j <= ng; j++) if (match_from(i + 1, j)) return 1
                    return 0
                }
                if (j > ng || w[i] != g[j]) return 0
                i++; j++
            }
            return j > ng
        }
        BEGIN {
            while ((getline line < wanted) > 0) w[++nw] = line
            while ((getline line < got) > 0) g[++ng] = line
            exit match_from(1, 1) ? 0 : 1
        }'
}

count=0 command='' first=0
check() {
    [ -n "$command" ] || return 0
    count=$((count + 1))
    eval "$command" >"$work/got" 2>&1 </dev/null
    sed -i -e 's/[[:space:]]*$//' "$work/got"
    if ! fits "$work/wanted" "$work/got"; then
        not_ok "${tutorial##*/}:$first: $command" \
            "$(diff -u --label wanted --label got "$work/wanted" "$work/got")"
    else
        ok "${tutorial##*/}:$first"
    fi
    command=''
}

number=0 block=0
: >"$work/wanted"
while IFS= read -r line <&3 || [ -n "$line" ]; do
    number=$((number + 1))
    case $block:$line in
        0:'```console') block=1 ;;
        1:'```') check; block=0 ;;
        1:'$ '*) check; command=${line#\$ }; first=$number; : >"$work/wanted" ;;
        1:'> '*) command+=$'\n'${line#> } ;;
        1:'>') command+=$'\n' ;;
        1:*) printf '%s\n' "$line" >>"$work/wanted" ;;
    esac
done 3<"$tutorial"
[ "$count" -gt 0 ] || not_ok "no command in $tutorial"
all_ok
