#!/usr/bin/env python3
"""embed.py OUT_C OUT_H DEPFILE FOLDER: turns the Lua files of a folder into one C table.

A file FOLDER/NAME.lua is one script, with the parts of FOLDER/parts/ before it that a line "-- needs: PART …" names, and
those that these need in turn; each once, as a block. Scripts that write have the part "inbox" as well. The "#!lua" line stays first. The table has the SHA-1 that a server knows it by.
"""
import hashlib
import os
import re
import sys


def quote(text):
    """C string literals, a line each, so that the generated file can be read."""
    rows = []
    for line in text.splitlines(keepends=True):
        line = line.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')
        rows.append('"' + line + '"')
    return '\n        '.join(rows)


DEFINITION = re.compile(r'local (?:function (\w+)|([\w, ]+))')
WORD = re.compile(r'[A-Za-z_]\w*')


class Part:
    """A file: its first line if that is a shebang, what it needs, and its code without comments and indents."""

    def __init__(self, path):
        self.shebang, self.needs, self.lines, self.words, self.names = '', [], [], set(), {}
        with open(path, encoding='utf-8') as f:
            for line in f:
                self.add(line)

    def add(self, line):
        text = line.strip()
        if text.startswith('#!'):
            self.shebang = text
        elif text.startswith('-- needs:'):
            self.needs += text[len('-- needs:'):].split()
        elif text and not text.startswith('--'):
            if line.startswith('local '):
                self.define(text)
            self.lines.append(text)
            self.words.update(WORD.findall(text))

    def define(self, text):
        """What this line defines at the top of the file, by its number."""
        match = DEFINITION.match(text)
        self.names[len(self.lines)] = WORD.findall(match.group(1) or match.group(2))

    def body(self, others):
        """The code as a block. A function of Lua has 200 locals at most, all parts together have more: what nobody else uses
        stays inside, and the rest is declared before."""
        used = set().union(*(other.words for other in others))
        given, lines = [], ['do']
        for number, text in enumerate(self.lines):
            names = self.names.get(number, [])
            if used.intersection(names):
                given += names
                text = text[len('local '):]
                if '=' not in text and not text.startswith('function'):
                    continue
            lines.append(text)
        return (['local ' + ', '.join(given)] if given else []) + lines + ['end']


def assemble(script, parts):
    order = []

    def add(names):
        for name in names:
            if name not in order:
                add(parts[name].needs)
                order.append(name)

    # What writes puts what is in the inbox in its place first.
    writes = script.shebang and 'no-writes' not in script.shebang and script.needs not in ([], ['schema'])
    add((['inbox'] if writes else []) + script.needs)
    used = [parts[name] for name in order] + [script]
    lines = [script.shebang]
    for part in used[:-1]:
        lines += part.body([other for other in used if other is not part])
    return '\n'.join(lines + script.lines) + '\n'


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
