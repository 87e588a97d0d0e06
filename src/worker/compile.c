/* compile.c: runs the C compiler on one job file. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "worker/project.h"

enum { ARGS_MAX = 256, COMPILE_MS = 120000, OUTPUT_MAX = 1 << 20, SHOWN_LINES = 8 };

struct args {
    struct errand_arena *arena;
    char *list[ARGS_MAX + 1];
    size_t n;
    bool has_failed;
};

static void arg_add(struct args *a, const char *text, size_t len)
{
    char *copy = a->n < ARGS_MAX ? errand_arena_copy(a->arena, text, len) : NULL;

    if (copy)
        a->list[a->n++] = copy;
    else
        a->has_failed = true;
}

/* Split at white space, as make and the shell do with CC and CFLAGS; no quotes. */
static void args_add(struct args *a, const char *words)
{
    while (*(words += strspn(words, " \t\n"))) {
        size_t len = strcspn(words, " \t\n");

        arg_add(a, words, len);
        words += len;
    }
}

static void arg_path(struct args *a, const char *before, const char *path)
{
    char *text = er_arena_printf(a->arena, "%s%s", before, path);

    arg_add(a, text ? text : "", text ? strlen(text) : 0);
}

static int args_make(struct args *a, const struct er_build *build, const char *so,
                     const char *deps, struct errand_error *err)
{
    args_add(a, build->compiler);
    args_add(a, "-O1 -g -shared -fPIC -Wall");
    arg_path(a, "-I", build->include);
    args_add(a, build->flags);
    args_add(a, "-MMD -MF");
    arg_path(a, "", deps);
    args_add(a, "-o");
    arg_path(a, "", so);
    arg_path(a, "", build->file->path);
    args_add(a, build->libraries);
    a->list[a->n] = NULL;
    if (a->has_failed)
        return errand_error_set(err, ERRAND_EINVAL,
                                "compiling %s: CC, CFLAGS and LDLIBS have more than %d "
                                "words, or memory ran out",
                                build->file->path, ARGS_MAX);
    return 0;
}

/* In the project's folder, so that messages say app/Jobs/NAME.c:LINE; in a process group
 * of its own, so that all of a compiler that hangs can be killed. */
static int compiler_spawn(struct args *a, const char *project, int output, pid_t *ret)
{
    char **env = er_child_env(a->arena);
    posix_spawn_file_actions_t acts;
    posix_spawnattr_t attr;
    int rc;

    if (!env || posix_spawn_file_actions_init(&acts) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attr) != 0) {
        posix_spawn_file_actions_destroy(&acts);
        return ENOMEM;
    }
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addopen(&acts, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&acts, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&acts, output, STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&acts, project);
    rc = posix_spawnp(ret, a->list[0], &acts, &attr, a->list, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&acts);
    return rc;
}

/* "collect2: error: ld returned 1" says nothing that the linker did not say before. */
static bool is_error_line(const char *line, size_t len)
{
    return memmem(line, len, "error:", 6) && strncmp(line, "collect2:", 9) != 0;
}

/* Keeps the lines that are errors, as the compiler wrote them; when none looks like one,
 * its first lines. What it adds (the source, notes, in which function) makes lists and
 * logs hard to read, and compiling by hand shows it. */
static void output_trim(char *text)
{
    bool has_error = false;
    size_t kept = 0, lines = 0, len;

    for (const char *p = text; *p && !has_error; p += len + (p[len] == '\n')) {
        len = strcspn(p, "\n");
        has_error = is_error_line(p, len);
    }
    for (const char *p = text; *p && lines < SHOWN_LINES; p += len + (p[len] == '\n')) {
        len = strcspn(p, "\n");
        if (has_error && !is_error_line(p, len))
            continue;
        if (lines++)
            text[kept++] = '\n';
        memmove(text + kept, p, len);
        kept += len;
    }
    text[kept] = '\0';
}

static int judge(const struct er_build *build, int ended, int status, int output,
                 struct errand_error *err)
{
    struct er_buf text;
    char path[64];

    if (ended == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (ended < 0)
        return errand_error_set(err, ERRAND_EJOB, "%s: compiling took longer than %d s",
                                build->file->path, COMPILE_MS / 1000);
    er_buf_init(&text, OUTPUT_MAX + (1 << 16));
    snprintf(path, sizeof path, "/proc/self/fd/%d", output);
    (void)er_file_read(path, OUTPUT_MAX, &text, NULL);
    if (text.len > 0)
        output_trim(text.ptr);
    if (text.len > 0 && text.ptr[0])
        errand_error_set(err, ERRAND_EJOB, "%s", text.ptr);
    else
        errand_error_set(err, ERRAND_EJOB, "%s: the compiler '%s' ended with status %d",
                         build->file->path, build->compiler, status);
    er_buf_done(&text);
    return ERRAND_EJOB;
}

/* Into place only when whole. Its date is that of the start: a header that was changed
 * while the compiler ran is newer. */
static int move_in(const struct er_build *build, const char *so, const char *deps,
                   const struct timespec *began, struct errand_error *err)
{
    const struct timespec times[2] = {*began, *began};

    if (utimensat(AT_FDCWD, so, times, 0) < 0 || chmod(so, 0700) < 0 ||
        rename(deps, build->deps) < 0 || rename(so, build->so) < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "moving %s into place", build->so);
    return 0;
}

static int compile_into(const struct er_build *build, struct args *a, const char *so,
                        const char *deps, struct errand_error *err)
{
    int output = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), rc, ended, status;
    struct timespec began;
    pid_t pid;

    if (output < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "making a file in /tmp");
    clock_gettime(CLOCK_REALTIME_COARSE, &began); /* the clock that dates files */
    if ((rc = compiler_spawn(a, build->project, output, &pid)) != 0) {
        close(output);
        return er_error_errno(err, ERRAND_EIO, rc, "starting the compiler '%s'",
                              build->compiler);
    }
    ended = er_child_wait(pid, COMPILE_MS, &status);
    if ((rc = judge(build, ended, status, output, err)) == 0)
        rc = move_in(build, so, deps, &began, err);
    close(output);
    return rc;
}

int er_compile(const struct er_build *build, struct errand_error *err)
{
    struct args a = {.arena = er_arena_new()};
    char *so = NULL, *deps = NULL;
    int rc;

    if (!a.arena)
        return er_error_nomem(err);
    so = er_arena_printf(a.arena, "%s.%d.tmp", build->so, (int)getpid());
    deps = er_arena_printf(a.arena, "%s.%d.tmp", build->deps, (int)getpid());
    if (!so || !deps)
        rc = er_error_nomem(err);
    else if ((rc = args_make(&a, build, so, deps, err)) == 0)
        rc = compile_into(build, &a, so, deps, err);
    if (rc < 0 && so && deps) {
        (void)unlink(so);
        (void)unlink(deps);
    }
    er_arena_free(a.arena);
    return rc;
}
