/* place.h: a project in a temporary folder, for tests of job files. */
#ifndef ER_TESTS_WORKER_PLACE_H
#define ER_TESTS_WORKER_PLACE_H

#include <ftw.h>
#include <sys/stat.h>

#include "support/test.h"

static char place[64];

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
    snprintf(place, sizeof place, "/tmp/errand-place-XXXXXX");
    assert_non_null(mkdtemp(place));
    snprintf(path, sizeof path, "%s/app", place);
    assert_int_equal(mkdir(path, 0755), 0);
    snprintf(path, sizeof path, "%s/app/Jobs", place);
    assert_int_equal(mkdir(path, 0755), 0);
}

static inline int place_forget(const char *path, const struct stat *st, int flag,
                               struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void place_remove(void)
{
    if (place[0])
        nftw(place, place_forget, 16, FTW_DEPTH | FTW_PHYS);
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

#endif
