/* events.c: the ring of events. */
#include "base/error.h"
#include "store/postgres/rest.h"

/* Each member of the events as an array. */
#define COLUMN(of, add) \
    ER_PG_COLUMN(&args, of, true, struct errand_event, event, events, n, add)
#define TEXTS(member) COLUMN(ER_PG_TEXTS, er_pg_add_text(&args, event->member))
#define INTS(member) COLUMN(ER_PG_INTS, er_pg_add_int(&args, event->member))

int er_pg_op_events_add(struct errand_conn *conn, const struct errand_event *events,
                        size_t n, int64_t now_ms, struct errand_error *err)
{
    struct er_pg_args args;

    er_pg_args_init(&args);
    er_pg_int(&args, now_ms);
    INTS(at_ms);
    TEXTS(type);
    TEXTS(id.text);
    TEXTS(name);
    TEXTS(queue);
    INTS(attempt);
    INTS(duration_ms);
    INTS(delay_ms);
    COLUMN(ER_PG_BLOBS, er_pg_add_bytes(&args, event->error));
    return er_pg_tell(conn, "events_add", ER_PG_ONCE, &args, err);
}

/* ------------------------------------------------------------------ read */

/* The columns of events_read (sql/events.sql); the first row is about the ring. */
enum { SEQ, AT, TYPE, JOB, NAME, QUEUE, ATTEMPT, DURATION, DELAY, ERROR };

static int event_read(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                      struct errand_event *ret)
{
    *ret = (struct errand_event){
        .seq = er_pg_get_int(rows, row, SEQ),
        .at_ms = er_pg_get_int(rows, row, AT),
        .type = er_pg_get_text(rows, row, TYPE, arena),
        .name = er_pg_get_text(rows, row, NAME, arena),
        .queue = er_pg_get_text(rows, row, QUEUE, arena),
        .attempt = (int32_t)er_pg_get_int(rows, row, ATTEMPT),
        .duration_ms = er_pg_get_int(rows, row, DURATION),
        .delay_ms = er_pg_get_int(rows, row, DELAY),
        .error = er_pg_get_bytes(rows, row, ERROR, arena),
    };
    er_pg_get_id(rows, row, JOB, &ret->id);
    return ret->type && ret->name && ret->queue && ret->error.ptr ? 0 : -1;
}

static int events_read(const struct er_pg_rows *rows, struct errand_arena *arena,
                       struct errand_events_result *ret)
{
    size_t n = (size_t)rows->n - 1;

    ret->last = er_pg_get_int(rows, 0, SEQ);
    ret->fell_behind = er_pg_get_int(rows, 0, ATTEMPT) != 0;
    if (!(ret->events = errand_arena_alloc(arena, n * sizeof *ret->events)))
        return -1;
    for (; ret->events_n < n; ret->events_n++) {
        struct errand_event *event = &ret->events[ret->events_n];
        if (event_read(rows, (int)ret->events_n + 1, arena, event) < 0)
            return -1;
        ret->last = event->seq;
    }
    return 0;
}

int er_pg_op_events_read(struct errand_conn *conn, const struct errand_events_params *p,
                         struct errand_arena *arena, struct errand_events_result *ret,
                         struct errand_error *err)
{
    struct errand_events_result got = {0};
    struct er_pg_rows rows;
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, p->now_ms);
    er_pg_int(&args, p->after);
    er_pg_int(&args, p->max > INT32_MAX ? INT32_MAX : (int64_t)p->max);
    er_pg_int(&args, p->follow_ms);
    er_pg_bool(&args, !((struct er_pg *)conn)->is_read_only);
    if ((rc = er_pg_ask(conn, "events_read", ER_PG_HARMLESS, &args, &rows, err)) < 0)
        return rc;
    if (events_read(&rows, arena, &got) < 0)
        rc = er_error_nomem(err);
    else
        *ret = got;
    er_pg_rows_done(&rows);
    return rc;
}
