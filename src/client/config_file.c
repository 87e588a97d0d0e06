/* config_file.c: which folder is the project, and whether its errand.yml may be trusted.
 */
#include "client/config_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "store/store.h"

enum { FILE_MAX = 1 << 20 };
static const char file_name[] = "errand.yml";

/* ------------------------------------------------------------------ the project */

static char *folder_of(struct errand_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == path)
        return er_arena_printf(arena, "/");
    return er_arena_printf(arena, "%.*s", (int)(slash - path), path);
}

char *er_config_path(struct errand_arena *arena, const char *folder, const char *name)
{
    return er_arena_printf(arena, "%s%s%s", folder, strcmp(folder, "/") == 0 ? "" : "/",
                           name);
}

static int real_path(const char *path, const char *what, struct errand_arena *arena,
                     char **ret, struct errand_error *err)
{
    char *real = realpath(path, NULL);

    if (!real && errno == ENOMEM)
        return er_error_nomem(err);
    if (!real)
        return er_error_errno(err, errno == ENOENT ? ERRAND_ENOTFOUND : ERRAND_EIO, errno,
                              "%s '%s'", what, path);
    *ret = errand_arena_copy(arena, real, strlen(real));
    free(real);
    return *ret ? 0 : er_error_nomem(err);
}

/* The file named by --config, in its real folder: a link to a file elsewhere stands for
 * the project where the link is. */
static int asked_file(const char *asked, const char *cwd, struct errand_arena *arena,
                      char **ret, struct errand_error *err)
{
    char *path, *folder;
    int rc;

    if (!(path = asked[0] == '/' ? er_arena_printf(arena, "%s", asked)
                                 : er_config_path(arena, cwd, asked)) ||
        !(folder = folder_of(arena, path)))
        return er_error_nomem(err);
    if (access(path, F_OK) < 0)
        return er_error_errno(err, errno == ENOENT ? ERRAND_ENOTFOUND : ERRAND_EIO, errno,
                              "the configuration '%s'", path);
    if ((rc = real_path(folder, "the folder", arena, &folder, err)) < 0)
        return rc;
    *ret = er_config_path(arena, folder, strrchr(path, '/') + 1);
    return *ret ? 0 : er_error_nomem(err);
}

/* The nearest folder from `cwd` upwards that has an errand.yml: its file, or NULL. */
static int find_file(const char *cwd, struct errand_arena *arena, char **ret,
                     struct errand_error *err)
{
    const char *folder = cwd;
    char *file;

    for (;;) {
        if (!(file = er_config_path(arena, folder, file_name)))
            return er_error_nomem(err);
        /* A link to nowhere is an error to be told, not a project further up. */
        if (faccessat(AT_FDCWD, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
            *ret = file;
            return 0;
        }
        if (strcmp(folder, "/") == 0)
            return 0;
        if (!(folder = folder_of(arena, folder)))
            return er_error_nomem(err);
    }
}

int er_config_find(struct er_config *config, const struct er_config_args *args,
                   char **ret_cwd, struct errand_error *err)
{
    const char *asked = args->file ? args->file : getenv("ERRAND_CONFIG");
    char *file = NULL, *cwd;
    int rc;

    if ((rc = real_path(args->cwd ? args->cwd : ".", "the folder", config->arena, &cwd,
                        err)) < 0)
        return rc;
    *ret_cwd = cwd;
    if (asked && asked[0]) {
        if ((rc = asked_file(asked, cwd, config->arena, &file, err)) < 0)
            return rc;
    } else if ((rc = find_file(cwd, config->arena, &file, err)) < 0) {
        return rc;
    }
    config->file = file;
    config->project = file ? folder_of(config->arena, file) : cwd;
    config->worker.project = config->project;
    return config->project ? 0 : er_error_nomem(err);
}

/* ------------------------------------------------------------------ the file */

/* Whoever can write this file decides which code runs as us: app/Jobs stands beside it.
 * A file that somebody else has put into a parent folder is not ours to follow; root
 * alone may read anybody's, as in a container with the project mounted from outside. */
static int check_owner(const char *file, const struct stat *st, struct errand_error *err)
{
    if (!S_ISREG(st->st_mode))
        return errand_error_set(err, ERRAND_EINVAL, "%s is not a file", file);
    if (st->st_size > FILE_MAX)
        return errand_error_set(err, ERRAND_ETOOBIG, "%s is larger than 1 MiB", file);
    if (st->st_mode & S_IWOTH)
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s can be changed by everybody, and it decides which "
                                "code runs: chmod o-w %s",
                                file, file);
    if (st->st_uid != geteuid() && st->st_uid != 0 && geteuid() != 0)
        return errand_error_set(
            err, ERRAND_EINVAL,
            "%s belongs to user %u, not to you, and it decides which code runs: chown it "
            "or work elsewhere",
            file, (unsigned)st->st_uid);
    return 0;
}

static int read_all(int fd, const char *file, struct er_buf *buf,
                    struct errand_error *err)
{
    ssize_t n;

    for (;;) {
        if (buf->len > FILE_MAX)
            return errand_error_set(err, ERRAND_ETOOBIG, "%s is larger than 1 MiB", file);
        if (er_buf_reserve(buf, 4096) < 0)
            return er_error_nomem(err);
        if ((n = read(fd, buf->ptr + buf->len, 4096)) == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return er_error_errno(err, ERRAND_EIO, errno, "reading '%s'", file);
        buf->len += (size_t)n;
    }
}

static int check_secret(const struct er_config *config, const struct stat *st,
                        struct errand_error *err)
{
    const char *url = config->url ? config->url : "";
    char *shown = er_url_shown(url, config->arena);

    if (!shown)
        return er_error_nomem(err);
    if (!(st->st_mode & (S_IRWXG | S_IRWXO)))
        return 0;
    if (config->has_secret)
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s holds a secret below 'notifications' and others can "
                                "read it: chmod 600 %s, or write ${NAME} in its place",
                                config->file, config->file);
    if (strcmp(shown, url) == 0)
        return 0;
    return errand_error_set(err, ERRAND_EINVAL,
                            "%s holds a password in 'url' and others can read it: "
                            "chmod 600 %s, or put the URL into ERRAND_URL",
                            config->file, config->file);
}

int er_config_read_file(struct er_config *config, struct errand_error *err)
{
    struct er_buf text;
    struct stat st;
    int fd, rc;

    er_buf_init(&text, FILE_MAX + 8192);
    if ((fd = open(config->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "opening '%s'", config->file);
    if (fstat(fd, &st) < 0) {
        rc = er_error_errno(err, ERRAND_EIO, errno, "looking at '%s'", config->file);
        goto out;
    }
    if ((rc = check_owner(config->file, &st, err)) < 0 ||
        (rc = read_all(fd, config->file, &text, err)) < 0)
        goto out;
    rc = er_config_read_yaml(config, (struct errand_slice){text.ptr, text.len},
                             config->file, err);
    if (rc == 0)
        rc = check_secret(config, &st, err);
out:
    close(fd);
    er_buf_done(&text);
    return rc;
}
