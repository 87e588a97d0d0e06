/* server.h: what is asked of a server that errand is compared with. No errand in here:
 * what the engine itself can do, in the plainest way that loses no job. */
#ifndef ER_BENCH_SERVER_H
#define ER_BENCH_SERVER_H

#include <stdint.h>

struct engine {
    void (*open)(const char *url);
    void (*make)(const char *table);       /* an empty one of that name */
    void (*push)(int64_t number, int n);   /* n jobs in one trip, as fast as it can */
    void (*insert)(int64_t number, int n); /* n jobs in one trip, to be reserved */
    void (*filled)(void);                  /* after many of them */
    /* Ends the jobs that the last call reserved and reserves the next, in one trip. How
     * many it reserved. */
    int (*turn)(int batch);
    const char *(*payload)(void); /* of a job reserved last */
    void (*hold)(void); /* a snapshot, as long as it is connected; NULL: there is none */
    /* Removes what is there of errand and of these programs: the bytes that were in use.
     */
    int64_t (*clear)(void);
};
extern const struct engine engine;

#endif
