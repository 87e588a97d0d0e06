#!/bin/sh
# pages.sh PAGE...: every page of the guide is among those that are followed, and named by the guide's
# index, in that order; its links lead somewhere.
set -eu
cd "${ERRAND_SOURCE:?}/docs/guide"
bad=0

wrong()
{
    echo "docs/guide/$*" >&2
    bad=1
}

for page in *.md; do
    [ "$page" != README.md ] || continue
    case " $* " in
    *" ${page%.md} "*) ;;
    *) wrong "$page: not followed; add it to tests/guide/meson.build" ;;
    esac
    grep -qF "]($page)" README.md || wrong "README.md: does not name $page"
done

named=$(sed -n 's/^.*](\([a-z-]*\)\.md).*/\1/p' README.md | tr '\n' ' ')
[ "$named" = "$* " ] || wrong "README.md: names '$named', followed are '$* '"

for page in *.md; do
    [ "$page" != README.md ] || continue
    for link in $(sed '/^```/,/^```$/d' "$page" | grep -oE '\]\([^)#]+' | sed 's/^](//' | grep -v '^http' || true); do
        [ -e "$link" ] || case " $* " in
        *" ${link%.md} "*) ;;
        *) wrong "$page: no $link" ;;
        esac
    done
done
exit $bad
