/* place.h: a project in a temporary folder, for tests of job files. */
#ifndef ER_TESTS_WORKER_PLACE_H
#define ER_TESTS_WORKER_PLACE_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/folder.h"
#include "support/test.h"

static char place[FOLDER_MAX];

static inline void place_write(const char *name, const char *text, mode_t mode)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", place, name);
    assert_non_null(f = fopen(path, "w"));
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static inline void place_make(void)
{
    char path[512];

    umask(022);
    assert_int_equal(folder_make(place, "place"), 0);
    snprintf(path, sizeof path, "%s/app", place);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/app/Jobs", place);
    assert_int_equal(mkdir(path, 0755), 0);
}

static inline void place_remove(void)
{
    if (place[0])
        folder_remove(place);
    place[0] = '\0';
}

/* A job file whose class `name` answers `result`. */
static inline void place_job(const char *file, const char *name, const char *result)
{
    char path[128], text[1024];

    snprintf(path, sizeof path, "app/Jobs/%s", file);
    snprintf(text, sizeof text,
             "#include <errand.h>\n"
             "static int handle(errand_job *job, struct errand_error *err)\n"
             "{\n"
             "    return errand_job_result(job, \"%s\", err) < 0 ? ERRAND_FAIL\n"
             "                                                   : ERRAND_DONE;\n"
             "}\n"
             "ERRAND_JOB(%s, .handle = handle, .queue = \"files\")\n",
             result, name);
    place_write(path, text, 0644);
}

/* A compiler that counts how often it is called, in the file `calls` of the place. */
static inline void place_count_compiler(void)
{
    char text[512], path[512];

    snprintf(text, sizeof text, "#!/bin/sh\necho x >>%s/calls\nexec cc \"$@\"\n", place);
    place_write("counting-cc", text, 0755);
    snprintf(path, sizeof path, "%s/counting-cc", place);
    setenv("CC", path, 1);
}

static inline int place_calls(void)
{
    char path[512];
    struct stat st;

    snprintf(path, sizeof path, "%s/calls", place);
    return stat(path, &st) < 0 ? 0 : (int)(st.st_size / 2);
}

/* Does `what` with every file of the build folder that ends so. */
static inline void place_each(const char *ending, void (*what)(const char *path))
{
    char folder[256], path[600];
    struct dirent *e;
    DIR *dir;
    int n = 0;

    snprintf(folder, sizeof folder, "%s/.errand/build", place);
    assert_non_null(dir = opendir(folder));
    while ((e = readdir(dir))) {
        const char *dot = strrchr(e->d_name, '.');

        if (!dot || strcmp(dot, ending) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        what(path);
        n++;
    }
    closedir(dir);
    assert_true(n > 0);
}

/* What a program writes to both its outputs, and its exit status. It finds no other
 * descriptor. */
static inline int place_output(char *const argv[], char *text, size_t size)
{
    size_t len = 0;
    ssize_t n;
    int pair[2], status;
    pid_t pid;

    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(pair[1], 1);
        dup2(pair[1], 2);
        close_range(3, ~0U, 0);
        execv(argv[0], argv);
        _exit(127);
    }
    close(pair[1]);
    while ((n = read(pair[0], text + len, size - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    close(pair[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
