/* rows.h: things of one kind, as a table for people or as lines of JSON for programs. */
#ifndef ER_CLI_ROWS_H
#define ER_CLI_ROWS_H

#include "cli/cli.h"
#include "cli/line.h"
#include "cli/table.h"

struct er_rows {
    const struct er_column *columns;
    size_t columns_n;
    size_t item_size; /* of what `row` and `line` are given */
    void (*row)(struct er_table *table, const void *item);
    void (*line)(struct er_line *line, const void *item); /* between begin and end */
    const char *none; /* said to people when there are none */
};

/* `items`, n of them in an array; ends early when nobody reads any more. */
int er_rows_print(struct er_cli *cli, const struct er_rows *rows, const void *items,
                  size_t n, struct errand_error *err);

#endif
