/* types.h: the words that every other header uses: states, ids, bytes, backoff.
 *
 * Stored numbers and names never change. */
#ifndef ERRAND_TYPES_H
#define ERRAND_TYPES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "errand/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The life of a job; the table of moves is docs/life-of-a-job.md. */
enum errand_state {
    ERRAND_HELD = 0,      /* waits for other jobs */
    ERRAND_SCHEDULED = 1, /* waits for its time */
    ERRAND_READY = 2,
    ERRAND_RUNNING = 3, /* a worker has a lease on it */
    ERRAND_COMPLETED = 4,
    ERRAND_FAILED = 5, /* kept for the operator */
    ERRAND_CANCELLED = 6,
};
enum { ERRAND_STATES_N = 7 };

/* "held" … "cancelled". Borrowed for ever. */
ERRAND_API const char *errand_state_name(enum errand_state state);
/* The state of that name, or -1. */
ERRAND_API int errand_state_parse(const char *name);

/* A job's id: a UUIDv7 in lower case unless the caller gave its own ([A-Za-z0-9_.:/-], 1
 * to 63 bytes). text[0] == 0 means "none". */
enum { ERRAND_ID_MAX = 63 };
struct errand_id {
    char text[ERRAND_ID_MAX + 1];
};

/* Bytes with their length; ptr may be NULL when len is 0. Never NUL-terminated by
 * promise. */
struct errand_slice {
    const char *ptr;
    size_t len;
};
/* The bytes of a C string, without its NUL; none of NULL. Borrowed. */
static inline struct errand_slice errand_text(const char *text)
{
    struct errand_slice slice = {text, text ? strlen(text) : 0};

    return slice;
}

/* A job that failed for good. */
struct errand_failure {
    struct errand_id id;
    const char *name;
    struct errand_slice data, error;
};

/* How long to wait before the next attempt. Zero-initialised means "not said": the next
 * level decides, in the end exponential from 10 s with 20 % additive jitter, capped at
 * one hour. Times in seconds. */
enum errand_backoff_strategy {
    ERRAND_BACKOFF_DEFAULT = 0,
    ERRAND_BACKOFF_FIXED = 1,       /* base */
    ERRAND_BACKOFF_LINEAR = 2,      /* base × n, n = 1 for the first retry */
    ERRAND_BACKOFF_EXPONENTIAL = 3, /* base × 2^(n-1) */
};
enum { ERRAND_BACKOFF_LIST_MAX = 16 };
struct errand_backoff {
    /* one wait per retry, the last repeats; wins over strategy; exact */
    double list[ERRAND_BACKOFF_LIST_MAX];
    size_t list_n; /* 0: up to the last wait that is not 0 */
    enum errand_backoff_strategy strategy;
    double base;   /* 0: 10 s */
    double cap;    /* 0: 3,600 s; applies to linear and exponential */
    double jitter; /* added share of the wait, 0 to 1; < 0: none */
};

/* ERRAND_BACKOFF(60) waits a minute before each retry, ERRAND_BACKOFF(60, 300, 900) steps
 * up, ERRAND_BACKOFF(0) does not wait. `.backoff = {60, 300, 900}` says the same, but a
 * list that ends in 0 needs the macro. */
#define ERRAND_BACKOFF(...)                                        \
    {                                                              \
        .list = {__VA_ARGS__},                                     \
        .list_n = sizeof((double[]){__VA_ARGS__}) / sizeof(double) \
    }

/* Zero tries means "not said"; one attempt has a name. */
enum { ERRAND_NO_RETRY = -1 };

/* A key that at most one waiting or running job may hold. */
enum errand_unique_until {
    ERRAND_UNIQUE_TTL = 0, /* held for ttl, whatever becomes of the job */
    /* until the job is final, or ttl if that comes first (ttl 0: no limit) */
    ERRAND_UNIQUE_DONE = 1,
    ERRAND_UNIQUE_STARTED = 2, /* until an attempt starts, or ttl */
};
enum errand_unique_policy {
    /* the new one is dropped, the first one's id is the answer */
    ERRAND_UNIQUE_IGNORE = 0,
    /* the waiting one takes the new data, options and run-at; its id stays. Not for
     * encrypted jobs, whose data can be read under its own id only: EINVAL */
    ERRAND_UNIQUE_REPLACE = 1,
    /* the waiting one is put off to the new run-at (debounce) */
    ERRAND_UNIQUE_EXTEND = 2,
};

/* At most `max` starts in any window of `per` seconds, counted by all workers of the
 * store. Zero-initialised means "not said". */
struct errand_rate {
    int64_t max;
    double per;
    /* jobs that name the same limit and key share it; NULL: one of the job's own name,
     * one key */
    const char *name, *key;
};
/* At most `max` that run at the same time; the same rules. */
struct errand_concurrency {
    int max;
    const char *name, *key;
};

#ifdef __cplusplus
}
#endif
#endif
