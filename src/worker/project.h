/* project.h: the job files of a project, for project*.c, compile.c, vet.c and load.c. */
#ifndef ER_WORKER_PROJECT_H
#define ER_WORKER_PROJECT_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"

#define ER_JOBS_FOLDER "app/Jobs"
#define ER_BUILD_FOLDER ".errand/build"
enum { ER_HASH_DIGITS = 16 };

enum er_file_kind {
    ER_FILE_OTHER, /* not a job: data, notes, headers, or for another runner */
    ER_FILE_C,
    ER_FILE_EXECUTABLE,
};

struct er_project_file {
    const char *name; /* "send-mail.sh" */
    const char *path; /* "app/Jobs/send-mail.sh" */
    const char *stem; /* "send-mail" */
    enum er_file_kind kind;
    int64_t modified_ns;
    const char *error; /* NULL, or why it must not or cannot be run */
};

struct er_project_files {
    struct er_project_file *list; /* by name */
    size_t n;
};

/* The files of app/Jobs; none when there is no such folder. A folder or file that other
 * users may write is an error of each file that it concerns, with the command that mends
 * it. */
int er_project_files(const char *project, struct errand_arena *arena,
                     struct er_project_files *ret, struct errand_error *err);

/* build.c: what stands in .errand/build for one C file. Strings live in the arena. */
struct er_build {
    const char *project;
    const struct er_project_file *file;
    const char *include; /* folder that has errand.h */
    const char *compiler, *flags,
        *libraries; /* as in the environment: CC CFLAGS LDLIBS */
    /* "mail-0123456789abcdef": stem and hash of all that goes into it */
    const char *base;
    const char *so, *deps, *about, *errors; /* absolute paths: base with .so, .d, … */
};
/* Works out the names without running anything. EIO, ETOOBIG, or EUNSUPPORTED: there is
 * no compiler. */
int er_build_init(struct er_build *build, const char *project,
                  const struct er_project_file *file, struct errand_arena *arena,
                  struct errand_error *err);
/* 1: compiled and vetted, and nothing changed since; 0: not; EJOB: it was tried a short
 * while ago and this is what the compiler said, or loading it. */
int er_build_state(const struct er_build *build, const struct er_project_files *files,
                   struct errand_error *err);
/* Is the library there, and no header that went into it newer? */
bool er_build_is_compiled(const struct er_build *build);
/* Looks at .errand and .errand/build, and with `is_made` makes them: 1 they are there, 0
 * not, EINVAL: others may write them. */
int er_build_folders(const char *project, bool is_made, struct errand_error *err);

/* build_make.c. Compiles and vets it if needed, one process at a time. EJOB: what is
 * wrong with it. */
int er_build_make(const struct er_build *build, const struct er_project_files *files,
                  struct errand_error *err);
/* Removes what belongs to files that are gone or have changed. */
void er_build_sweep(const char *project, const struct er_build *current, size_t n);

/* compile.c: from app/Jobs/NAME.c to build->so. EJOB: what the compiler says. */
int er_compile(const struct er_build *build, struct errand_error *err);

/* vet.c: loads the compiled file in a child of its own, so that one that crashes or hangs
 * when it is loaded does so there. Appends what it registers (HELLO's form). EJOB. */
int er_vet(const struct er_build *build, struct er_buf *ret_about,
           struct errand_error *err);

/* child.c. The environment for compilers and for looking at jobs: that of a job, with
 * messages in English. NULL: out of memory. */
char **er_child_env(struct errand_arena *arena);
/* Appends what a child writes until it closes its end, `buf` is full, or the monotonic
 * clock has come to `until_ms` (INT64_MAX: never). */
void er_child_read(int fd, int64_t until_ms, struct er_buf *buf);
/* Waits for the end of a child; when it takes longer its process group is killed and the
 * answer is ETIMEOUT. */
int er_child_wait(pid_t pid, int64_t timeout_ms, int *ret_status);

/* Whole file, at most `max` bytes (ETOOBIG). */
int er_file_read(const char *path, size_t max, struct er_buf *buf,
                 struct errand_error *err);
/* Whole file or nothing: written beside it and renamed. */
int er_file_write(const char *path, const char *bytes, size_t len,
                  struct errand_error *err);

#endif
