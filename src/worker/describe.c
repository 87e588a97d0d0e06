/* describe.c: what a program and its project can run, without loading a job file here:
 * a supervisor holds a store and must not run the project's code. Files that changed are
 * compiled and looked at by a child (`PROGRAM __describe PROJECT`), which leaves what it
 * found beside the compiled file; unchanged ones are read from there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "worker/about.h"
#include "worker/project.h"
#include "worker/runner_inside.h"

enum { HEAD_MAX = 16 << 10, ABOUT_MAX = 16 << 20, END_MS = 10000 };

/* ------------------------------------------------------------------ linked in */

static int linked_add(struct er_about_list *list, struct errand_error *err)
{
    struct er_classes classes;
    int rc;

    if (er_classes_init(&classes) < 0)
        return er_error_nomem(err);
    rc = er_classes_add(&classes, NULL, "", err);
    for (size_t i = 0; rc == 0 && i < classes.n; i++)
        rc = er_about_add(list, classes.list[i].name, "", ER_JOB_LINKED,
                          &classes.list[i].options, NULL, err);
    for (size_t i = 0; rc == 0 && i < classes.errors_n; i++)
        rc = er_about_add(list, classes.errors[i].name, "", ER_JOB_LINKED, NULL,
                          classes.errors[i].message, err);
    er_classes_done(&classes);
    return rc;
}

/* ------------------------------------------------------------------ executables */

static size_t head_read(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : read(fd, buf, size);

    if (fd >= 0)
        close(fd);
    return n > 0 ? (size_t)n : 0;
}

static int executable_add(struct er_about_list *list, const char *path,
                          const struct er_project_file *file, struct errand_error *err)
{
    struct er_options options = {0};
    struct errand_error why = {0};
    char head[HEAD_MAX];
    struct errand_slice text = {.ptr = head};

    if (!file->error)
        text.len = head_read(path, head, sizeof head);
    if (text.len >= 4 && memcmp(head, "\177ELF", 4) == 0)
        text.len = 0; /* a program has no header line */
    if (er_options_from_header(text, list->arena, &options, &why) < 0) {
        er_error_wrap(&why, ERRAND_EINVAL, "%s", file->path);
        return er_about_add(list, file->stem, path, ER_JOB_EXECUTABLE, NULL, why.message,
                            err);
    }
    return er_about_add(list, file->stem, path, ER_JOB_EXECUTABLE, &options, file->error,
                        err);
}

static const char *absolute(struct er_about_list *list, const char *project,
                            const struct er_project_file *file)
{
    return er_arena_printf(list->arena, "%s/%s", project, file->path);
}

static int executables_add(struct er_about_list *list, const char *project,
                           const struct er_project_files *files, struct errand_error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < files->n; i++) {
        const char *path;

        if (files->list[i].kind != ER_FILE_EXECUTABLE)
            continue;
        if (!(path = absolute(list, project, &files->list[i])))
            return er_error_nomem(err);
        rc = executable_add(list, path, &files->list[i], err);
    }
    return rc;
}

/* ------------------------------------------------------------------ C files */

struct describer {
    struct er_about_list *list;
    const char *project;
    struct er_project_files files;
    struct er_build *builds;  /* of files that have to be asked the child for: base */
    bool has_changed;         /* at least one */
    struct er_buf answer;     /* the child's */
    struct errand_error fail; /* why there is none */
};

static int file_error(struct describer *d, const struct er_project_file *file,
                      const char *path, const char *message, struct errand_error *err)
{
    return er_about_add(d->list, file->stem, path, ER_JOB_C_FILE, NULL, message, err);
}

static int cached_add(struct describer *d, const struct er_build *build, const char *path,
                      struct errand_error *err)
{
    struct er_buf about;
    size_t n;
    int rc;

    er_buf_init(&about, ABOUT_MAX + (1 << 16));
    if ((rc = er_file_read(build->about, ABOUT_MAX, &about, err)) == 0)
        rc = er_about_add_json(d->list, (struct errand_slice){about.ptr, about.len},
                               build->file->path, path, &n, err);
    er_buf_done(&about);
    return rc;
}

/* What is known of one C file; 1: it has to be described by the child. */
static int file_add(struct describer *d, const struct er_project_file *file,
                    struct er_build *build, struct errand_error *err)
{
    const char *path = absolute(d->list, d->project, file);
    struct errand_error why = {0};
    int rc;

    if (!path)
        return er_error_nomem(err);
    if (file->error)
        return file_error(d, file, path, file->error, err);
    if ((rc = er_build_init(build, d->project, file, d->list->arena, &why)) == 0)
        rc = er_build_state(build, &d->files, &why);
    if (rc == 1) {
        size_t before = d->list->n;

        if (cached_add(d, build, path, &why) == 0)
            return 0;
        d->list->n = before;
        (void)unlink(build->about); /* what cannot be read is made again */
        return 1;
    }
    return rc < 0 ? file_error(d, file, path, why.message, err) : 1;
}

static int from_answer(struct describer *d, const struct er_project_file *file,
                       struct errand_error *err)
{
    const char *path = absolute(d->list, d->project, file);
    struct errand_error why = d->fail;
    size_t before = d->list->n, n = 0;

    if (!path)
        return er_error_nomem(err);
    if (!why.code)
        (void)er_about_add_json(d->list,
                                (struct errand_slice){d->answer.ptr, d->answer.len},
                                file->path, path, &n, &why);
    if (why.code || n == 0) {
        d->list->n = before;
        er_error_wrap(&why, ERRAND_EJOB, "%s: it could not be described", file->path);
        return file_error(d, file, path, why.message, err);
    }
    return 0;
}

static int child_spawn(const char *project, int out, pid_t *ret)
{
    struct errand_arena *arena = er_arena_new();
    char *argv[] = {(char *)"/proc/self/exe", (char *)ER_DESCRIBE_ARG, (char *)project,
                    NULL};
    posix_spawn_file_actions_t acts;
    char **env = arena ? er_child_env(arena) : NULL;
    int rc = ENOMEM;

    if (env && posix_spawn_file_actions_init(&acts) == 0) {
        posix_spawn_file_actions_addopen(&acts, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&acts, out, STDOUT_FILENO);
        rc = posix_spawn(ret, argv[0], &acts, NULL, argv, env);
        posix_spawn_file_actions_destroy(&acts);
    }
    er_arena_free(arena);
    return rc;
}

/* Each compile and each first load in the child has its own time limit, so its end need
 * not be timed here. */
static void child_ask(struct describer *d)
{
    int pair[2], status = 0, rc;
    pid_t pid;

    if (pipe2(pair, O_CLOEXEC) < 0) {
        er_error_errno(&d->fail, ERRAND_EIO, errno, "making a pipe");
        return;
    }
    rc = child_spawn(d->project, pair[1], &pid);
    close(pair[1]);
    if (rc != 0)
        er_error_errno(&d->fail, ERRAND_EIO, rc, "starting this program again");
    else {
        er_child_read(pair[0], INT64_MAX, &d->answer);
        rc = er_child_wait(pid, END_MS, &status);
        if (rc < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
            errand_error_set(&d->fail, ERRAND_EJOB,
                             "this program with the argument %s ended with status %d; "
                             "does its main call errand_main?",
                             ER_DESCRIBE_ARG, status);
    }
    close(pair[0]);
}

static int c_files_add(struct describer *d, struct errand_error *err)
{
    bool *is_asked = errand_arena_alloc(d->list->arena, d->files.n + 1);
    int rc = 0;

    if (!is_asked)
        return er_error_nomem(err);
    for (size_t i = 0; rc >= 0 && i < d->files.n; i++) {
        if (d->files.list[i].kind != ER_FILE_C)
            continue;
        rc = file_add(d, &d->files.list[i], &d->builds[i], err);
        is_asked[i] = rc == 1;
        d->has_changed = d->has_changed || rc == 1;
    }
    if (rc >= 0 && d->has_changed)
        child_ask(d);
    for (size_t i = 0; rc >= 0 && i < d->files.n; i++)
        if (is_asked[i])
            rc = from_answer(d, &d->files.list[i], err);
    return rc < 0 ? rc : 0;
}

static int c_files_describe(struct er_about_list *list, const char *project,
                            const struct er_project_files *files,
                            struct errand_error *err)
{
    struct describer d = {.list = list, .project = project, .files = *files};
    int rc;

    d.builds = errand_arena_alloc(list->arena, (files->n + 1) * sizeof *d.builds);
    if (!d.builds)
        return er_error_nomem(err);
    er_buf_init(&d.answer, ABOUT_MAX);
    rc = c_files_add(&d, err);
    er_buf_done(&d.answer);
    return rc;
}

/* ------------------------------------------------------------------ entry points */

static int project_open(const char *project, struct errand_arena *arena,
                        const char **ret_project, struct er_project_files *ret,
                        struct errand_error *err)
{
    char path[PATH_MAX];

    if (!realpath(project, path))
        return er_error_errno(err, ERRAND_EIO, errno, "opening the project %s", project);
    if (!(*ret_project = errand_arena_copy(arena, path, strlen(path))))
        return er_error_nomem(err);
    return er_project_files(path, arena, ret, err);
}

int er_project_scan(const char *project, struct errand_arena *arena,
                    struct er_jobs_about *ret, struct errand_error *err)
{
    struct er_about_list list = {.arena = arena};
    struct er_project_files files;
    int rc;

    if ((rc = project_open(project, arena, &project, &files, err)) < 0 ||
        (rc = executables_add(&list, project, &files, err)) < 0)
        return rc;
    return er_about_finish(&list, ret, err);
}

int er_project_describe(const char *project, struct errand_arena *arena,
                        struct er_jobs_about *ret, struct errand_error *err)
{
    struct er_about_list list = {.arena = arena};
    struct er_project_files files;
    int rc;

    if ((rc = linked_add(&list, err)) < 0)
        return rc;
    if (project && ((rc = project_open(project, arena, &project, &files, err)) < 0 ||
                    (rc = c_files_describe(&list, project, &files, err)) < 0 ||
                    (rc = executables_add(&list, project, &files, err)) < 0))
        return rc;
    return er_about_finish(&list, ret, err);
}

/* Job files may print when they are loaded: the real standard output is kept out of their
 * reach. */
int er_describe_main(int argc, char **argv)
{
    int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    struct er_classes classes = {0};
    struct errand_error err = {0};
    struct er_buf about;
    int rc;

    er_buf_init(&about, ABOUT_MAX);
    if (out < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        rc = er_error_errno(&err, ERRAND_EIO, errno, "keeping standard output");
    else if (er_classes_init(&classes) < 0)
        rc = er_error_nomem(&err);
    else if ((rc = er_classes_load(&classes, argc > 2 ? argv[2] : NULL, &err)) == 0 &&
             (rc = er_classes_about(&classes, &about, &err)) == 0) {
        er_buf_str(&about, "\n");
        for (size_t at = 0; rc == 0 && at < about.len;) {
            ssize_t n = write(out, about.ptr + at, about.len - at);

            if (n < 0 && errno != EINTR)
                rc = er_error_errno(&err, ERRAND_EIO, errno, "writing");
            at += n > 0 ? (size_t)n : 0;
        }
    }
    if (rc < 0)
        fprintf(stderr, "errand: %s\n", err.message);
    er_buf_done(&about);
    if (classes.arena)
        er_classes_done(&classes);
    return rc < 0 ? 1 : 0;
}
