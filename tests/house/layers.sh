#!/bin/sh
# layers.sh: a file includes its own layer and those to the right of it only:
#   cli > http, notify, scheduler, worker > client > store > core > base
# Public headers see each other alone; examples and bindings see public headers alone.
set -eu
cd "${ERRAND_SOURCE:-$(dirname "$0")/../..}"

rank()
{
    case $1 in
    base) echo 0 ;;
    core) echo 1 ;;
    store) echo 2 ;;
    client) echo 3 ;;
    worker | scheduler | notify | http) echo 4 ;;
    cli) echo 5 ;;
    errand | errand.h) echo -1 ;;
    *) echo 99 ;;
    esac
}

# file:line:header of every quoted include below the folders given.
includes()
{
    find "$@" \( -name '*.c' -o -name '*.h' \) -exec grep -nHE '^ *# *include *"' {} + |
        sed -E 's/^([^:]*:[0-9]*):[^"]*"([^"]*)".*/\1:\2/'
}

bad=$(
    includes src | while IFS=: read -r file line header; do
        layer=${file#src/} layer=${layer%%/*}
        target=${header%%/*}
        case $header in
        # Made by the build beside the file that includes it.
        */*) ;;
        *) ! grep -qs "'$header'" "${file%/*}/meson.build" src/$layer/meson.build || continue ;;
        esac
        [ "$target" = "$layer" ] || [ "$(rank "$target")" -lt "$(rank "$layer")" ] ||
            echo "$file:$line: the $layer layer must not include \"$header\""
    done
    folders=include
    [ ! -d examples ] || folders="$folders examples"
    [ ! -d bindings/node/src ] || folders="$folders bindings/node/src"
    includes $folders | while IFS=: read -r file line header; do
        case $header in
        errand.h | errand/*.h) ;;
        *) [ -e "${file%/*}/$header" ] || # an example's own
            echo "$file:$line: only public headers are allowed here, not \"$header\"" ;;
        esac
    done
)
[ -z "$bad" ] || { printf '%s\n' "$bad" >&2; exit 1; }
