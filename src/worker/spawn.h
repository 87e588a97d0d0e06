/* spawn.h: starting a child process and seeing it end. The child gets the descriptors it
 * is given and nothing else, a session of its own, and dies with the supervisor. */
#ifndef ER_WORKER_SPAWN_H
#define ER_WORKER_SPAWN_H

#include <sys/resource.h>
#include <sys/types.h>

#include "errand/driver.h"

enum { ER_SPAWN_FDS = 5 };

struct er_spawn {
    const char *path; /* the program; no search */
    char *const *argv;
    char *const *envp;
    const char *cwd;       /* NULL: as here */
    int fds[ER_SPAWN_FDS]; /* fds[i] becomes descriptor i of the child */
    int fds_n;
    int64_t memory_mib; /* RLIMIT_AS; 0: none */
};

struct er_child {
    pid_t pid; /* also its process group and session; 0: none */
    int pidfd; /* readable once it has ended; -1: this kernel has none, watch SIGCHLD */
};

/* Starts it. EIO with errno's text when it could not be executed: the caller learns that
 * here, not from an exit code. */
int er_spawn(const struct er_spawn *params, struct er_child *ret,
             struct errand_error *err);
/* True when the child has ended: its status as from waitpid, and what it used (NULL:
 * nobody asks). */
bool er_child_reap(struct er_child *child, int *ret_status, struct rusage *ret_usage);
void er_child_signal(const struct er_child *child, int signal); /* the whole group */
/* After er_child_reap: ends what is left of its group and releases the descriptor. */
void er_child_done(struct er_child *child);
/* Children of children that outlived their parent and left its group come to us: this
 * process becomes their new parent (er_adopt_begin) and ends those that carry our mark in
 * their environment and are not among the `known` ones. */
void er_adopt_begin(void);
size_t er_adopt_sweep(const pid_t *known, size_t known_n); /* how many were found */

/* The environment for children: ours without errand's own secrets, or with `allow`
 * (NULL-terminated) only what it names; then `more` (NULL-terminated NAME=value), which
 * wins. NULL: out of memory. */
char **er_environ_build(const char *const *allow, const char *const *more,
                        struct errand_arena *arena);

/* The same with the variables that tell an attempt about itself, ERRAND_JOB_ID and so on.
 * NULL: out of memory. */
struct er_environ_job {
    const char *id, *name, *queue;
    int attempt, tries;
    const char *batch;   /* "": in none */
    bool has_parents;    /* on descriptor 4 */
    int64_t deadline_ms; /* wall clock; 0: none */
};
char **er_environ_job(const struct er_environ_job *job, const char *const *allow,
                      struct errand_arena *arena);

/* A memory file with these bytes, at its start; -1 with errno. */
int er_memory_file(const char *name, struct errand_slice bytes);

#endif
