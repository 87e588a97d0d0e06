/* runner.h: the child process that runs C handlers, and what it can say about the jobs of
 * a project. */
#ifndef ER_WORKER_RUNNER_H
#define ER_WORKER_RUNNER_H

#include "base/arena.h"
#include "core/options.h"

/* The first argument that makes a program that calls errand_main a runner: `PROGRAM
 * __runner [PROJECT]`. It compiles the changed app/Jobs .c files of the project (one
 * process at a time, by a lock file), loads all, says HELLO on ER_FD_SOCKET and runs jobs
 * until STOP or end of file. A file that does not compile is an entry in HELLO's errors,
 * never the end of the runner. */
#define ER_RUNNER_ARG "__runner"
int er_runner_main(int argc, char **argv);
/* This process was started as a runner, and its main went on as if it had not: tells the
 * worker and answers EINVAL. Who starts runners asks first, or the program would start
 * itself without end. */
int er_runner_is_stray(struct errand_error *err);

/* Second form, `PROGRAM __describe PROJECT`: compiles, loads, prints HELLO's JSON on
 * standard output, exits. */
#define ER_DESCRIBE_ARG "__describe"
int er_describe_main(int argc, char **argv);

/* What a program can run: the C classes linked in and, in a project, its C job files (by
 * `__describe` in a child, cached beside the compiled file) and executables (by their
 * header line). */
enum er_job_source { ER_JOB_LINKED, ER_JOB_C_FILE, ER_JOB_EXECUTABLE };
struct er_job_about {
    const char *name, *key; /* er_name_key */
    const char *path;       /* absolute; "" when linked */
    enum er_job_source source;
    struct er_options options;
    const char *error; /* NULL, or why it cannot run: "app/Jobs/mail.c:12: …" */
};
struct er_jobs_about {
    /* by key; two files of one key: the second has an error that names both */
    struct er_job_about *jobs;
    size_t jobs_n;
};
/* Executables only, by reading: cheap, no child. */
int er_project_scan(const char *project, struct errand_arena *arena,
                    struct er_jobs_about *ret, struct errand_error *err);
/* All of them; starts a child when a C file has changed since it was last described. */
int er_project_describe(const char *project, struct errand_arena *arena,
                        struct er_jobs_about *ret, struct errand_error *err);
/* Exact name first, then by key; NULL. */
const struct er_job_about *er_jobs_about_find(const struct er_jobs_about *jobs,
                                              const char *name);

/* Publishes them in the store for dispatchers elsewhere (store/store.h, define), and
 * their schedules for schedulers. `project` is what the project is called that has the
 * job files; NULL: there is none. */
struct er_store;
int er_jobs_publish(struct er_store *store, const struct er_jobs_about *jobs,
                    const char *project, struct errand_error *err);

#endif
