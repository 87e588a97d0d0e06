/* cmd_batches.c: errand queue:batches: batches, chains and flows, newest first. */
#include <stdio.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/group.h"
#include "cli/table.h"
#include "cli/when.h"
#include "client/group.h"
#include "core/clock.h"
#include "core/id.h"

enum { LIMIT = 50, PAGE = 100 };

static const struct er_flag flags[] = {
    {"limit", "N", "at most so many; default 50, 0 for all", ER_FLAG_COUNT},
    {"after", "ID", "go on behind this one", ER_FLAG_TEXT},
    {"cancel", NULL, "cancel the jobs of the ID given that have not ended",
     ER_FLAG_SWITCH},
    {0},
};

static const struct er_column columns[] = {
    {.title = "ID"},
    {.title = "KIND"},
    {.title = "NAME", .max = 40},
    {.title = "ENDED", .is_right = true},
    {.title = "COMPLETED", .is_right = true},
    {.title = "FAILED", .is_right = true},
    {.title = "CANCELLED", .is_right = true},
    {.title = "OF", .is_right = true},
    {.title = "MADE"},
};

struct page {
    struct er_cli *cli;
    struct er_table *table;
    struct er_line line;
};

static void count_cell(struct er_table *table, int64_t n, enum errand_state state)
{
    char text[ER_WHEN_SIZE];

    er_table_str(table, n ? er_state_colour(state) : ER_DIM, er_count_text(n, text));
}

static void row(struct page *p, const struct errand_batch_result *r)
{
    char ended[16], text[ER_WHEN_SIZE];

    if (p->cli->out.is_json) {
        er_line_begin(&p->line);
        er_group_fields(&p->line, r);
        er_line_end(&p->line, &p->cli->out);
        return;
    }
    snprintf(ended, sizeof ended, "%d %%", r->percent);
    er_table_str(p->table, ER_PLAIN, r->id.text);
    er_table_str(p->table, ER_PLAIN, r->kind);
    er_table_str(p->table, ER_BOLD, r->name);
    er_table_str(p->table, ER_PLAIN, ended);
    count_cell(p->table, r->successful, ERRAND_COMPLETED);
    count_cell(p->table, r->failed, ERRAND_FAILED);
    count_cell(p->table, r->cancelled, ERRAND_CANCELLED);
    er_table_str(p->table, ER_PLAIN, er_count_text(r->total, text));
    er_table_str(p->table, ER_PLAIN,
                 er_ago_text(r->created_ms, er_store_wall_ms(p->cli->store), text));
}

static int pages_print(struct page *p, struct errand_id after, int64_t limit,
                       struct errand_error *err)
{
    struct errand_arena *arena = er_arena_new();
    struct errand_batch_info *list;
    size_t n = PAGE, most;
    int64_t shown = 0;
    int rc = arena ? 0 : er_error_nomem(err);

    while (rc == 0 && n == PAGE && !p->cli->out.is_closed) {
        er_arena_reset(arena);
        most = limit && limit - shown < PAGE ? (size_t)(limit - shown) : PAGE;
        if (!most ||
            (rc = er_store_batches(p->cli->store, &after, most, arena, &list, &n, err)))
            break;
        for (size_t i = 0; i < n; i++) {
            struct errand_batch_result result = er_batch_result_of(&list[i]);
            row(p, &result);
        }
        shown += (int64_t)n;
        if (n)
            after = list[n - 1].id;
    }
    if (rc == 0 && limit && shown == limit && !p->cli->out.is_json)
        er_cli_note(p->cli, "there may be more: --after=%s, or --limit=0 for all",
                    after.text);
    if (rc == 0 && shown == 0)
        er_cli_note(p->cli, "no batches, chains or flows");
    er_arena_free(arena);
    return rc;
}

static int one_print(struct page *p, const struct errand_id *id, struct errand_error *err)
{
    struct errand_batch_result *result;
    int rc = errand_batch_get(p->cli->errand, id, &result, err);

    if (rc < 0)
        return rc;
    row(p, result);
    if (p->table) {
        er_table_flush(p->table);
        er_group_failures(p->cli, result);
        if (result->pending)
            er_cli_note(p->cli,
                        "%lld not ended: errand queue:list --batch=%s "
                        "--state=held,scheduled,ready,running",
                        (long long)result->pending, id->text);
    }
    errand_batch_result_free(result);
    return 0;
}

static int cancel(struct er_cli *cli, const struct errand_id *id,
                  struct errand_error *err)
{
    int n = errand_batch_cancel(cli->errand, id, err);
    struct er_line line;

    if (n < 0)
        return n;
    if (!cli->out.is_json) {
        er_printf(&cli->out, "%d %s cancelled\n", n, n == 1 ? "job" : "jobs");
        return 0;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_int(&line, "cancelled", n);
    er_line_end(&line, &cli->out);
    er_line_done(&line);
    return 0;
}

static int print(struct er_cli *cli, const struct errand_id *id,
                 const struct errand_id *after, struct errand_error *err)
{
    struct page page = {.cli = cli};
    int rc;

    er_line_init(&page.line);
    if (!cli->out.is_json)
        page.table = er_table_new(&cli->out, columns, sizeof columns / sizeof *columns);
    rc = id->text[0]
             ? one_print(&page, id, err)
             : pages_print(&page, *after, er_cli_number(cli, "limit", LIMIT), err);
    if (page.table)
        er_table_flush(page.table);
    er_table_free(page.table);
    er_line_done(&page.line);
    return rc;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct errand_id id = {{0}}, after = {{0}};
    const char *behind = er_cli_text(cli, "after");
    bool is_cancel = er_cli_has(cli, "cancel");
    int rc;

    if ((cli->args_n && (rc = er_id_parse(cli->args[0], &id, err)) < 0) ||
        (behind && (rc = er_id_parse(behind, &after, err)) < 0))
        return rc;
    if (is_cancel && !cli->args_n)
        return errand_error_set(err, ERRAND_EINVAL, "--cancel wants the id of one");
    if ((rc = er_cli_open(cli, is_cancel ? ER_OPEN_KEEP : ER_OPEN_LOOK, err)) < 0)
        return rc;
    rc = is_cancel ? cancel(cli, &id, err) : print(cli, &id, &after, err);
    return rc < 0 ? rc : ER_EXIT_DONE;
}

const struct er_command er_cmd_batches = {
    .name = "queue:batches",
    .group = "Look",
    .args = "[ID]",
    .args_min = 0,
    .args_max = 1,
    .flags = flags,
    .help = "lists batches, chains and flows, or shows one with what failed",
    .about = "With --json each line is id name kind total pending successful failed "
             "cancelled created_at finished_at. Their jobs: queue:list --batch=ID.",
    .example = "errand queue:batches\n"
               "errand queue:batches order-7 --cancel",
    .exec = exec,
};
