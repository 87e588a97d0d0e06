/* trail_inside.h: what a trail looks like in memory, for those who write it (trail.c) and
 * who follow it (trail_follow.c). */
#ifndef ER_WORKER_TRAIL_INSIDE_H
#define ER_WORKER_TRAIL_INSIDE_H

#include "worker/protocol.h"
#include "worker/trail.h"

enum { ER_TRAIL_VERSION = 2, ER_TRAIL_NAME_MAX = 64, ER_TRAIL_STORE_MAX = 1024 };
#define ER_TRAIL_SUFFIX ".trail"

/* Where an entry's job is. It is written last and read first, in one piece, so that a
 * kill between two instructions leaves either the old truth or the new one. */
enum {
    ER_TRAIL_FREE = 0,
    ER_TRAIL_WAITS = 1, /* with the supervisor: nobody can begin it any more */
    ER_TRAIL_BEGUN = 2,
    /* and above: with a runner, whose marks and slot these are */
    ER_TRAIL_GIVEN = 1 << 16,
};

/* The driver's own key of a job is not noted: in a store that was made anew under the
 * same name it may be another job's, and so may the token. */
struct er_trail_entry {
    _Atomic uint64_t where;
    int64_t token;
    struct errand_id id;
};

/* One file; `.` and the number are the end of the name of each runner's marks. */
struct er_trail_file {
    uint32_t version, entries_n;
    char store[ER_TRAIL_STORE_MAX];
    struct er_trail_entry entries[];
};

/* The folder of this user; -1 with errno: there is none, or somebody else made it. */
int er_trail_folder(void);
/* The store as all workers of this machine name it; -1: its name is too long. */
int er_trail_store(struct er_store *store, char *ret, size_t size);
/* The trail and the marks of its runners go. `name` is without its suffix. */
void er_trail_remove(int folder, const char *name);

#endif
