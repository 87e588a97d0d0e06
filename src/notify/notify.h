/* notify.h: delivering one message, in a process of its own: what that process and the
 * module of the channels (channels/) have in common. */
#ifndef ER_NOTIFY_NOTIFY_H
#define ER_NOTIFY_NOTIFY_H

#include "client/notify.h"

/* What became of it. */
enum er_delivery {
    ER_DELIVERED,
    ER_TRY_AGAIN,
    ER_GIVE_UP, /* no other try would end better */
};

struct er_delivered {
    enum er_delivery delivery;
    int64_t wait_ms; /* TRY_AGAIN: the other side asked for so long; 0: it did not */
    char why[600];   /* not for DELIVERED; without secrets */
};

/* deliver.c: the program behind ER_NOTIFY_ARG. */
int er_notify_main(void);
void er_notify_deliver(const struct errand_notify *notify, const struct er_notice *notice,
                       struct er_delivered *ret);

/* What the module exports as ER_NOTIFY_ENTRY. It shares our structs, and so it must be of
 * our own version. */
struct er_notify_entry {
    const char *version;
    /* Over the notice's channel, whose settings are whole. */
    void (*send)(const struct errand_notify *notify, const struct er_notice *notice,
                 struct er_delivered *ret);
};

/* delivered.c: of both. */
void er_delivered_set(struct er_delivered *ret, enum er_delivery delivery,
                      const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
