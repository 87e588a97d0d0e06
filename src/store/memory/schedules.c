/* schedules.c: what is to be dispatched when, and which slots have fired. One job a slot,
 * however many schedulers there are: the slot is noted in the call that stores the job.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/memory/memory.h"

struct mem_schedule {
    struct er_node by_name;
    struct errand_schedule s; /* strings owned */
};

static struct mem_schedule *schedule_of(const struct er_node *node)
{
    return ER_OWNER((struct er_node *)node, struct mem_schedule, by_name);
}

static int by_name(const struct er_node *a, const struct er_node *b)
{
    return strcmp(schedule_of(a)->s.name, schedule_of(b)->s.name);
}

static int name_key(const void *key, const struct er_node *node)
{
    return strcmp(key, schedule_of(node)->s.name);
}

void er_mem_schedules_init(struct mem_store *store)
{
    er_tree_init(&store->schedules, by_name);
}

void er_mem_schedule_free(struct mem_schedule *schedule)
{
    if (!schedule)
        return;
    free((char *)schedule->s.name);
    er_mem_slice_free(&schedule->s.spec);
    free(schedule);
}

static void schedule_drop(struct mem_store *store, struct mem_schedule *schedule)
{
    if (er_node_is_in(&schedule->by_name))
        er_tree_remove(&store->schedules, &schedule->by_name);
    er_mem_schedule_free(schedule);
}

void er_mem_schedules_free(struct mem_store *store)
{
    while (store->schedules.root)
        schedule_drop(store, schedule_of(store->schedules.root));
}

static int find(struct mem_call *call, const char *name, struct mem_schedule **ret,
                struct errand_error *err)
{
    struct er_node *node = er_tree_find(&call->store->schedules, name, name_key);

    if (!node)
        return errand_error_set(err, ERRAND_ENOTFOUND, "there is no schedule '%s'", name);
    *ret = schedule_of(node);
    return 0;
}

/* ------------------------------------------------------------------ load */

struct mem_schedule *er_mem_schedule_new(const struct errand_schedule *from)
{
    struct mem_schedule *schedule = calloc(1, sizeof *schedule);

    if (!schedule)
        return NULL;
    schedule->s = *from;
    schedule->s.spec = (struct errand_slice){0};
    if (!(schedule->s.name = er_mem_dup(from->name)) ||
        er_mem_slice_dup(from->spec, &schedule->s.spec) < 0) {
        er_mem_schedule_free(schedule);
        return NULL;
    }
    return schedule;
}

bool er_mem_schedule_load(struct mem_call *call, struct mem_schedule *schedule)
{
    struct er_node *node =
        er_tree_find(&call->store->schedules, schedule->s.name, name_key);

    if (node && schedule_of(node)->s.last_slot_ms > schedule->s.last_slot_ms)
        return false;
    if (node)
        schedule_drop(call->store, schedule_of(node));
    er_tree_insert(&call->store->schedules, &schedule->by_name);
    call->wakes |= ERRAND_WAIT_SCHEDULES;
    return true;
}

/* ------------------------------------------------------------------ put, delete, pause
 */

static int put(struct mem_call *call, const struct errand_schedule *from)
{
    struct er_node *node = er_tree_find(&call->store->schedules, from->name, name_key);
    struct mem_schedule *schedule =
        node ? schedule_of(node) : calloc(1, sizeof *schedule);
    struct errand_slice spec;

    if (!schedule || er_mem_slice_dup(from->spec, &spec) < 0) {
        if (!node)
            free(schedule);
        return -1;
    }
    er_mem_slice_free(&schedule->s.spec);
    schedule->s.spec = spec;
    schedule->s.next_ms = from->next_ms;
    if (node)
        return 0;
    schedule->s.paused = from->paused;
    if (!(schedule->s.name = er_mem_dup(from->name))) {
        schedule_drop(call->store, schedule);
        return -1;
    }
    er_tree_insert(&call->store->schedules, &schedule->by_name);
    return 0;
}

int er_mem_op_schedule_put(struct errand_conn *conn,
                           const struct errand_schedule *schedule,
                           struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "schedule_put", 0, NULL, err);

    if (rc < 0)
        return rc;
    call.wakes |= ERRAND_WAIT_SCHEDULES;
    if (put(&call, schedule) < 0)
        rc = er_error_nomem(err);
    return er_mem_end(&call, "schedule_put", rc, err);
}

int er_mem_op_schedule_delete(struct errand_conn *conn, const char *name,
                              struct errand_error *err)
{
    struct mem_schedule *schedule = NULL;
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "schedule_delete", 0, NULL, err);

    if (rc < 0)
        return rc;
    if ((rc = find(&call, name, &schedule, err)) == 0)
        schedule_drop(call.store, schedule);
    call.wakes |= ERRAND_WAIT_SCHEDULES;
    return er_mem_end(&call, "schedule_delete", rc, err);
}

int er_mem_op_schedule_pause(struct errand_conn *conn, const char *name, bool paused,
                             struct errand_error *err)
{
    struct mem_schedule *schedule = NULL;
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "schedule_pause", 0, NULL, err);

    if (rc < 0)
        return rc;
    if ((rc = find(&call, name, &schedule, err)) == 0)
        schedule->s.paused = paused;
    call.wakes |= ERRAND_WAIT_SCHEDULES;
    return er_mem_end(&call, "schedule_pause", rc, err);
}

static int schedules(struct mem_call *call, struct errand_schedules_result *ret)
{
    size_t n = call->store->schedules.n;

    if (!(ret->schedules = errand_arena_alloc(call->arena, n * sizeof *ret->schedules)))
        return -1;
    for (struct er_node *x = er_tree_first(&call->store->schedules); x;
         x = er_tree_next(x)) {
        struct errand_schedule *row = &ret->schedules[ret->schedules_n++];
        *row = schedule_of(x)->s;
        if (!(row->name = er_mem_out(call, row->name)) ||
            er_mem_slice_out(call, schedule_of(x)->s.spec, &row->spec) < 0)
            return -1;
    }
    return 0;
}

int er_mem_op_schedules(struct errand_conn *conn, struct errand_arena *arena,
                        struct errand_schedules_result *ret, struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "schedules", 0, arena, err);

    if (rc < 0)
        return rc;
    if (schedules(&call, ret) < 0)
        rc = er_error_nomem(err);
    ret->identity = call.store->identity;
    return er_mem_end(&call, "schedules", rc, err);
}

/* ------------------------------------------------------------------ fire */

static bool is_overlapping(struct mem_call *call, const struct mem_schedule *schedule,
                           enum errand_overlap overlap)
{
    struct mem_job *last = schedule->s.last_job.text[0]
                               ? er_mem_job_find(call->store, &schedule->s.last_job)
                               : NULL;

    if (!last || er_state_is_final(last->state))
        return false;
    switch (overlap) {
    case ERRAND_OVERLAP_SKIP:
        return true;
    case ERRAND_OVERLAP_ALLOW:
        return false;
    case ERRAND_OVERLAP_ONE_WAITING:
        return last->state != ERRAND_RUNNING;
    }
    return false;
}

static enum errand_fired verdict(struct mem_call *call,
                                 const struct mem_schedule *schedule,
                                 const struct errand_fire_params *p)
{
    if (p->slot_ms <= schedule->s.last_slot_ms)
        return ERRAND_FIRED_ALREADY;
    if (!p->job)
        return ERRAND_FIRED_RECORDED;
    if (schedule->s.paused || is_overlapping(call, schedule, p->overlap))
        return ERRAND_FIRED_SKIPPED;
    return ERRAND_FIRED;
}

static int fire(struct mem_call *call, const struct errand_fire_params *p,
                struct errand_fire_result *ret, struct errand_error *err)
{
    struct errand_push_params push = {.now_ms = p->now_ms, .jobs = p->job, .jobs_n = 1};
    struct errand_push_result pushed = {0};
    struct mem_schedule *schedule = NULL;
    int rc;

    if ((rc = find(call, p->name, &schedule, err)) < 0)
        return rc;
    ret->hints = er_mem_hints(call);
    ret->fired = verdict(call, schedule, p);
    if (ret->fired == ERRAND_FIRED_ALREADY)
        return 0;
    if (ret->fired == ERRAND_FIRED) {
        if ((rc = er_mem_push(call, &push, &pushed, err)) < 0)
            return rc;
        ret->pushed = pushed.jobs[0];
        schedule->s.last_job = ret->pushed.id;
    } else {
        schedule->s.missed_n += p->job || !p->slots_n ? 1 : p->slots_n;
    }
    schedule->s.last_slot_ms = p->slot_ms;
    schedule->s.next_ms = p->next_ms;
    return 0;
}

int er_mem_op_fire(struct errand_conn *conn, const struct errand_fire_params *p,
                   struct errand_arena *arena, struct errand_fire_result *ret,
                   struct errand_error *err)
{
    struct mem_call call;
    int rc = er_mem_begin(&call, conn, "fire", p->now_ms, arena, err);

    if (rc < 0)
        return rc;
    rc = fire(&call, p, ret, err);
    return er_mem_end(&call, "fire", rc, err);
}
