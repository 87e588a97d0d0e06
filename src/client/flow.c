/* flow.c: chains and batches. Any graph is in flow_graph.c; looking at them and waiting
 * for them in batch.c. */
#include "errand/flow.h"

#include "base/error.h"
#include "client/group.h"

static int items_add(struct er_group *g, const char *what,
                     const struct errand_dispatch_item *items, size_t n,
                     struct errand_error *err)
{
    for (size_t i = 0; i < n; i++) {
        int rc = er_group_add(g, &items[i], true, err);
        if (rc < 0)
            return er_error_wrap(err, rc, "%s %zu of %zu", what, i + 1, n);
    }
    return 0;
}

/* Its edges decide what happens after a failure: that its batch cancels nothing leaves
 * the one thing to do that at the end of a link. */
int errand_chain(errand *e, const struct errand_dispatch_item *links, size_t n,
                 const struct errand_batch_options *options, struct errand_id *ret_id,
                 struct errand_error *err)
{
    struct er_group group;
    int rc;

    if (n == 0)
        return errand_error_set(err, ERRAND_EINVAL, "a chain without links");
    if (options && options->allow_failures)
        return errand_error_set(err, ERRAND_EINVAL,
                                "allow_failures: a chain ends at its first failure; take "
                                "a flow with after_end");
    if ((rc = er_group_begin(&group, e, "chain", options, err)) < 0 ||
        (rc = er_group_room(&group, n, n, err)) < 0)
        return rc;
    group.batch.allow_failures = true;
    if ((rc = items_add(&group, "link", links, n, err)) < 0)
        return rc;
    for (size_t i = 1; i < n; i++)
        er_group_edge(&group, i, i - 1, ERRAND_ON_SUCCESS);
    return er_group_push(&group, ret_id, err);
}

int errand_batch(errand *e, const struct errand_dispatch_item *members, size_t n,
                 const struct errand_batch_options *options, struct errand_id *ret_id,
                 struct errand_error *err)
{
    struct er_group group;
    int rc;

    if (n == 0)
        return errand_error_set(err, ERRAND_EINVAL, "a batch without members");
    if ((rc = er_group_begin(&group, e, "batch", options, err)) < 0 ||
        (rc = er_group_room(&group, n, 0, err)) < 0 ||
        (rc = items_add(&group, "member", members, n, err)) < 0)
        return rc;
    return er_group_push(&group, ret_id, err);
}

int errand_batch_add(errand *e, const struct errand_id *batch,
                     const struct errand_dispatch_item *members, size_t n,
                     struct errand_id *ret_ids, struct errand_error *err)
{
    struct errand_push_result result = {0};
    struct er_group group;
    int rc, inserted_n = 0;

    if (n == 0)
        return errand_error_set(err, ERRAND_EINVAL, "no members to add to batch '%s'",
                                batch->text);
    if ((rc = er_group_begin(&group, e, "batch", NULL, err)) < 0 ||
        (rc = er_group_room(&group, n, 0, err)) < 0)
        return rc;
    group.batch.id = *batch;
    if ((rc = items_add(&group, "member", members, n, err)) < 0)
        return rc;
    if ((rc = er_push(
             e, &(struct errand_push_params){.jobs = group.jobs, .jobs_n = group.jobs_n},
             &result, err)) < 0)
        return er_error_wrap(err, rc, "adding to batch '%s'", batch->text);
    for (size_t i = 0; i < n; i++) {
        inserted_n += result.jobs[i].pushed == ERRAND_INSERTED;
        if (ret_ids)
            ret_ids[i] = result.jobs[i].id;
    }
    return inserted_n;
}
