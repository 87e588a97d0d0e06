/* build.c: what of .errand/build belongs to a C job file, and whether it is up to date.
 *
 * All names carry a hash of what goes into them: the source, the compiler, its flags and
 * this errand. A changed file therefore gets a new name, and a library that a running
 * program has loaded is never written over. Headers are not in the hash: the compiler
 * lists them, and one that is newer than the library makes it stale. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "core/clock.h"
#include "worker/project.h"

enum {
    SOURCE_MAX = 8 << 20,
    /* An error is believed for a minute, then tried again: what was missing may have been
     * installed, and runners that start in a row must not compile in a row. */
    ERROR_FRESH_MS = 60000,
};

/* ------------------------------------------------------------------ names */

static uint64_t hash_add(uint64_t hash, const void *ptr, size_t len)
{
    const unsigned char *p = ptr;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_add(hash, text, strlen(text) + 1);
}

static const char *from_env(const char *name, const char *standard)
{
    const char *value = getenv(name);

    return value && value[0] ? value : standard;
}

static int64_t modified_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static bool is_program(const char *path, struct stat *ret)
{
    return access(path, X_OK) == 0 && stat(path, ret) == 0 && S_ISREG(ret->st_mode);
}

/* The compiler's program, as the first word of CC is found in PATH. Its size and date
 * stand for its version: asking it would take longer than compiling. */
static int compiler_find(const char *compiler, struct stat *ret, struct errand_error *err)
{
    const char *path = from_env("PATH", "/usr/local/bin:/usr/bin:/bin");
    int word = (int)strcspn(compiler, " \t");
    char full[4200];

    if (memchr(compiler, '/', (size_t)word)) {
        snprintf(full, sizeof full, "%.*s", word, compiler);
        if (is_program(full, ret))
            return 0;
        path = "";
    }
    for (size_t len; *path; path += len + (path[len] == ':')) {
        len = strcspn(path, ":");
        snprintf(full, sizeof full, "%.*s/%.*s", (int)len, path, word, compiler);
        if (len > 0 && is_program(full, ret))
            return 0;
    }
    return errand_error_set(
        err, ERRAND_EUNSUPPORTED,
        "there is no C compiler '%.*s' on this machine to compile the "
        "job files with; install one (Debian, Ubuntu: apt install gcc "
        "libc6-dev; Fedora: dnf install gcc) or set CC",
        word, compiler);
}

static bool has_header(const char *folder)
{
    char path[4400];

    snprintf(path, sizeof path, "%s/errand.h", folder);
    return access(path, R_OK) == 0;
}

/* Said, installed, beside the program (a tree that was moved), or the source tree. */
static const char *include_find(struct errand_arena *arena)
{
    const char *said = from_env("ERRAND_INCLUDE", NULL);
    char exe[4096], beside[4200];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);

    if (said || has_header(ERRAND_INCLUDE_DIR))
        return said ? said : ERRAND_INCLUDE_DIR;
    while (len > 0 && exe[len - 1] != '/')
        len--;
    snprintf(beside, sizeof beside, "%.*s../include", (int)(len > 0 ? len : 0), exe);
    if (len > 0 && has_header(beside))
        return errand_arena_copy(arena, beside, strlen(beside));
    return ERRAND_SOURCE_INCLUDE_DIR;
}

static int source_hash(struct er_build *b, uint64_t *ret, struct errand_error *err)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    struct er_buf source;
    struct stat st = {0};
    char path[4200];
    int rc;

    if ((rc = compiler_find(b->compiler, &st, err)) < 0)
        return rc;
    er_buf_init(&source, SOURCE_MAX + (1 << 16));
    snprintf(path, sizeof path, "%s/%s", b->project, b->file->path);
    if ((rc = er_file_read(path, SOURCE_MAX, &source, err)) == 0) {
        char version[64];

        snprintf(version, sizeof version, "%lld %lld", (long long)st.st_size,
                 (long long)modified_ns(&st));
        hash = hash_add(hash, source.ptr, source.len);
        hash = hash_text(hash, version);
        hash = hash_text(hash, b->compiler);
        hash = hash_text(hash, b->flags);
        hash = hash_text(hash, b->libraries);
        hash = hash_text(hash, b->include);
        *ret = hash_text(hash, ERRAND_VERSION);
    }
    er_buf_done(&source);
    return rc;
}

int er_build_init(struct er_build *build, const char *project,
                  const struct er_project_file *file, struct errand_arena *arena,
                  struct errand_error *err)
{
    struct er_build b = {.project = project, .file = file};
    uint64_t hash;
    int rc;

    b.compiler = from_env("CC", "cc");
    b.flags = from_env("CFLAGS", "");
    b.libraries = from_env("LDLIBS", "");
    b.include = include_find(arena);
    if (!b.include)
        return er_error_nomem(err);
    if ((rc = source_hash(&b, &hash, err)) < 0)
        return rc;
    b.base = er_arena_printf(arena, "%s-%0*" PRIx64, file->stem, ER_HASH_DIGITS, hash);
    if (!b.base)
        return er_error_nomem(err);
    b.so = er_arena_printf(arena, "%s/" ER_BUILD_FOLDER "/%s.so", project, b.base);
    b.deps = er_arena_printf(arena, "%s/" ER_BUILD_FOLDER "/%s.d", project, b.base);
    b.about = er_arena_printf(arena, "%s/" ER_BUILD_FOLDER "/%s.json", project, b.base);
    b.errors = er_arena_printf(arena, "%s/" ER_BUILD_FOLDER "/%s.err", project, b.base);
    if (!b.so || !b.deps || !b.about || !b.errors)
        return er_error_nomem(err);
    *build = b;
    return 0;
}

/* ------------------------------------------------------------------ up to date? */

/* The next file of a list as make reads it: "target: a b\ c \<newline> d". Its length in
 * `name` (spaces unescaped), 0 at the end. */
static size_t dep_next(const char **at, char *name, size_t size)
{
    const char *p = *at;
    size_t len = 0;

    while (*p && (isspace((unsigned char)*p) || (*p == '\\' && p[1] == '\n')))
        p += *p == '\\' ? 2 : 1;
    for (; *p && !isspace((unsigned char)*p); p++) {
        if (*p == '\\' && p[1] == '\n')
            break;
        if (*p == '\\' && (p[1] == ' ' || p[1] == '#'))
            p++;
        if (*p == '$' && p[1] == '$')
            p++;
        if (len + 1 < size)
            name[len++] = *p;
    }
    name[len] = '\0';
    *at = p;
    return len;
}

/* Is any file that went into the library newer, or gone? */
static bool deps_are_older(const struct er_build *build, int64_t than_ns)
{
    char name[4096], path[8400];
    bool are_older = true;
    struct er_buf text;
    const char *at;

    er_buf_init(&text, SOURCE_MAX);
    if (er_file_read(build->deps, SOURCE_MAX / 2, &text, NULL) < 0 || !text.ptr ||
        !(at = strstr(text.ptr, ": "))) {
        er_buf_done(&text);
        return false;
    }
    at++;
    while (are_older && dep_next(&at, name, sizeof name) > 0) {
        struct stat st;

        /* The source is in the hash, and touching it changes nothing. */
        if (strcmp(name, build->file->path) == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", build->project, name);
        are_older =
            stat(name[0] == '/' ? name : path, &st) == 0 && modified_ns(&st) <= than_ns;
    }
    er_buf_done(&text);
    return are_older;
}

bool er_build_is_compiled(const struct er_build *build)
{
    struct stat st;

    return stat(build->so, &st) == 0 && deps_are_older(build, modified_ns(&st));
}

/* An error of the same source is the same error, unless a header of the folder changed.
 */
static int error_recall(const struct er_build *build,
                        const struct er_project_files *files, struct errand_error *err)
{
    struct er_buf text;
    struct stat st;
    int64_t age_ms;
    int rc;

    if (stat(build->errors, &st) < 0)
        return 0;
    age_ms = er_clock_wall_ms(NULL) - modified_ns(&st) / 1000000;
    if (age_ms < 0 || age_ms > ERROR_FRESH_MS)
        return 0;
    for (size_t i = 0; i < files->n; i++)
        if (files->list[i].kind == ER_FILE_OTHER &&
            files->list[i].modified_ns > modified_ns(&st))
            return 0;
    er_buf_init(&text, 4 * ERRAND_ERROR_MAX + (1 << 15));
    rc = er_file_read(build->errors, 4 * ERRAND_ERROR_MAX, &text, NULL);
    if (rc == 0 && text.len > 0)
        rc = errand_error_set(err, ERRAND_EJOB, "%s", text.ptr);
    else
        rc = 0;
    er_buf_done(&text);
    return rc;
}

/* Refuses a folder that others may write: what lies there is loaded as code. 1: there. */
static int folder_check(const char *path, struct errand_error *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return errno == ENOENT
                   ? 0
                   : er_error_errno(err, ERRAND_EIO, errno, "looking at %s", path);
    if (!S_ISDIR(st.st_mode))
        return errand_error_set(err, ERRAND_EINVAL, "%s is not a folder", path);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s may be written by other users (mode %04o), who could "
                                "run code as you; mend it: chmod go-w %s",
                                path, (unsigned)(st.st_mode & 07777), path);
    return 1;
}

int er_build_folders(const char *project, bool is_made, struct errand_error *err)
{
    static const char *const parts[] = {".errand", ER_BUILD_FOLDER};
    char path[4200];
    int rc = 1;

    for (size_t i = 0; rc == 1 && i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", project, parts[i]);
        if (is_made && mkdir(path, 0700) < 0 && errno != EEXIST)
            return er_error_errno(err, ERRAND_EIO, errno, "making the folder %s", path);
        rc = folder_check(path, err);
    }
    return rc;
}

int er_build_state(const struct er_build *build, const struct er_project_files *files,
                   struct errand_error *err)
{
    int rc = er_build_folders(build->project, false, err);

    if (rc <= 0)
        return rc;
    if (access(build->about, R_OK) == 0 && er_build_is_compiled(build))
        return 1;
    return error_recall(build, files, err);
}
