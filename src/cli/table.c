/* table.c: aligned columns, a page at a time. */
#include "cli/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { PAGE = 200, GAP = 2, CELL_MAX = 4096 };

struct cell {
    const char *text;
    size_t len;
    int width;
    enum er_colour colour;
};

struct er_table {
    struct er_print *out;
    const struct er_column *columns;
    size_t columns_n;
    struct errand_arena *arena; /* texts of the page held back */
    struct cell *cells;
    size_t cells_n;
    int widths[ER_TABLE_COLUMNS_MAX];
    int owed;        /* blanks before the next text: none at the end of a line */
    bool has_header; /* printed */
};

struct er_table *er_table_new(struct er_print *out, const struct er_column *columns,
                              size_t n)
{
    struct er_table *t = calloc(1, sizeof *t);

    if (!t || n > ER_TABLE_COLUMNS_MAX)
        goto out;
    *t = (struct er_table){.out = out, .columns = columns, .columns_n = n};
    t->arena = er_arena_new();
    t->cells = calloc(PAGE * n, sizeof *t->cells);
    if (!t->arena || !t->cells)
        goto out;
    for (size_t i = 0; i < n; i++)
        t->widths[i] = (int)strlen(columns[i].title);
    return t;
out:
    out->has_failed = true;
    er_table_free(t);
    return NULL;
}

void er_table_free(struct er_table *table)
{
    if (!table)
        return;
    er_arena_free(table->arena);
    free(table->cells);
    free(table);
}

/* Cuts a cell to its column, with an ellipsis where something is missing. */
static void cell_cut(struct er_table *t, struct cell *cell, int columns)
{
    char *text;
    size_t fit;

    if (columns <= 0 || cell->width <= columns)
        return;
    fit = er_text_fit(t->out, cell->text, cell->len, columns - 1);
    if (!(text = er_arena_printf(t->arena, "%.*s…", (int)fit, cell->text)))
        return;
    *cell = (struct cell){.text = text,
                          .len = strlen(text),
                          .width = er_text_width(t->out, text, strlen(text)),
                          .colour = cell->colour};
}

void er_table_cell(struct er_table *table, enum er_colour colour,
                   struct errand_slice text)
{
    struct er_buf *scratch = &table->out->scratch;
    size_t column = table->cells_n % table->columns_n;
    struct cell *cell = &table->cells[table->cells_n];

    /* A cell is for the eye: what is beyond any screen is in --json. */
    if (text.len > CELL_MAX)
        text.len = CELL_MAX;
    er_buf_reset(scratch);
    er_text_escape(scratch, text, false);
    *cell = (struct cell){.len = scratch->len, .colour = colour};
    cell->text = errand_arena_copy(table->arena, scratch->ptr, scratch->len);
    if (!cell->text || scratch->has_failed) {
        table->out->has_failed = true;
        *cell = (struct cell){.text = "?", .len = 1};
    }
    cell->width = er_text_width(table->out, cell->text, cell->len);
    cell_cut(table, cell, table->columns[column].max);
    if (cell->width > table->widths[column])
        table->widths[column] = cell->width;
    if (++table->cells_n == PAGE * table->columns_n)
        er_table_flush(table);
}

void er_table_str(struct er_table *table, enum er_colour colour, const char *text)
{
    er_table_cell(table, colour, (struct errand_slice){.ptr = text, .len = strlen(text)});
}

void er_table_int(struct er_table *table, enum er_colour colour, int64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, number);
    er_table_str(table, colour, text);
}

static void cell_print(struct er_table *t, const struct cell *cell, size_t column)
{
    bool is_right = t->columns[column].is_right;
    int room = t->widths[column] - cell->width;

    t->owed += is_right ? room : 0;
    if (cell->len) {
        er_printf(t->out, "%*s", t->owed, "");
        t->owed = 0;
        if (cell->colour != ER_PLAIN)
            er_print_colour(t->out, cell->colour);
        er_print_add(t->out, cell->text, cell->len);
        if (cell->colour != ER_PLAIN)
            er_print_colour(t->out, ER_PLAIN);
    }
    t->owed += GAP + (is_right ? 0 : room);
    if (column + 1 == t->columns_n) {
        er_print_add(t->out, "\n", 1);
        t->owed = 0;
    }
}

/* Columns that the last cell may take; 0: no limit. */
static int room_for_last(const struct er_table *t)
{
    int used = 0;

    if (t->out->columns == 0)
        return 0;
    for (size_t i = 0; i + 1 < t->columns_n; i++)
        used += t->widths[i] + GAP;
    return t->out->columns - used < 8 ? 8 : t->out->columns - used;
}

static void header_print(struct er_table *t)
{
    for (size_t i = 0; i < t->columns_n; i++) {
        const char *title = t->columns[i].title;
        struct cell cell = {.text = title, .len = strlen(title), .colour = ER_DIM};

        cell.width = (int)cell.len;
        cell_print(t, &cell, i);
    }
    t->has_header = true;
}

void er_table_flush(struct er_table *table)
{
    size_t last = table->columns_n - 1;
    int room = room_for_last(table);

    if (table->cells_n == 0)
        return;
    if (!table->has_header)
        header_print(table);
    for (size_t i = 0; i < table->cells_n; i++) {
        if (i % table->columns_n == last)
            cell_cut(table, &table->cells[i], room);
        cell_print(table, &table->cells[i], i % table->columns_n);
    }
    table->cells_n = 0;
    er_arena_reset(table->arena);
}
