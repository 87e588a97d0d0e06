/* notify.h: notifications of final failures, for the layers that carry them: settings,
 * what is stored for a failure, and what the delivering process is told.
 *
 * For each failure and channel there is a record, a HELD job whose id follows from the
 * failure, so that storing it again stores nothing. The records of one job name on one
 * queue (a group) wait for the group's guard, a job that exists once by its unique key. A
 * guard that runs gathers the records that wait for it, delivers them in one message,
 * cancels them and comes back after `every`; when none are there it is done. So the first
 * failure is told at once, a storm is one message each time, and none is lost: if the
 * guard fails for good its records are CANCELLED with it, and the operator's retry of it
 * brings them back.
 *
 * A record that was told stays for a while: whoever stored it may have died before it
 * could say that it had, and then the failure is stored once more. A third kind of job, a
 * sweeper, deletes it then. All have the same name; a record that runs (its guard ended
 * in the moment it was stored) delivers itself. */
#ifndef ER_CLIENT_NOTIFY_H
#define ER_CLIENT_NOTIFY_H

#include "base/arena.h"
#include "errand/notify.h"

struct er_buf;
struct er_module;
struct er_store;
struct er_config;
struct er_config_value;
struct er_config_place;

#define ER_NOTIFY_JOB "errand:notify"
#define ER_NOTIFY_QUEUE "errand-notifications"
/* The first argument that makes a program that calls errand_main deliver what it is told
 * on standard input: exit 0, 65 no retry helps, 75 try again. */
#define ER_NOTIFY_ARG "__notify"

/* What delivers, a module of its own; without it nothing can be. */
extern const struct er_module er_notify_module;
#define ER_NOTIFY_ENTRY "errand_notify_module"

enum er_notify_channel {
    ER_NOTIFY_EMAIL,
    ER_NOTIFY_SLACK,
    ER_NOTIFY_WEBHOOK,
    ER_NOTIFY_CHANNELS_N,
};
const char *er_notify_channel_name(enum er_notify_channel channel);
int er_notify_channel_find(const char *name); /* -1: no such channel */

/* ------------------------------------------------------------------ settings */

/* One value of a setting ("email.to", "webhook.url"); EINVAL names the setting, and the
 * value when that is no secret. */
int er_notify_check_value(const char *setting, const char *value,
                          struct errand_error *err);
/* All of it, and what only shows when it is seen together. */
int er_notify_check(const struct errand_notify *notify, struct errand_error *err);
/* Bits (1 << channel) of those that have all they need. `ret_lack` gets one line about
 * those that have not, or NULL. -1: no memory. */
int er_notify_ready(const struct errand_notify *notify, struct errand_arena *arena,
                    const char **ret_lack);
/* All of it in the arena. 0 or -1. */
int er_notify_copy(const struct errand_notify *notify, struct errand_arena *arena,
                   struct errand_notify *ret);
int64_t er_notify_every_ms(const struct errand_notify *notify);

/* notify_config.c: a key below `notifications` in the configuration. EINVAL with the
 * place. */
int er_notify_set(struct er_config *config, const char *setting,
                  const struct er_config_value *value,
                  const struct er_config_place *place, struct errand_error *err);
/* What may be shown of what was written there. */
const char *er_notify_shown(const char *setting, const char *text);

/* ------------------------------------------------------------------ failures */

struct er_failure {
    const char *id, *name, *queue;
    int attempts, tries;
    struct errand_slice error;
    int64_t failed_ms;
};

/* Stores what `channels` (bits) are to tell of these failures, in one transaction. The
 * same failures again change nothing. */
int er_notify_store(struct er_store *store, int channels,
                    const struct er_failure *failures, size_t n,
                    struct errand_arena *arena, struct errand_error *err);

/* What a guard, or a record that runs, is to deliver. */
struct er_notice {
    int channel;
    const char *id; /* of the message: the same when it is sent again */
    const char *name, *queue;
    const char *host; /* the machine of the worker */
    bool is_test;
    int64_t total; /* failures that this message stands for */
    int64_t since_ms, until_ms;
    struct er_failure *failures; /* the first of them */
    size_t failures_n;
    /* the records that it tells of; a record that runs has none */
    struct errand_id *records;
    size_t records_n;
    struct errand_id *swept; /* of a sweeper: what it is to delete; total is 0 then */
    size_t swept_n;
};
enum { ER_NOTICE_FAILURES = 10, ER_NOTICE_RECORDS = 10000 };

struct er_gathering {
    const struct errand_id *id; /* of the guard, or of a record that runs */
    struct errand_slice data;   /* its data */
    size_t most;                /* records in one message, up to ER_NOTICE_RECORDS */
};
/* What waits for it. total 0: nothing to tell. EJSON: not a job of ours. */
int er_notify_gather(struct er_store *store, const struct er_gathering *gathering,
                     struct errand_arena *arena, struct er_notice *ret,
                     struct errand_error *err);
/* Its records have been told, and need not be known after `until_ms`. */
int er_notify_told(struct er_store *store, const struct er_notice *notice,
                   int64_t until_ms, struct errand_arena *arena,
                   struct errand_error *err);
int er_notify_sweep(struct er_store *store, const struct er_notice *notice,
                    struct errand_arena *arena, struct errand_error *err);

/* ------------------------------------------------------------------ passing on */

/* What the delivering process reads: the notice, and the settings of its channel alone.
 * It holds secrets. 0 or -1. */
int er_notify_pass(const struct errand_notify *notify, const struct er_notice *notice,
                   struct er_buf *buf);
/* And back; all in the arena. EJSON. */
int er_notify_take(struct errand_slice text, struct errand_arena *arena,
                   struct errand_notify *ret_notify, struct er_notice *ret_notice,
                   struct errand_error *err);

#endif
