/* project_files.c: what lies in app/Jobs, and whether it may be trusted: who can write
 * there can run code as us. */
#include "worker/project.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { FILES_MAX = 10000 };

/* NULL, or why a file or folder must not be used. */
static const char *distrust(const char *path, const struct stat *st, uid_t project_owner,
                            struct errand_arena *arena)
{
    if (st->st_mode & (S_IWGRP | S_IWOTH))
        return er_arena_printf(arena,
                               "%s may be written by other users (mode %04o), who could "
                               "run code as you; mend it: chmod go-w %s",
                               path, (unsigned)(st->st_mode & 07777), path);
    if (st->st_uid != geteuid() && st->st_uid != 0 && st->st_uid != project_owner)
        return er_arena_printf(arena,
                               "%s belongs to another user (%u), who could run code as "
                               "you; mend it: chown %u %s",
                               path, (unsigned)st->st_uid, (unsigned)geteuid(), path);
    return NULL;
}

static bool has_ending(const char *name, const char *const *endings)
{
    const char *dot = strrchr(name, '.');

    for (; dot && *endings; endings++)
        if (strcmp(dot, *endings) == 0)
            return true;
    return false;
}

static bool is_script(int dir, const char *name)
{
    char start[2] = "";
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : read(fd, start, sizeof start);

    if (fd >= 0)
        close(fd);
    return n == 2 && memcmp(start, "#!", 2) == 0;
}

static void kind_set(struct er_project_file *file, int dir, const struct stat *st,
                     struct errand_arena *arena)
{
    static const char *const for_others[] = {".h", ".hpp", ".ts", ".js", ".mjs", NULL};
    static const char *const for_compiler[] = {".c", NULL};

    if (has_ending(file->name, for_compiler))
        file->kind = ER_FILE_C;
    else if (has_ending(file->name, for_others))
        file->kind = ER_FILE_OTHER;
    else if (st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))
        file->kind = ER_FILE_EXECUTABLE;
    else if (is_script(dir, file->name)) {
        file->kind = ER_FILE_EXECUTABLE;
        file->error = er_arena_printf(
            arena, "%s is a script but not executable; mend it: chmod +x %s", file->path,
            file->path);
    }
}

static const char *stem_of(const char *name, struct errand_arena *arena)
{
    const char *dot = strrchr(name, '.');

    return errand_arena_copy(arena, name, dot ? (size_t)(dot - name) : strlen(name));
}

static bool is_ignored(const char *name)
{
    size_t len = strlen(name);

    return name[0] == '.' || name[0] == '#' || name[len - 1] == '~';
}

/* 1 it is a job file, 0 not, or ENOMEM. */
static int file_look(int dir, const char *name, const char *folder_error, uid_t owner,
                     struct errand_arena *arena, struct er_project_file *ret)
{
    struct er_project_file file = {0};
    struct stat st;

    if (is_ignored(name) || fstatat(dir, name, &st, 0) < 0 || !S_ISREG(st.st_mode))
        return 0;
    file.name = errand_arena_copy(arena, name, strlen(name));
    file.path = er_arena_printf(arena, ER_JOBS_FOLDER "/%s", name);
    file.stem = stem_of(name, arena);
    file.modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    if (!file.name || !file.path || !file.stem)
        return ERRAND_ENOMEM;
    kind_set(&file, dir, &st, arena);
    if (folder_error)
        file.error = folder_error;
    else if (!file.error)
        file.error = distrust(file.path, &st, owner, arena);
    *ret = file;
    return 1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct er_project_file *)a)->name,
                  ((const struct er_project_file *)b)->name);
}

static int folder_read(DIR *dir, const char *folder_error, uid_t owner,
                       struct errand_arena *arena, struct er_project_files *ret,
                       struct errand_error *err)
{
    struct er_project_files files = {0};
    size_t size = 0;

    for (struct dirent *e; (e = readdir(dir));) {
        struct er_project_file file;
        int rc = file_look(dirfd(dir), e->d_name, folder_error, owner, arena, &file);

        if (rc < 0)
            return er_error_nomem(err);
        if (rc == 0)
            continue;
        if (files.n == FILES_MAX)
            return errand_error_set(err, ERRAND_ETOOBIG,
                                    ER_JOBS_FOLDER " has more than %d files", FILES_MAX);
        if (files.n == size) {
            struct er_project_file *more;

            size = size ? size * 2 : 32;
            if (!(more = errand_arena_alloc(arena, size * sizeof *more)))
                return er_error_nomem(err);
            if (files.n)
                memcpy(more, files.list, files.n * sizeof *more);
            files.list = more;
        }
        files.list[files.n++] = file;
    }
    if (files.n)
        qsort(files.list, files.n, sizeof *files.list, by_name);
    *ret = files;
    return 0;
}

/* What is wrong with the folder is said of every file in it. */
static const char *folder_distrust(int project, int jobs, uid_t *ret_owner,
                                   struct errand_arena *arena)
{
    struct stat st, app;
    const char *why;

    *ret_owner = fstat(project, &st) < 0 ? geteuid() : st.st_uid;
    if (fstatat(project, "app", &app, 0) == 0 &&
        (why = distrust("app", &app, *ret_owner, arena)))
        return why;
    return fstat(jobs, &st) < 0 ? "cannot be looked at"
                                : distrust(ER_JOBS_FOLDER, &st, *ret_owner, arena);
}

int er_project_files(const char *project, struct errand_arena *arena,
                     struct er_project_files *ret, struct errand_error *err)
{
    int top = open(project, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd =
        top < 0 ? -1 : openat(top, ER_JOBS_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = NULL;
    uid_t owner;
    int rc = 0;

    *ret = (struct er_project_files){0};
    if (fd < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            rc = er_error_errno(err, ERRAND_EIO, errno, "opening %s/" ER_JOBS_FOLDER,
                                project);
        goto out;
    }
    const char *why = folder_distrust(top, fd, &owner, arena);
    if (!(dir = fdopendir(fd))) {
        rc =
            er_error_errno(err, ERRAND_EIO, errno, "reading %s/" ER_JOBS_FOLDER, project);
        goto out;
    }
    fd = -1;
    rc = folder_read(dir, why, owner, arena, ret, err);
out:
    if (dir)
        closedir(dir);
    if (fd >= 0)
        close(fd);
    if (top >= 0)
        close(top);
    return rc;
}
