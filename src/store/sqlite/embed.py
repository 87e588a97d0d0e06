#!/usr/bin/env python3
"""embed.py OUT_C OUT_H DEPFILE FOLDER: turns the SQL files of a folder into one C table.

A file of sql/ is one statement: its name becomes ER_SQL_NAME, a line "-- plan: TEXT" says what EXPLAIN QUERY PLAN
must contain, and "-- hot" that the statement must not scan a table. A file of migrations/ is a script, in order.
"""
import os
import sys


def quote(text):
    """C string literals, a line each, so that the generated file can be read."""
    rows = []
    for line in text.splitlines(keepends=True):
        line = line.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n')
        rows.append('"' + line + '"')
    return '\n        '.join(rows) if rows else '""'


def split(text):
    """What the comments promise, and the SQL without them (it is logged and traced)."""
    plan, hot, lines = '', False, []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith('-- plan:'):
            plan = stripped[len('-- plan:'):].strip()
        elif stripped == '-- hot':
            hot = True
        elif not stripped.startswith('--') and stripped:
            lines.append(line.rstrip())
    return plan, hot, '\n'.join(lines)


def main():
    out_c, out_h, depfile, folder = sys.argv[1:]
    folders = [os.path.join(folder, name) for name in ('sql', 'migrations')]
    statements, migrations = ([os.path.join(f, name) for name in sorted(os.listdir(f)) if name.endswith('.sql')]
                              for f in folders)
    names = [os.path.basename(f)[:-len('.sql')] for f in statements]

    # The folders as well: a file that is added makes them newer.
    with open(depfile, 'w', encoding='utf-8') as d:
        d.write(f'{out_c} {out_h}: ' + ' '.join(folders + statements + migrations) + '\n')

    with open(out_h, 'w', encoding='utf-8') as h:
        h.write('/* Made by embed.py from sql/ and migrations/: do not edit. */\n'
                '#ifndef ER_SQLITE_SQL_H\n#define ER_SQLITE_SQL_H\n\n#include <stdbool.h>\n\n'
                'enum er_sql {\n')
        for name in names:
            h.write(f'    ER_SQL_{name.upper()},\n')
        h.write('    ER_SQL_N\n};\n\n'
                'struct er_sql_text {\n    const char *name, *text;\n'
                '    const char *plan; /* what EXPLAIN QUERY PLAN must say; "" for no promise */\n'
                '    bool is_hot;      /* must not scan a table */\n};\n'
                'extern const struct er_sql_text er_sql_texts[ER_SQL_N];\n\n'
                '/* Script i raises the schema from version i to i + 1. */\n'
                f'enum {{ ER_SQLITE_SCHEMA = {len(migrations)} }};\n'
                'extern const char *const er_sqlite_migrations[ER_SQLITE_SCHEMA];\n\n#endif\n')

    with open(out_c, 'w', encoding='utf-8') as c:
        c.write('/* Made by embed.py from sql/ and migrations/: do not edit. */\n'
                f'#include "{os.path.basename(out_h)}"\n\n'
                'const struct er_sql_text er_sql_texts[ER_SQL_N] = {\n')
        for name, path in zip(names, statements):
            with open(path, encoding='utf-8') as f:
                plan, hot, text = split(f.read())
            c.write(f'    [ER_SQL_{name.upper()}] = {{\n        .name = "{name}",\n        .plan = {quote(plan)},\n'
                    f'        .is_hot = {"true" if hot else "false"},\n        .text = {quote(text)},\n    }},\n')
        c.write('};\n\nconst char *const er_sqlite_migrations[ER_SQLITE_SCHEMA] = {\n')
        for path in migrations:
            with open(path, encoding='utf-8') as f:
                c.write(f'    {quote(f.read())},\n')
        c.write('};\n')


main()
