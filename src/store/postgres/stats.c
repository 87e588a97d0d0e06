/* stats.c: how many attempts ended how and how long they took, per minute, queue and job
 * name. */
#include "base/error.h"
#include "store/postgres/rest.h"

static void texts(struct er_pg_args *args, const struct errand_stats_params *p,
                  size_t offset)
{
    er_pg_array_begin(args, ER_PG_TEXTS);
    for (size_t i = 0; i < p->add_n; i++)
        er_pg_add_text(args, *(const char *const *)((const char *)&p->add[i] + offset));
    er_pg_array_end(args);
}

/* n numbers of each row, one behind the other. */
static void numbers(struct er_pg_args *args, const struct errand_stats_params *p,
                    size_t offset, size_t n)
{
    er_pg_array_begin(args, ER_PG_INTS);
    for (size_t i = 0; i < p->add_n; i++)
        for (size_t k = 0; k < n; k++)
            er_pg_add_int(args,
                          ((const int64_t *)((const char *)&p->add[i] + offset))[k]);
    er_pg_array_end(args);
}

#define AT(member) offsetof(struct errand_stat, member)

int er_pg_op_stats_add(struct errand_conn *conn, const struct errand_stats_params *p,
                       struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    numbers(&args, p, AT(minute_ms), 1);
    texts(&args, p, AT(queue));
    texts(&args, p, AT(name));
    numbers(&args, p, AT(done), 1);
    numbers(&args, p, AT(failed), 1);
    numbers(&args, p, AT(retried), 1);
    numbers(&args, p, AT(run_ms), 1);
    numbers(&args, p, AT(wait_ms), 1);
    numbers(&args, p, AT(run_hist), ERRAND_HISTOGRAM_N);
    numbers(&args, p, AT(wait_hist), ERRAND_HISTOGRAM_N);
    return er_pg_tell(conn, "stats_add", ER_PG_ONCE, &args, err);
}

static int stat_fill(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                     void *ret_stat)
{
    struct errand_stat *ret = ret_stat;

    *ret = (struct errand_stat){
        .minute_ms = er_pg_get_int(rows, row, 0),
        .queue = er_pg_get_text(rows, row, 1, arena),
        .name = er_pg_get_text(rows, row, 2, arena),
        .done = er_pg_get_int(rows, row, 3),
        .failed = er_pg_get_int(rows, row, 4),
        .retried = er_pg_get_int(rows, row, 5),
        .run_ms = er_pg_get_int(rows, row, 6),
        .wait_ms = er_pg_get_int(rows, row, 7),
    };
    er_pg_get_ints(rows, row, 8, ret->run_hist, ERRAND_HISTOGRAM_N);
    er_pg_get_ints(rows, row, 9, ret->wait_hist, ERRAND_HISTOGRAM_N);
    return ret->queue && ret->name ? 0 : -1;
}

int er_pg_op_stats_read(struct errand_conn *conn, const struct errand_stats_params *p,
                        struct errand_arena *arena, struct errand_stats_result *ret,
                        struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_int(&args, p->since_ms);
    er_pg_int(&args, p->until_ms);
    er_pg_text(&args, p->queue);
    er_pg_text(&args, p->name);
    return er_pg_ask_rows(conn, "stats_read", &args, stat_fill, sizeof *ret->stats, arena,
                          &ret->stats, &ret->stats_n, err);
}
