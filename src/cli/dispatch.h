/* dispatch.h: the parts of queue:dispatch and queue:run. */
#ifndef ER_CLI_DISPATCH_H
#define ER_CLI_DISPATCH_H

#include "cli/cli.h"

/* Flags that both commands take, and what they say. */
#define ER_DISPATCH_FLAGS                                                                   \
    {"queue", "Q", "the queue; default: what the job says", ER_FLAG_TEXT},                  \
        {"delay", "T", "not before: 60, 10m, or an instant such as 2026-12-24T18:00:00Z",   \
         ER_FLAG_WHEN},                                                                     \
        {"tries", "N", "attempts it may take", ER_FLAG_COUNT, 1, 1000},                     \
        {"backoff", "S,…", "wait before a retry: 60, or one for each: 60,300,900",          \
         ER_FLAG_TEXT},                                                                     \
        {"backoff-strategy", "NAME", "fixed, linear or exponential", ER_FLAG_TEXT, 0, 0,    \
         er_backoff_strategies},                                                            \
        {"timeout", "T", "what an attempt may take: 90, 10m", ER_FLAG_DURATION},            \
        {"priority", "N", "smaller goes first; default 0", ER_FLAG_COUNT, -1000000, 1000000}, \
        {"unique", "KEY", "nothing is stored while another job holds this key",             \
         ER_FLAG_TEXT},                                                                     \
        {"unique-for", "T", "hold the key this long; default: until the job has ended",     \
         ER_FLAG_DURATION},                                                                 \
        {"id", "ID", "its id; dispatching it again stores nothing", ER_FLAG_TEXT},          \
        {"tag", "T,…", "tags to find it by", ER_FLAG_LIST},                                 \
    {                                                                                       \
        "wait", NULL, "wait for its end and print its result; exit 1 when it failed",       \
            ER_FLAG_SWITCH                                                                  \
    }
extern const char *const er_backoff_strategies[];

int er_dispatch_options(struct er_cli *cli, struct errand_options *ret,
                        struct errand_error *err);
/* Stores one job, prints its id, waits for it when asked to. */
int er_dispatch_one(struct er_cli *cli, const char *name, const char *data,
                    const struct errand_options *options, struct errand_error *err);
/* --file: one JSON value a line, a thousand jobs a transaction. */
int er_dispatch_file(struct er_cli *cli, const char *name, const char *path,
                     const struct errand_options *options, struct errand_error *err);
/* --sync: the handler runs here and now; nothing is stored. */
int er_dispatch_sync(struct er_cli *cli, const char *name, const char *data,
                     const struct errand_options *options, struct errand_error *err);

#endif
