#!/bin/sh
# installed.sh: an installed errand is usable through pkg-config alone, shared and static, from C99
# and from C++, and every public header can be included by itself.
set -eu
build=${ERRAND_BUILD:?}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

DESTDIR=$root meson install -C "$build" --no-rebuild --quiet
pc=$(find "$root" -name errand.pc)
[ -n "$pc" ] || { echo "errand.pc is not installed" >&2; exit 1; }
export PKG_CONFIG_SYSROOT_DIR="$root" PKG_CONFIG_PATH="${pc%/*}"
lib=$root$(pkg-config --variable=libdir errand)
[ -d "$lib" ] || lib=$(pkg-config --variable=libdir errand)
cd "$root"

cat >program.c <<'END'
#include <errand.h>
#include <errand/driver.h>
#include <stdio.h>

int main(void)
{
    struct errand_error err;
    struct errand_id id;
    errand *e = errand_open("memory:", NULL, &err);

    if (!e || errand_dispatch(e, "greet", "{\"to\":\"Ada\"}", NULL, &id, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    errand_close(e);
    return id.text[0] == '\0';
}
END
cp program.c program.cc

# compile NAME COMPILER… : warns about nothing, runs.
check()
{
    name=$1
    shift
    "$@" -o "$name" || { echo "$name does not compile" >&2; exit 1; }
    LD_LIBRARY_PATH=$lib "./$name" || { echo "$name fails" >&2; exit 1; }
}

# What only some of its users need comes with a module, into nobody else's process.
for file in "$lib/liberrand.so" "$(find "$root" -path '*/bin/errand')"; do
    if readelf -d "$file" | grep NEEDED | grep -E 'libcurl|libssl|libpq|libhiredis'; then
        echo "$file needs what only a module may need" >&2
        exit 1
    fi
done
for module in $(cd "$build/src" && find . -name 'errand-*.so'); do
    [ -f "$lib/errand/${module##*/}" ] || { echo "${module##*/} is not installed" >&2; exit 1; }
done

strict="-Wall -Wextra -Wpedantic -Werror"
cflags=$(pkg-config --cflags errand)
shared=$(pkg-config --libs errand)
static=$(pkg-config --static --libs errand | sed "s:-lerrand:$lib/liberrand.a:")

check c99-shared gcc -std=c99 $strict program.c $cflags $shared
check c99-static gcc -std=c99 $strict program.c $cflags $static
check c++-shared g++ -std=c++11 $strict program.cc $cflags $shared
check c++-static g++ -std=c++11 $strict program.cc $cflags $static
if readelf -d c99-static | grep -q liberrand; then
    echo "the static program still wants liberrand.so" >&2
    exit 1
fi

for header in "$root"/*/include/errand.h "$root"/*/*/include/errand.h \
    "$root"/*/*/include/errand/*.h; do
    [ -f "$header" ] || continue
    echo "#include \"$header\"" >alone.c
    cp alone.c alone.cc
    gcc -std=c99 $strict -fsyntax-only alone.c $cflags
    g++ -std=c++11 $strict -fsyntax-only alone.cc $cflags
done
