#!/bin/sh
# hardened.sh: the command, the shared library and the modules carry what SECURITY.md says of the build.
set -eu
build=${ERRAND_BUILD:?}
bad=0

# must FILE WHAT COMMAND…: the command says yes.
must()
{
    file=$1 what=$2
    shift 2
    "$@" >/dev/null || { echo "$file: no $what" >&2; bad=1; }
}

shows()
{
    readelf "$1" "$3" | grep -E "$2"
}

for file in "$build/errand" "$build/liberrand.so" $(find "$build/src" -name 'errand-*.so'); do
    must "$file" "position independence" shows -hW 'Type: +DYN' "$file"
    must "$file" "read-only relocations" shows -lW 'GNU_RELRO' "$file"
    must "$file" "immediate binding" shows -dW 'BIND_NOW|Flags:.* NOW' "$file"
    must "$file" "stack without execution" shows -lW 'GNU_STACK.* RW +0x' "$file"
    must "$file" "stack protector" shows -sW '__stack_chk_fail' "$file"
    # Nothing to fortify in a build without optimization.
    [ "${ERRAND_OPTIMIZED-}" != yes ] ||
        must "$file" "fortified calls" shows -sW '__[a-z]+_chk(@| |$)' "$file"
done
exit $bad
