/* look.c: one job with its history, pages of jobs, and how many there are. */
#include "store/postgres/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* ------------------------------------------------------------------ one row */

/* The columns of job_rows (sql/look.sql), behind `part` where there is one. */
enum {
    COL_KEY,
    COL_ID,
    COL_NAME,
    COL_QUEUE,
    COL_WORKER,
    COL_STATE,
    COL_PRIORITY,
    COL_ATTEMPTS,
    COL_TRIES,
    COL_RUN_AT,
    COL_CREATED,
    COL_STARTED,
    COL_ENDED,
    COL_CANCEL,
    COL_WAITS,
    COL_PERCENT,
    COL_NOTE,
    COL_ERROR,
    COL_TAGS,
    COL_BATCH,
    COL_DATA,
    COL_OPTIONS,
    COL_RESULT,
};

/* "a,b": no name of a tag has a comma. */
static int tags_read(const struct er_pg_rows *rows, int row, int col,
                     struct errand_arena *arena, struct errand_job_info *ret)
{
    struct errand_slice text = er_pg_peek(rows, row, col);
    char *copy = errand_arena_copy(arena, text.ptr, text.len);
    const char **tags;
    size_t n = text.len != 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == ',';
    tags = errand_arena_alloc(arena, n * sizeof *tags);
    if (!copy || !tags)
        return -1;
    ret->tags = tags;
    ret->tags_n = n;
    for (size_t i = 0; i < n; i++) {
        tags[i] = copy;
        copy += strcspn(copy, ",");
        *copy++ = '\0';
    }
    return 0;
}

static int info_read(const struct er_pg_rows *rows, int row, int from,
                     struct errand_arena *arena, struct errand_job_info *ret)
{
    const char *worker = er_pg_get_text(rows, row, from + COL_WORKER, arena);

    *ret = (struct errand_job_info){
        .key = er_pg_get_int(rows, row, from + COL_KEY),
        .name = er_pg_get_text(rows, row, from + COL_NAME, arena),
        .queue = er_pg_get_text(rows, row, from + COL_QUEUE, arena),
        .worker = worker,
        .state = (enum errand_state)er_pg_get_int(rows, row, from + COL_STATE),
        .priority = (int32_t)er_pg_get_int(rows, row, from + COL_PRIORITY),
        .attempts = (int32_t)er_pg_get_int(rows, row, from + COL_ATTEMPTS),
        .tries = (int32_t)er_pg_get_int(rows, row, from + COL_TRIES),
        .run_at_ms = er_pg_get_int(rows, row, from + COL_RUN_AT),
        .created_ms = er_pg_get_int(rows, row, from + COL_CREATED),
        .started_ms = er_pg_get_int(rows, row, from + COL_STARTED),
        .finished_ms = er_pg_get_int(rows, row, from + COL_ENDED),
        .cancel_requested = er_pg_get_bool(rows, row, from + COL_CANCEL),
        .waits_n = (size_t)er_pg_get_int(rows, row, from + COL_WAITS),
        .progress = (int32_t)er_pg_get_int(rows, row, from + COL_PERCENT),
        .progress_note = er_pg_get_bytes(rows, row, from + COL_NOTE, arena),
        .error = er_pg_get_bytes(rows, row, from + COL_ERROR, arena),
        .data = er_pg_get_bytes(rows, row, from + COL_DATA, arena),
        .options = er_pg_get_bytes(rows, row, from + COL_OPTIONS, arena),
        .result = er_pg_get_bytes(rows, row, from + COL_RESULT, arena),
    };
    er_pg_get_id(rows, row, from + COL_ID, &ret->id);
    er_pg_get_id(rows, row, from + COL_BATCH, &ret->batch);
    if (!ret->name || !ret->queue || !ret->worker || !ret->progress_note.ptr ||
        !ret->error.ptr || !ret->data.ptr || !ret->options.ptr || !ret->result.ptr)
        return -1;
    return tags_read(rows, row, from + COL_TAGS, arena, ret);
}

/* ------------------------------------------------------------------ one job */

/* details (sql/look.sql) answers rows of these kinds, in this order. What is no job
 * stands in columns of one: sql/look.sql says which. */
enum part {
    PART_N = -1, /* how many jobs were read */
    PART_JOB,
    PART_ATTEMPT,
    PART_PARENT,
    PART_CHILD,
    PART_ASKS,
    PART_LIMIT,
    PARTS_N
};
enum { COL_I, COL_PART, FIRST };

static int attempt_read(const struct er_pg_rows *rows, int row,
                        struct errand_arena *arena, struct errand_attempt *ret)
{
    *ret = (struct errand_attempt){
        .n = (int32_t)er_pg_get_int(rows, row, FIRST + COL_ATTEMPTS),
        .started_ms = er_pg_get_int(rows, row, FIRST + COL_STARTED),
        .ended_ms = er_pg_get_int(rows, row, FIRST + COL_ENDED),
        .worker = er_pg_get_text(rows, row, FIRST + COL_WORKER, arena),
        .outcome = (enum errand_outcome_kind)er_pg_get_int(rows, row, FIRST + COL_STATE),
        .cause = (enum errand_cause)er_pg_get_int(rows, row, FIRST + COL_PRIORITY),
        .exit_code = (int32_t)er_pg_get_int(rows, row, FIRST + COL_TRIES),
        .signal = (int32_t)er_pg_get_int(rows, row, FIRST + COL_WAITS),
        .max_rss_kib = er_pg_get_int(rows, row, FIRST + COL_KEY),
        .cpu_ms = er_pg_get_int(rows, row, FIRST + COL_RUN_AT),
        .error = er_pg_get_bytes(rows, row, FIRST + COL_ERROR, arena),
        .log = er_pg_get_bytes(rows, row, FIRST + COL_DATA, arena),
    };
    return ret->worker && ret->error.ptr && ret->log.ptr ? 0 : -1;
}

static int edge_read(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                     struct errand_edge_info *ret)
{
    *ret = (struct errand_edge_info){
        .is_batch = er_pg_get_bool(rows, row, FIRST + COL_CANCEL),
        .is_satisfied = er_pg_get_int(rows, row, FIRST + COL_WAITS) != 0,
        .has_cancelled = er_pg_get_int(rows, row, FIRST + COL_PERCENT) != 0,
        .on = (enum errand_edge_on)er_pg_get_int(rows, row, FIRST + COL_PRIORITY),
        .state = (enum errand_state)er_pg_get_int(rows, row, FIRST + COL_STATE),
        .name = er_pg_get_text(rows, row, FIRST + COL_NAME, arena),
        .result = er_pg_get_bytes(rows, row, FIRST + COL_RESULT, arena),
    };
    er_pg_get_id(rows, row, FIRST + COL_ID, &ret->id);
    return ret->name && ret->result.ptr ? 0 : -1;
}

static int asks_read(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                     struct errand_job_detail *ret)
{
    struct errand_unique *unique;

    ret->has_failed_hook = er_pg_get_bool(rows, row, FIRST + COL_CANCEL);
    ret->is_hook_due = er_pg_get_int(rows, row, FIRST + COL_PERCENT) != 0;
    if (er_pg_is_null(rows, row, FIRST + COL_WAITS))
        return 0;
    if (!(unique = errand_arena_alloc(arena, sizeof *unique)))
        return -1;
    *unique = (struct errand_unique){
        .until = (enum errand_unique_until)er_pg_get_int(rows, row, FIRST + COL_WAITS),
        .ttl_ms = er_pg_get_int(rows, row, FIRST + COL_RUN_AT),
        .key = er_pg_get_bytes(rows, row, FIRST + COL_DATA, arena),
    };
    ret->unique = unique;
    ret->unique_until_ms = er_pg_get_int(rows, row, FIRST + COL_CREATED);
    return unique->key.ptr ? 0 : -1;
}

static int limit_read(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                      struct errand_limit_use *ret)
{
    *ret = (struct errand_limit_use){
        .name = er_pg_get_text(rows, row, FIRST + COL_NAME, arena),
        .key = er_pg_get_bytes(rows, row, FIRST + COL_DATA, arena),
        .kind = (enum errand_limit_kind)er_pg_get_int(rows, row, FIRST + COL_PRIORITY),
        .n = er_pg_get_int(rows, row, FIRST + COL_KEY),
        .per_ms = er_pg_get_int(rows, row, FIRST + COL_RUN_AT),
    };
    return ret->name && ret->key.ptr ? 0 : -1;
}

/* Row by row, what stands in arrays of the job: the arrays have room. */
static int part_read(const struct er_pg_rows *rows, int row, struct errand_arena *arena,
                     struct errand_job_detail *ret)
{
    switch ((enum part)er_pg_get_int(rows, row, COL_PART)) {
    case PART_JOB:
        return info_read(rows, row, FIRST, arena, &ret->job);
    case PART_ATTEMPT:
        return attempt_read(rows, row, arena, &ret->attempts[ret->attempts_n++]);
    case PART_PARENT:
        return edge_read(rows, row, arena, &ret->parents[ret->parents_n++]);
    case PART_CHILD:
        return edge_read(rows, row, arena, &ret->children[ret->children_n++]);
    case PART_ASKS:
        return asks_read(rows, row, arena, ret);
    case PART_LIMIT: /* `limits` is constant for those who read it */
        return limit_read(rows, row, arena,
                          (struct errand_limit_use *)&ret->limits[ret->limits_n++]);
    case PART_N:
    case PARTS_N:
        break;
    }
    return 0;
}

static int arrays_make(const size_t n[PARTS_N], struct errand_arena *arena,
                       struct errand_job_detail *ret)
{
    ret->attempts = errand_arena_alloc(arena, n[PART_ATTEMPT] * sizeof *ret->attempts);
    ret->parents = errand_arena_alloc(arena, n[PART_PARENT] * sizeof *ret->parents);
    ret->children = errand_arena_alloc(arena, n[PART_CHILD] * sizeof *ret->children);
    ret->limits = errand_arena_alloc(arena, n[PART_LIMIT] * sizeof *ret->limits);
    return ret->attempts && ret->parents && ret->children && ret->limits ? 0 : -1;
}

/* Of which job a row of the answer speaks; its number is from 1. */
static size_t which(const struct er_pg_rows *rows, int row, size_t n)
{
    size_t i = (size_t)er_pg_get_int(rows, row, COL_I) - 1;

    return i < n ? i : 0;
}

static int details_read(const struct er_pg_rows *rows, size_t asked_n,
                        struct errand_arena *arena, struct errand_details_result *ret)
{
    size_t n = rows->n ? (size_t)er_pg_get_int(rows, 0, COL_I) : 0;
    size_t(*has)[PARTS_N];
    int rc = 0;

    if (n > asked_n)
        n = asked_n;
    has = calloc(n + 1, sizeof *has);
    ret->details = errand_arena_alloc(arena, n * sizeof *ret->details);
    for (int i = 1; has && i < rows->n; i++)
        has[which(rows, i, n)][er_pg_get_int(rows, i, COL_PART)]++;
    rc = has && ret->details ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = arrays_make(has[i], arena, &ret->details[i]);
    for (int i = 1; rc == 0 && i < rows->n; i++)
        rc = part_read(rows, i, arena, &ret->details[which(rows, i, n)]);
    free(has);
    ret->details_n = n;
    return rc;
}

int er_pg_op_details(struct errand_conn *conn, const struct errand_details_params *p,
                     struct errand_arena *arena, struct errand_details_result *ret,
                     struct errand_error *err)
{
    struct errand_details_result got = {0};
    struct er_pg_rows rows;
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    er_pg_int(&args, p->now_ms);
    er_pg_array_begin(&args, ER_PG_TEXTS);
    for (size_t i = 0; i < p->ids_n; i++)
        er_pg_add_text(&args, p->ids[i].text);
    er_pg_array_end(&args);
    er_pg_int(&args, (int64_t)p->max_bytes);
    if ((rc = er_pg_ask(conn, "details", ER_PG_HARMLESS, &args, &rows, err)) < 0)
        return rc;
    if (details_read(&rows, p->ids_n, arena, &got) < 0)
        rc = er_error_nomem(err);
    else
        *ret = got;
    er_pg_rows_done(&rows);
    return rc;
}

int er_pg_op_get(struct errand_conn *conn, const struct errand_id *id, int64_t now_ms,
                 struct errand_arena *arena, struct errand_job_detail *ret,
                 struct errand_error *err)
{
    struct errand_details_params p = {.now_ms = now_ms, .ids = id, .ids_n = 1};
    struct errand_details_result got = {0};
    int rc = er_pg_op_details(conn, &p, arena, &got, err);

    if (rc < 0)
        return rc;
    if (!got.details_n || !got.details->job.id.text[0])
        return errand_error_set(err, ERRAND_ENOTFOUND, "there is no such job");
    *ret = *got.details;
    return 0;
}

/* ------------------------------------------------------------------ pages */

static int page_read(const struct er_pg_rows *rows, size_t max,
                     struct errand_arena *arena, struct errand_list_result *ret)
{
    size_t n = (size_t)rows->n > max ? max : (size_t)rows->n;

    if (!(ret->jobs = errand_arena_alloc(arena, n * sizeof *ret->jobs)))
        return -1;
    for (; ret->jobs_n < n; ret->jobs_n++)
        if (info_read(rows, (int)ret->jobs_n, 0, arena, &ret->jobs[ret->jobs_n]) < 0)
            return -1;
    ret->more = (size_t)rows->n > max;
    return 0;
}

int er_pg_op_list(struct errand_conn *conn, const struct errand_list_params *p,
                  struct errand_arena *arena, struct errand_list_result *ret,
                  struct errand_error *err)
{
    struct errand_list_result page = {0};
    struct er_pg_rows rows;
    struct er_pg_args args;
    int rc;

    er_pg_args_init(&args);
    er_pg_filter(&args, &p->filter);
    er_pg_text(&args, p->after.text);
    er_pg_bool(&args, p->newest_first);
    er_pg_int(&args, (int64_t)p->max + 1); /* whether there are more */
    er_pg_bool(&args, p->with_data);
    if ((rc = er_pg_ask(conn, "list", ER_PG_HARMLESS, &args, &rows, err)) < 0)
        return rc;
    if (rows.n && er_pg_is_null(&rows, 0, COL_KEY))
        rc = errand_error_set(err, ERRAND_ENOTFOUND,
                              "there is no job '%s' to go on behind", p->after.text);
    else if (page_read(&rows, p->max, arena, &page) < 0)
        rc = er_error_nomem(err);
    else
        *ret = page;
    er_pg_rows_done(&rows);
    return rc;
}

int er_pg_op_count(struct errand_conn *conn, const struct errand_filter *filter,
                   int64_t now_ms, int64_t *ret_n, struct errand_error *err)
{
    struct er_pg_args args;

    (void)now_ms;
    er_pg_args_init(&args);
    er_pg_filter(&args, filter);
    return er_pg_ask_int(conn, "count", ER_PG_HARMLESS, &args, ret_n, err);
}
