# common.sh: what the entry points share. Sourced after `cd` to the top of the tree.

# One line about what happens now. Everything else stays quiet until it fails.
say()
{
    printf '%s\n' "$*"
}

die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# quietly COMMAND…: shows the output only when the command fails.
quietly()
{
    quietly_log=$(mktemp)
    if "$@" >"$quietly_log" 2>&1; then
        rm -f "$quietly_log"
        return 0
    fi
    cat "$quietly_log" >&2
    rm -f "$quietly_log"
    return 1
}

# make DIR TARGET…: compiles; of a failure only what failed is shown.
make()
{
    make_dir=$1
    shift
    ninja -C "$make_dir" "$@" >"$make_dir/make.out" 2>&1 && return 0
    sed -n '/^FAILED/,/^\[/p' "$make_dir/make.out" | grep -v '^\[' >&2
    return 1
}

# configure DIR OPTION…: a build folder with these options, also when it is there already or was
# left by another meson. CC chooses the compiler.
configure()
{
    configure_dir=$1
    shift
    if [ -f "$configure_dir/build.ninja" ]; then
        meson configure "$configure_dir" "$@" >/dev/null 2>&1 && return 0
        rm -rf "$configure_dir"
    fi
    quietly meson setup "$configure_dir" "$@"
}
