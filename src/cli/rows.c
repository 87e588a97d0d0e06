/* rows.c: printing a list that is there in whole; pages of jobs are job_view.c's. */
#include "cli/rows.h"

#include "base/error.h"

int er_rows_print(struct er_cli *cli, const struct er_rows *rows, const void *items,
                  size_t n, struct errand_error *err)
{
    struct er_table *table = er_table_new(&cli->out, rows->columns, rows->columns_n);
    const char *item = items;
    struct er_line line;

    if (!table)
        return er_error_nomem(err);
    er_line_init(&line);
    for (size_t i = 0; i < n && !cli->out.is_closed; i++, item += rows->item_size) {
        if (!cli->out.is_json) {
            rows->row(table, item);
            continue;
        }
        er_line_begin(&line);
        rows->line(&line, item);
        er_line_end(&line, &cli->out);
    }
    er_table_flush(table);
    er_table_free(table);
    er_line_done(&line);
    if (n == 0 && !cli->out.is_json)
        er_cli_note(cli, "%s", rows->none);
    return 0;
}
