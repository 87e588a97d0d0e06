/* executable.c: a job that is an executable, against starting that program by hand with
 * its input and its output in pipes. */
#include "errand/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void file_write(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        die("%s: %s", path, strerror(errno));
    close(fd);
}

static void project_write(const char *folder, char program[4096])
{
    char path[4096];

    snprintf(path, sizeof path, "%s/app", folder);
    mkdir(folder, 0700);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/app/Jobs", folder);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/errand.yml", folder);
    file_write(path, "", 0600);
    snprintf(program, 4096, "%s/app/Jobs/nothing", folder);
    file_write(program, "#!/bin/sh\nexit 0\n", 0700);
}

static void run_once(const char *program)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    char data[PAYLOAD_LEN + 1], buf[256];
    int in[2], out[2], status;
    pid_t pid;

    if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        die("pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    status = posix_spawn(&pid, program, &actions, NULL, (char *[]){(char *)program, NULL},
                         environ);
    if (status != 0)
        die("%s: %s", program, strerror(status));
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    payload_write(data, 0, 0);
    if (write(in[1], data, PAYLOAD_LEN) < 0 && errno != EPIPE)
        die("write: %s", strerror(errno));
    close(in[1]);
    while (read(out[0], buf, sizeof buf) > 0)
        ;
    close(out[0]);
    waitpid(pid, &status, 0);
}

/* The time a worker needs from its start to its end with so many jobs. */
static double worker_time_us(struct place *p, const char *project, int64_t n)
{
    int64_t from;

    place_renew(p);
    store_fill(p, "nothing", n);
    from = now_ns();
    wait_for(worker_start(p, &(struct worker_args){.concurrency = 1,
                                                   .stops_when_empty = true,
                                                   .project = project}));
    return (double)(now_ns() - from) / 1e3;
}

void bench_executable(struct place *p)
{
    enum { FEW = 100, MANY = 500 };
    char folder[4096 - 64], program[4096], command[4096];
    double bare, errand_us;
    int64_t from;

    snprintf(folder, sizeof folder, "%s-project", p->path);
    project_write(folder, program);
    /* The program may be gone before its input is written. */
    signal(SIGPIPE, SIG_IGN);
    from = now_ns();
    for (int i = 0; i < MANY - FEW; i++)
        run_once(program);
    bare = (double)(now_ns() - from) / 1e3 / (MANY - FEW);
    signal(SIGPIPE, SIG_DFL);

    /* Two lengths, so that starting and stopping the worker cancels out. */
    errand_us = -worker_time_us(p, folder, FEW);
    errand_us += worker_time_us(p, folder, MANY);
    figure(figure_name("executable-bare-us", p), bare);
    figure(figure_name("executable-us", p), errand_us / (MANY - FEW));
    snprintf(command, sizeof command, "%s", folder);
    wait_for(spawn((char *[]){"rm", "-rf", command, NULL}));
}
