#!/bin/sh
# headers.sh: every public header compiles alone, first thing in a file, as C99, as C11 and as C++.
set -eu
cd "${ERRAND_SOURCE:-$(dirname "$0")/../..}"

compile() # language standard header compiler
{
    printf '#include "%s"\nint errand_headers_unused;\n' "$3" |
        "$4" -x "$1" "-std=$2" -pedantic -Wall -Wextra -Werror -fsyntax-only -Iinclude - ||
        echo "$3 does not compile alone as $2 with $4"
}

bad=$(
    for header in errand.h $(cd include && echo errand/*.h); do
        for c in "${CC:-cc}" clang; do
            command -v "${c%% *}" >/dev/null || continue
            compile c c99 "$header" "$c"
            compile c c11 "$header" "$c"
        done
        for cxx in "${CXX:-c++}" clang++; do
            command -v "${cxx%% *}" >/dev/null || continue
            compile c++ c++11 "$header" "$cxx"
            compile c++ c++20 "$header" "$cxx"
        done
    done
)
[ -z "$bad" ] || { echo "$bad"; exit 1; }
