/* change.h: what queue:retry, forget, flush, clear and cancel have in common: they change
 * jobs named by id, or all that match a filter when the command begins. */
#ifndef ER_CLI_CHANGE_H
#define ER_CLI_CHANGE_H

#include "cli/cli.h"

struct er_verb {
    enum errand_change_kind kind;
    const char *done;        /* "retried" */
    const char *wrong_state; /* "only failed and cancelled jobs can be retried" */
    const char *pending;     /* "asked to stop": a job that goes on running; or NULL */
};

/* The jobs of cli->args. Those that cannot be changed are named on standard error, the
 * others are changed all the same: er_exit, NOT_FOUND when an id is unknown, else FAILED
 * when one is in a wrong state. */
int er_change_ids(struct er_cli *cli, const struct er_verb *verb,
                  struct errand_error *err);
/* All that match, a thousand a transaction, so that workers are not held up. */
int er_change_all(struct er_cli *cli, const struct er_verb *verb,
                  const struct errand_filter *filter, int64_t *ret_n,
                  struct errand_error *err);
/* "3 jobs retried", or {"retried":3}. */
void er_change_say(struct er_cli *cli, const char *done, int64_t n);
/* What --force is for: says how many jobs would go and how to mean it. ER_EXIT_USAGE. */
int er_change_ask(struct er_cli *cli, const struct errand_filter *filter,
                  const char *what, struct errand_error *err);

#endif
