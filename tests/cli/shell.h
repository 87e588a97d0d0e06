/* shell.h: tests that sit where a user sits: in a fresh project folder, at a shell, with
 * the real command first in PATH, on the file that a project has when nobody says
 * otherwise or on a store of the kind that ERRAND_TEST_URL names. */
#ifndef ER_TESTS_CLI_SHELL_H
#define ER_TESTS_CLI_SHELL_H

#include "support/folder.h"
#include "support/fresh.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

/* What one line at the shell gave. */
struct run {
    int code; /* 128 + the signal that ended it */
    char *out, *err;
    size_t out_len;
};

static char shell_folder[PATH_MAX], shell_url[256];
static struct run shell_runs[256]; /* freed after the test */
static size_t shell_runs_n;

static inline char *shell_slurp(const char *path, size_t *ret_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    char *text;

    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    text = calloc(1, (size_t)st.st_size + 1);
    assert_non_null(text);
    assert_int_equal(read(fd, text, (size_t)st.st_size), st.st_size);
    if (ret_len)
        *ret_len = (size_t)st.st_size;
    close(fd);
    return text;
}

/* Runs a line of shell in the folder of the test. */
static inline struct run sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline struct run sh(const char *fmt, ...)
{
    struct run *run = &shell_runs[shell_runs_n++];
    char line[8192];
    int status;
    va_list ap;
    pid_t pid;

    assert_true(shell_runs_n < sizeof shell_runs / sizeof *shell_runs);
    va_start(ap, fmt);
    assert_true(vsnprintf(line, sizeof line, fmt, ap) < (int)sizeof line);
    va_end(ap);
    assert_true((pid = fork()) >= 0);
    if (pid == 0) {
        int in = open("/dev/null", O_RDONLY), out, err;

        if (chdir(shell_folder) < 0)
            _exit(126);
        out = open("../out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        err = open("../err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
            _exit(126);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    run->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    snprintf(line, sizeof line, "%.4000s/../out", shell_folder);
    run->out = shell_slurp(line, &run->out_len);
    snprintf(line, sizeof line, "%.4000s/../err", shell_folder);
    run->err = shell_slurp(line, NULL);
    return *run;
}

/* A folder ROOT/here that is empty, ROOT/bin/errand, a quiet environment. */
static inline int shell_setup(void **state)
{
    const char *command = getenv("ERRAND_COMMAND"), *kind = getenv("ERRAND_TEST_URL");
    char root[FOLDER_MAX], path[PATH_MAX];

    (void)state;
    assert_non_null(command);
    assert_int_equal(folder_make(root, "cli"), 0);
    snprintf(shell_folder, sizeof shell_folder, "%s/here", root);
    assert_int_equal(mkdir(shell_folder, 0755), 0);
    snprintf(path, sizeof path, "%s/bin", root);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/bin/errand", root);
    assert_int_equal(symlink(command, path), 0);
    snprintf(path, sizeof path, "%s/bin:/usr/local/bin:/usr/bin:/bin", root);
    setenv("PATH", path, 1);
    setenv("HOME", root, 1);
    unsetenv("ERRAND_URL");
    if (kind) {
        if (!fresh_url(kind, shell_folder, shell_url, sizeof shell_url))
            skip();
        setenv("ERRAND_URL", shell_url, 1);
    }
    unsetenv("ERRAND_CONFIG");
    unsetenv("NO_COLOR");
    return 0;
}

static inline int shell_teardown(void **state)
{
    char *slash = strrchr(shell_folder, '/');

    (void)state;
    *slash = '\0';
    folder_remove(shell_folder);
    if (shell_url[0])
        assert_true(fresh_remove(shell_url));
    for (size_t i = 0; i < shell_runs_n; i++) {
        free(shell_runs[i].out);
        free(shell_runs[i].err);
    }
    shell_runs_n = 0;
    return 0;
}

/* ---------------------------------------------------------------- what is claimed */

#define assert_has(text, part)                                 \
    do {                                                       \
        if (!strstr((text), (part)))                           \
            fail_msg("expected '%s' in:\n%s", (part), (text)); \
    } while (0)
#define assert_lacks(text, part)                                     \
    do {                                                             \
        if (strstr((text), (part)))                                  \
            fail_msg("did not expect '%s' in:\n%s", (part), (text)); \
    } while (0)
#define assert_code(run, expected)                                              \
    do {                                                                        \
        if ((run).code != (expected))                                           \
            fail_msg("exit code %d, expected %d\nout: %s\nerr: %s", (run).code, \
                     (expected), (run).out, (run).err);                         \
    } while (0)

/* The n-th line (from 0) of --json output, as a new reference. */
static inline json_t *json_line(struct run run, size_t n)
{
    const char *p = run.out, *end;
    json_error_t error;
    json_t *value;

    while (n-- > 0) {
        p = strchr(p, '\n');
        assert_non_null(p);
        p++;
    }
    end = strchr(p, '\n');
    assert_non_null(end); /* each object ends its line */
    value = json_loadb(p, (size_t)(end - p), JSON_DECODE_ANY, &error);
    if (!value)
        fail_msg("not JSON (%s): %.*s", error.text, (int)(end - p), p);
    return value;
}

static inline size_t lines_n(struct run run)
{
    size_t n = 0;

    for (const char *p = run.out; (p = strchr(p, '\n')); p++)
        n++;
    return n;
}

/* The first line of the output, as a shell's $(…) would have it. */
static inline const char *word(struct run run)
{
    run.out[strcspn(run.out, "\n")] = '\0';
    return run.out;
}

/* Has `run` the key, a string of this value? */
#define assert_json_string(object, key, expected) \
    assert_string_equal(json_string_value(json_object_get((object), (key))), (expected))
#define assert_json_int(object, key, expected) \
    assert_int_equal(json_integer_value(json_object_get((object), (key))), (expected))

#endif
