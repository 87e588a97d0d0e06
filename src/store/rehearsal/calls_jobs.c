/* calls_jobs.c: the calls about jobs alone on their way through a rehearsal. */
#include "store/rehearsal/inside.h"

static int pass_exchange(struct errand_conn *conn, const struct errand_exchange_params *p,
                         struct errand_arena *arena, struct errand_exchange_result *ret,
                         struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_exchange_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "exchange", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->exchange(er_rehearsal_goes_to(r)->conn, &q,
                                                   arena, ret, err);
    return er_rehearsal_answer(r, "exchange", rc, err);
}

static int pass_extend(struct errand_conn *conn, const struct errand_extend_params *p,
                       struct errand_arena *arena, struct errand_extend_result *ret,
                       struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_extend_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "extend", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->extend(er_rehearsal_goes_to(r)->conn, &q, arena,
                                                 ret, err);
    return er_rehearsal_answer(r, "extend", rc, err);
}

static int pass_reap(struct errand_conn *conn, const struct errand_reap_params *p,
                     struct errand_arena *arena, struct errand_reap_result *ret,
                     struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_reap_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "reap", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->reap(er_rehearsal_goes_to(r)->conn, &q, arena,
                                               ret, err);
    return er_rehearsal_answer(r, "reap", rc, err);
}

static int pass_change(struct errand_conn *conn, const struct errand_change_params *p,
                       struct errand_arena *arena, struct errand_change_result *ret,
                       struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_change_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "change", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->change(er_rehearsal_goes_to(r)->conn, &q, arena,
                                                 ret, err);
    return er_rehearsal_answer(r, "change", rc, err);
}

static int pass_prune(struct errand_conn *conn, const struct errand_prune_params *p,
                      size_t *ret_n, struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_prune_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "prune", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->prune(er_rehearsal_goes_to(r)->conn, &q, ret_n,
                                                err);
    return er_rehearsal_answer(r, "prune", rc, err);
}

static int pass_get(struct errand_conn *conn, const struct errand_id *id, int64_t now_ms,
                    struct errand_arena *arena, struct errand_job_detail *ret,
                    struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "get", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->get(
        er_rehearsal_goes_to(r)->conn, id, er_rehearsal_now(r, now_ms), arena, ret, err);
    return er_rehearsal_answer(r, "get", rc, err);
}

static int pass_details(struct errand_conn *conn, const struct errand_details_params *p,
                        struct errand_arena *arena, struct errand_details_result *ret,
                        struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_details_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "details", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->details(er_rehearsal_goes_to(r)->conn, &q,
                                                  arena, ret, err);
    return er_rehearsal_answer(r, "details", rc, err);
}

static int pass_list(struct errand_conn *conn, const struct errand_list_params *p,
                     struct errand_arena *arena, struct errand_list_result *ret,
                     struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_list_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "list", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->list(er_rehearsal_goes_to(r)->conn, &q, arena,
                                               ret, err);
    return er_rehearsal_answer(r, "list", rc, err);
}

static int pass_count(struct errand_conn *conn, const struct errand_filter *filter,
                      int64_t now_ms, int64_t *ret_n, struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    int rc;

    if (er_rehearsal_fails(r, "count", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->count(er_rehearsal_goes_to(r)->conn, filter,
                                                er_rehearsal_now(r, now_ms), ret_n, err);
    return er_rehearsal_answer(r, "count", rc, err);
}

static int pass_load(struct errand_conn *conn, const struct errand_load_params *p,
                     struct errand_arena *arena, struct errand_load_result *ret,
                     struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_in(conn);
    struct errand_load_params q = *p;
    int rc;

    q.now_ms = er_rehearsal_now(r, p->now_ms);
    if (er_rehearsal_fails(r, "load", false, err))
        return r->failure.code;
    rc = er_rehearsal_goes_to(r)->driver->load(er_rehearsal_goes_to(r)->conn, &q, arena,
                                               ret, err);
    return er_rehearsal_answer(r, "load", rc, err);
}

void er_rehearsal_calls_jobs(struct errand_driver *driver)
{
    driver->exchange = pass_exchange;
    driver->extend = pass_extend;
    driver->reap = pass_reap;
    driver->change = pass_change;
    driver->prune = pass_prune;
    driver->get = pass_get;
    if (driver->details)
        driver->details = pass_details;
    driver->list = pass_list;
    driver->count = pass_count;
    driver->load = pass_load;
}
