#!/usr/bin/env python3
"""embed.py OUT_C OUT_H DEPFILE FOLDER STORE: turns the SQL files of a store's folder into one C table.

sqlite: a file of sql/ is one statement: its name becomes ER_SQL_NAME, a line "-- plan: TEXT" says what EXPLAIN QUERY
PLAN must contain, and "-- hot" that the statement must not scan a table.
postgres: a file of sql/ is a script that creates functions; a sum over all tells whether a database has these.
A file of start/ is a script that runs where there may be no functions yet: er_postgres_start_NAME.
A file of migrations/ is a script, in order.
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


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def name_of(path):
    return os.path.basename(path)[:-len('.sql')]


def statements_h(files):
    names = ''.join(f'    ER_SQL_{name_of(f).upper()},\n' for f in files)
    return ('#include <stdbool.h>\n\n'
            f'enum er_sql {{\n{names}    ER_SQL_N\n}};\n\n'
            'struct er_sql_text {\n    const char *name, *text;\n'
            '    const char *plan; /* what EXPLAIN QUERY PLAN must say; "" for no promise */\n'
            '    bool is_hot;      /* must not scan a table */\n};\n'
            'extern const struct er_sql_text er_sql_texts[ER_SQL_N];\n\n')


def statements_c(files):
    rows = ''
    for path in files:
        plan, hot, text = split(read(path))
        rows += (f'    [ER_SQL_{name_of(path).upper()}] = {{\n        .name = "{name_of(path)}",\n'
                 f'        .plan = {quote(plan)},\n        .is_hot = {"true" if hot else "false"},\n'
                 f'        .text = {quote(text)},\n    }},\n')
    return f'const struct er_sql_text er_sql_texts[ER_SQL_N] = {{\n{rows}}};\n'


def functions_of(files):
    """An array, as PostgreSQL writes it, of the names of all functions."""
    return '{' + ','.join(sorted({n for f in files for n in re.findall(r'FUNCTION @\.(\w+)', read(f))})) + '}'


def scripts_h(files):
    total = hashlib.sha256(''.join(split(read(f))[2] for f in files).encode()).hexdigest()[:16]
    return (f'#define ER_POSTGRES_FUNCTIONS_SUM "{total}"\n'
            f'#define ER_POSTGRES_FUNCTIONS "{functions_of(files)}"\n'
            f'enum {{ ER_POSTGRES_SCRIPTS = {len(files)} }};\n'
            'struct er_pg_script {\n    const char *name, *text;\n};\n'
            'extern const struct er_pg_script er_postgres_scripts[ER_POSTGRES_SCRIPTS];\n\n')


def scripts_c(files):
    rows = ''.join(f'    {{"{name_of(f)}",\n        {quote(split(read(f))[2])}}},\n' for f in files)
    return f'const struct er_pg_script er_postgres_scripts[ER_POSTGRES_SCRIPTS] = {{\n{rows}}};\n'


SQL = {'sqlite': (statements_h, statements_c), 'postgres': (scripts_h, scripts_c)}


def main():
    out_c, out_h, depfile, folder, store = sys.argv[1:]
    header, table = SQL[store]
    upper = store.upper()
    folders = [os.path.join(folder, name) for name in ('sql', 'migrations', 'start')]
    folders = [f for f in folders if os.path.isdir(f)]
    sql, migrations, *rest = ([os.path.join(f, name) for name in sorted(os.listdir(f)) if name.endswith('.sql')]
                              for f in folders)
    start = rest[0] if rest else []
    made = '/* Made by embed.py from sql/, migrations/ and start/: do not edit. */\n'

    # The folders as well: a file that is added makes them newer.
    with open(depfile, 'w', encoding='utf-8') as d:
        d.write(f'{out_c} {out_h}: ' + ' '.join(folders + sql + migrations + start) + '\n')

    with open(out_h, 'w', encoding='utf-8') as h:
        h.write(f'{made}#ifndef ER_{upper}_SQL_H\n#define ER_{upper}_SQL_H\n\n{header(sql)}'
                '/* Script i raises the schema from version i to i + 1. */\n'
                f'enum {{ ER_{upper}_SCHEMA = {len(migrations)} }};\n'
                f'extern const char *const er_{store}_migrations[ER_{upper}_SCHEMA];\n'
                + ''.join(f'extern const char er_{store}_start_{name_of(f)}[];\n' for f in start) + '\n#endif\n')

    with open(out_c, 'w', encoding='utf-8') as c:
        c.write(f'{made}#include "{os.path.basename(out_h)}"\n\n{table(sql)}\n'
                f'const char *const er_{store}_migrations[ER_{upper}_SCHEMA] = {{\n')
        for path in migrations:
            c.write(f'    {quote(read(path))},\n')
        c.write('};\n')
        for path in start:
            c.write(f'const char er_{store}_start_{name_of(path)}[] =\n        {quote(split(read(path))[2])};\n')


main()
