/* table.h: rows with aligned columns. Rows are held back a page at a time to find the
 * widths; the widths of one page hold for the next, and only grow. */
#ifndef ER_CLI_TABLE_H
#define ER_CLI_TABLE_H

#include "cli/print.h"

struct er_column {
    const char *title;
    bool is_right; /* numbers */
    int max;       /* columns of the terminal at most; 0: no limit */
};

enum { ER_TABLE_COLUMNS_MAX = 16 };

struct er_table;
/* NULL: out of memory, noted in `out` */
struct er_table *er_table_new(struct er_print *out, const struct er_column *columns,
                              size_t n);
void er_table_free(struct er_table *table);
/* The next cell, left to right; a full row begins the next one. Bytes are escaped. */
void er_table_cell(struct er_table *table, enum er_colour colour,
                   struct errand_slice text);
void er_table_str(struct er_table *table, enum er_colour colour, const char *text);
void er_table_int(struct er_table *table, enum er_colour colour, int64_t number);
/* Prints what is held back. The last column is cut at the edge of a terminal. */
void er_table_flush(struct er_table *table);

#endif
