#!/usr/bin/env bash
# Clones the students' repositories, or brings earlier clones up to date: ci/fetch.sh repositories.txt clones
#
# A line of the list is a URL, and its last part the folder's name; blank lines and lines that begin with # are passed over. A private
# repository is read with the token in $STUDENTS_TOKEN, which is handed to Git in its environment and
# stands in no clone. No hook, submodule, filter or large file of a student's is fetched or run. A repository
# that can't be read is said and passed over: a student may not have made it yet. The status is 1 if none
# could be read: then the token or the list is wrong, and a class must not be graded as having handed in nothing.
set -euo pipefail
list=${1:?usage: ci/fetch.sh repositories.txt clones}
folder=${2:?usage: ci/fetch.sh repositories.txt clones}
mkdir -p "$folder"

export GIT_TERMINAL_PROMPT=0 GIT_LFS_SKIP_SMUDGE=1 GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
export GIT_ALLOW_PROTOCOL=${GIT_ALLOW_PROTOCOL:-https}
fetched=0
header=""
if [ -n "${STUDENTS_TOKEN:-}" ]; then
    header="Authorization: Basic $(printf 'x-access-token:%s' "$STUDENTS_TOKEN" | base64 | tr -d '\n')"
fi
unset STUDENTS_TOKEN
twice=$(sed -nE 's#^[^\#]*/([^/ ]+)( .*)?$#\1#p' "$list" | sed 's/\.git$//' | sort | uniq -d)
while read -r url _ || [ -n "$url" ]; do
    case $url in '' | '#'*) continue ;; esac
    name=$(basename -- "$url" .git)
    if grep -qxF -- "$name" <<<"$twice"; then # forks all have one name: theirs are hw1-ada, hw1-ben
        name=$name-$(basename -- "$(dirname -- "$url")")
    fi
    case $name in .* | '' | *[!A-Za-z0-9._-]*)
        echo "fetch: passed over, its name is none for a folder: $url" >&2
        continue
        ;;
    esac
    # The token is for the host that the list names, and for no other that might answer.
    site=$(printf '%s' "$url" | sed -nE 's#^(https://[^/@]+/).*#\1#p')
    export GIT_CONFIG_COUNT=0
    if [ -n "$header" ] && [ -n "$site" ]; then
        export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$site.extraHeader" GIT_CONFIG_VALUE_0=$header
    fi
    # Made anew each time: what a student rewrote or deleted is as it is there, and no old state is trusted.
    rm -rf "${folder:?}/$name.new"
    if timeout 300 git clone --quiet --depth 1 --no-tags --single-branch --template= -- "$url" "$folder/$name.new" </dev/null; then
        rm -rf "${folder:?}/$name"
        mv "$folder/$name.new" "$folder/$name"
        fetched=$((fetched + 1))
    else
        rm -rf "${folder:?}/$name.new"
        echo "fetch: can't be read, what was fetched before counts: $url" >&2
    fi
done <"$list"
if [ "$fetched" = 0 ]; then
    echo "fetch: nothing could be read. Is STUDENTS_TOKEN set and still good, and is $list right?" >&2
    exit 1
fi
echo "fetch: $fetched repositories are here."
