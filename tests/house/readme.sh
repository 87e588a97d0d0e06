#!/bin/sh
# readme.sh: the C in README.md compiles as it stands there, every file it links to exists, and the
# index of docs/ names every page. The guide has an index and a test of its own.
set -eu
source=${ERRAND_SOURCE:?}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Each fenced block into a file of its own; statements get a function around them.
awk -v dir="$dir" '
    /^```c$/ { file = sprintf("%s/block%d.c", dir, ++n); text = ""; next }
    /^```$/ && file {
        if (text !~ /#include/) text = "#include <errand.h>\n" text
        if (text !~ /\{\n/) { sub(/<errand.h>\n/, "&void block(void);\nvoid block(void)\n{\n", text); text = text "}\n" }
        printf "%s", text > file
        close(file); file = ""
    }
    file { text = text $0 "\n" }' "$source/README.md"

[ -f "$dir/block1.c" ] || { echo "README.md has no C in it" >&2; exit 1; }
for block in "$dir"/block*.c; do
    gcc -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I "$source/include" "$block" ||
        { cat "$block" >&2; exit 1; }
done

bad=0
for page in README.md CONTRIBUTING.md SECURITY.md $(cd "$source" && ls docs/*.md); do
    folder=$(dirname "$source/$page")
    for link in $(grep -oE '\]\([^)#]+' "$source/$page" | sed 's/^](//' | grep -v '^http'); do
        [ -e "$folder/$link" ] || { echo "$page: no $link" >&2; bad=1; }
    done
done

# A page that the index does not name is a page that nobody finds.
for page in $(cd "$source/docs" && find . -name '*.md' ! -path ./README.md ! -path './guide/*' | sed 's/^..//'); do
    grep -qF "]($page)" "$source/docs/README.md" || { echo "docs/README.md: does not name $page" >&2; bad=1; }
done
exit $bad
