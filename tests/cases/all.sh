#!/bin/sh
# all.sh: each acceptance case has a test named after it. Cases are counted, not judged: what each
# of them says is in the name and the body of its tests.
set -eu
cd "${ERRAND_SOURCE:?}/tests/cases"
bad=0
for n in $(seq -w 1 25); do
    grep -qE "^(TEST|CASE|CASE_SHARED)\(case_(..?_and_)?${n}_" *.c || { echo "no test of case $n" >&2; bad=1; }
done
exit $bad
