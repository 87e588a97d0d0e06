#!/bin/sh
# style.sh: the limits of the house style that a program can check and a formatter does not.
# Prints file:line: what is wrong.
set -eu
export LC_ALL=C.UTF-8
cd "${ERRAND_SOURCE:-$(dirname "$0")/../..}"

sources()
{
    find include src tests bench fuzz examples bindings -name node_modules -prune -o \( -name '*.c' -o -name '*.h' \) -print 2>/dev/null | sort
}

# Functions open and close with a brace in the first column: clang-format sees to that.
function_length()
{
    awk 'FNR == 1 { open = 0 }
        /^\{/ { open = FNR }
        /^\}/ { if (open && FNR - open - 1 > 60)
                    printf "%s:%d: this function has %d lines, over 60: it does two things\n",
                        FILENAME, open, FNR - open - 1
                open = 0 }' "$@"
}

# driver.h is the contract of every store on one page, and longer.
file_length()
{
    wc -l "$@" | awk '$2 != "total" && $2 != "include/errand/driver.h" && $1 > 600 {
        printf "%s:%d: over 600 lines: it has two subjects\n", $2, $1 }'
}

line_length()
{
    grep -nHE '.{91,}' "$@" | sed -E 's/^([^:]*:[0-9]+):.*/\1: over 90 columns/' || true
}

# Code without comments and strings, so that a word in a sentence is no call.
code()
{
    awk '{ line = $0; gsub(/\\./, "", line); gsub(/"[^"]*"/, "\"\"", line)
           if (inside) { if (!sub(/.*\*\//, "", line)) next; inside = 0 }
           gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", line)
           if (sub(/\/\*.*/, "", line)) inside = 1
           printf "%s:%d:%s\n", FILENAME, FNR, line }' "$@"
}

never()
{
    grep -E "^[^:]*:[0-9]+:(.*[^A-Za-z0-9_])?($1)" | sed -E "s/^([^:]*:[0-9]+):.*/\1: $2/" || true
}

banned='(strcpy|strcat|v?sprintf|strncpy|atoi|atol|atoll|strtok|gmtime|localtime|system|popen|alloca|gets) ?\('

files=$(sources)
bad=$(
    function_length $files
    file_length $files
    line_length $files
    stripped=$(mktemp)
    for file in $files; do code "$file"; done >"$stripped"
    never "$banned" 'a function the style bans (strcpy, sprintf, atoi, gmtime, system …)' <"$stripped"
    grep -vE ':goto out;|[^a-z_]goto out;' "$stripped" | never 'goto ' 'goto anywhere but out' || true
    rm -f "$stripped"
)
[ -z "$bad" ] || { printf '%s\n' "$bad" >&2; exit 1; }
