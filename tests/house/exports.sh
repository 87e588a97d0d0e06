#!/bin/sh
# exports.sh: a program that links errand sees errand_… and nothing else of ours, whether it links
# the shared library or the static one, or is a job file loaded into the command. And what the
# public headers promise is there.
set -eu
build=${ERRAND_BUILD:?}
source=${ERRAND_SOURCE:?}
bad=0

# Standard input: names. $1: a pattern all must match. $2: what they are.
expect()
{
    wrong=$(grep -vE "$1" || true)
    [ -n "$wrong" ] || return 0
    printf '%s:\n%s\n' "$2" "$wrong" >&2
    return 1
}

dynamic()
{
    nm -D --defined-only "$1" | awk '{ print $NF }' | sort -u
}

# What the sanitizers and the coverage runtime put in is not ours.
ours()
{
    grep -vE '^(__|_start$|data_start$|_init$|_fini$|_edata$|_end$|_IO_stdin_used$|gcov|mangle_path$|asan|ubsan)' || true
}

for file in "$build/liberrand.so" "$build/errand"; do
    dynamic "$file" | ours | expect '^errand_' "$file exports" || bad=1
done
# A module has base and core in it, which must stay its own: it shows its entry alone.
for file in $(find "$build/src" -name 'errand-*.so'); do
    dynamic "$file" | ours | expect '^errand_[a-z]+_module$' "$file exports" || bad=1
done
readelf -sW "$build/liberrand.a" |
    awk '$5 ~ /GLOBAL|WEAK/ && $7 != "UND" && $6 == "DEFAULT" { print $8 }' |
    ours | expect '^errand_' "liberrand.a shows" || bad=1
readelf -sW "$build/liberrand.a" |
    awk '$5 ~ /GLOBAL|WEAK/ && $7 != "UND" && $6 != "DEFAULT" { print $8 }' |
    ours | expect '^(er_|errand_)' "liberrand.a has names that may clash with a program's own" || bad=1

promised=$(cat "$source"/include/errand.h "$source"/include/errand/*.h | tr '\n' ' ' |
    grep -oE 'ERRAND_API [^;{]*' | grep -oE 'errand_[a-z0-9_]+\(' | tr -d '(' | sort -u)
absent=$(mktemp)
trap 'rm -f "$absent"' EXIT
dynamic "$build/liberrand.so" >"$absent.have"
printf '%s\n' "$promised" | grep -vxFf "$absent.have" >"$absent" || true
rm -f "$absent.have"
if [ -s "$absent" ]; then
    echo "the headers promise functions that liberrand.so has not:" >&2
    cat "$absent" >&2
    bad=1
fi
exit $bad
