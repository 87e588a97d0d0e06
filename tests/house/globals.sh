#!/bin/sh
# globals.sh: the library keeps its state behind handles. Writable data outside of them is listed here
# with its reason; tables that only hold pointers are made read-only by the linker and do not count.
set -eu
build=${ERRAND_BUILD:?}

# The lists of job classes and of middleware, filled by constructors before main, have no handle to hang off; the
# failpoints of a test build are read from the environment once; a signal handler and libuv's atfork
# have nothing but a variable to speak through. Drivers are registered before any store is open, and
# stores in memory that have a name are found by it: both are lists of the process, under a lock.
allowed='^(points|points_n|is_read|registered|for_all|classes|classes_n|added|added_n|added_lock|named|named_lock)$'

bad=$(objdump -t "$build/liberrand.a" |
    awk '$4 ~ /^\.(data|bss)(\.[^r]|$)/ || $3 ~ /^\.(data|bss)(\.[^r]|$)/ { print $NF }' |
    sed 's/\.[0-9]*$//' | grep -vE '^(\.data|\.bss|\.data\..*|\.bss\..*)$' | sort -u |
    grep -vE "$allowed" || true)
[ -z "$bad" ] || { printf 'writable globals in the library:\n%s\n' "$bad" >&2; exit 1; }
