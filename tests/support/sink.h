/* sink.h: servers that take mail and POSTs, on this machine, for tests (sink.py). */
#ifndef ER_TESTS_SINK_H
#define ER_TESTS_SINK_H

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/test.h"

struct sink {
    char folder[PATH_MAX];
    pid_t pid;
    int input; /* it ends when this closes */
    int port;
};

static inline void sink_pause(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* A file as text, malloc; NULL: not there. */
static inline char *sink_file(const struct sink *sink, const char *name)
{
    char path[PATH_MAX + 64], *text = calloc(1, 4 << 20);
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "%s/%s", sink->folder, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, (4 << 20) - 1);
    if (fd >= 0)
        close(fd);
    if (n >= 0)
        return text;
    free(text);
    return NULL;
}

/* Starts one in a new folder below `place`; `args` after MODE and FOLDER,
 * NULL-terminated. */
static inline struct sink sink_start(const char *place, const char *name,
                                     const char *mode, const char *const *args)
{
    struct sink sink = {.input = -1};
    char script[PATH_MAX], *text = NULL;
    const char *argv[24] = {"python3", script, mode, sink.folder};
    int ends[2];

    snprintf(sink.folder, sizeof sink.folder, "%.3000s/%s", place, name);
    snprintf(script, sizeof script, "%s/tests/support/sink.py", getenv("ERRAND_SOURCE"));
    assert_int_equal(mkdir(sink.folder, 0700), 0);
    for (int i = 0; args && args[i]; i++)
        argv[4 + i] = args[i];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    if ((sink.pid = fork()) == 0) {
        setsid();
        dup2(ends[0], 0);
        execv("/usr/bin/python3", (char *const *)argv);
        execvp("python3", (char *const *)argv);
        _exit(127);
    }
    close(ends[0]);
    sink.input = ends[1];
    for (int i = 0; i < 4000 && !(text = sink_file(&sink, "port")); i++) {
        assert_int_equal(waitpid(sink.pid, NULL, WNOHANG), 0);
        sink_pause();
    }
    assert_non_null(text);
    sink.port = (int)strtol(text, NULL, 10);
    free(text);
    return sink;
}

static inline void sink_stop(struct sink *sink)
{
    if (sink->pid <= 0)
        return;
    close(sink->input);
    kill(sink->pid, SIGTERM);
    waitpid(sink->pid, NULL, 0);
    sink->pid = 0;
}

/* How many messages have come. */
static inline int sink_count(const struct sink *sink)
{
    char path[PATH_MAX + 16];
    int n = 0;

    do
        snprintf(path, sizeof path, "%s/%d", sink->folder, n + 1);
    while (access(path, F_OK) == 0 && ++n);
    return n;
}

/* Message n from 1, once it has come; malloc. */
static inline char *sink_message(const struct sink *sink, int n)
{
    char name[16];

    snprintf(name, sizeof name, "%d", n);
    for (int i = 0; i < 4000 && sink_count(sink) < n; i++)
        sink_pause();
    if (sink_count(sink) < n)
        fail_msg("message %d did not come to %s", n, sink->folder);
    return sink_file(sink, name);
}

static inline bool sink_was_connected(const struct sink *sink)
{
    char *text = sink_file(sink, "connections");
    bool is_there = text != NULL;

    free(text);
    return is_there;
}

#ifndef assert_has
#define assert_has(text, part)                           \
    do {                                                 \
        if (!strstr((text), (part)))                     \
            fail_msg("'%s' is not in:\n%s", part, text); \
    } while (0)
#endif
#define assert_has_not(text, part)                   \
    do {                                             \
        if (strstr((text), (part)))                  \
            fail_msg("'%s' is in:\n%s", part, text); \
    } while (0)

#endif
