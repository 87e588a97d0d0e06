#!/usr/bin/env python3
"""embed.py OUT_C OUT_H DEPFILE FOLDER: turns the Lua files of a folder into one C table.

A file FOLDER/NAME.lua is one script, with the parts of FOLDER/parts/ before it that a line "-- needs: PART …" names, and
those that these need in turn; each once. The "#!lua" line stays first. The table has the SHA-1 that a server knows it by.
"""
import hashlib
import os
import sys


def quote(text):
    """C string literals, a line each, so that the generated file can be read."""
    rows = []
    for line in text.splitlines(keepends=True):
        line = line.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')
        rows.append('"' + line + '"')
    return '\n        '.join(rows)


class Part:
    """A file: its first line if that is a shebang, what it needs, and its code without comments and indents."""

    def __init__(self, path):
        self.shebang, self.needs, self.lines = '', [], []
        with open(path, encoding='utf-8') as f:
            for line in f:
                line = line.strip()
                if line.startswith('#!'):
                    self.shebang = line
                elif line.startswith('-- needs:'):
                    self.needs += line[len('-- needs:'):].split()
                elif line and not line.startswith('--'):
                    self.lines.append(line)


def assemble(script, parts):
    seen, lines = [], []

    def add(names):
        for name in names:
            if name not in seen:
                seen.append(name)
                add(parts[name].needs)
                lines.extend(parts[name].lines)

    add(script.needs)
    return '\n'.join([script.shebang] + lines + script.lines) + '\n'


def lua_files(folder):
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith('.lua')]


def name_of(path):
    return os.path.basename(path)[:-len('.lua')]


def main():
    out_c, out_h, depfile, folder = sys.argv[1:]
    parts_folder = os.path.join(folder, 'parts')
    scripts, part_files = lua_files(folder), lua_files(parts_folder)
    parts = {name_of(path): Part(path) for path in part_files}

    # The folders as well: a file that is added makes them newer.
    with open(depfile, 'w', encoding='utf-8') as d:
        d.write(f'{out_c} {out_h}: ' + ' '.join([folder, parts_folder] + scripts + part_files) + '\n')

    with open(out_h, 'w', encoding='utf-8') as h:
        h.write('/* Made by embed.py from lua/: do not edit. */\n'
                '#ifndef ER_REDIS_LUA_H\n#define ER_REDIS_LUA_H\n\nenum er_lua {\n')
        for path in scripts:
            h.write(f'    ER_LUA_{name_of(path).upper()},\n')
        h.write('    ER_LUA_N\n};\n\nstruct er_lua_text {\n    const char *name, *sha, *text;\n};\n'
                'extern const struct er_lua_text er_lua_texts[ER_LUA_N];\n\n#endif\n')

    with open(out_c, 'w', encoding='utf-8') as c:
        c.write('/* Made by embed.py from lua/: do not edit. */\n'
                f'#include "{os.path.basename(out_h)}"\n\n'
                'const struct er_lua_text er_lua_texts[ER_LUA_N] = {\n')
        for path in scripts:
            text = assemble(Part(path), parts)
            c.write(f'    [ER_LUA_{name_of(path).upper()}] = {{\n        .name = "{name_of(path)}",\n'
                    f'        .sha = "{hashlib.sha1(text.encode()).hexdigest()}",\n'
                    f'        .text = {quote(text)},\n    }},\n')
        c.write('};\n')


main()
