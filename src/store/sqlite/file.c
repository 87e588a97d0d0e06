/* file.c: where a database may live. */
#include "store/sqlite/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"

/* WAL needs memory shared by all who use the file, which none of these gives between two
 * machines. 9p, virtiofs and FUSE may be local or not; of those only 9p is refused, as it
 * breaks byte-range locks. */
static const struct {
    unsigned long magic;
    const char *name;
} network[] = {
    {0x6969, "NFS"},        {0x517b, "SMB"},       {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB2"},   {0x01021997, "9p"},    {0x5346414f, "AFS"},
    {0x6b414653, "AFS"},    {0x73757245, "Coda"},  {0x00c36400, "Ceph"},
    {0x564c, "NCP"},        {0x013111a8, "IBRIX"}, {0x19830326, "BeeGFS"},
    {0x0bd00bd0, "Lustre"}, {0x47504653, "GPFS"},  {0x7461636f, "OCFS2"},
    {0x01161970, "GFS2"},
};

static const char *path_of(const char *url)
{
    const char *path = url;

    if (strncmp(path, "sqlite:", 7) == 0)
        path += 7;
    if (strncmp(path, "//", 2) == 0)
        path += 2;
    return path;
}

/* The folder that holds `path`, as text to be freed. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int folder_check(const char *path, const struct errand_open_params *p,
                        struct errand_error *err)
{
    char *folder = folder_of(path);
    struct statfs fs;
    struct stat st;
    int rc = 0;

    if (!folder)
        return er_error_nomem(err);
    if (stat(folder, &st) < 0) {
        /* The URL before this message names it, and hides what may be a password. */
        if (errno == ENOENT)
            rc = errand_error_set(
                err, ERRAND_ENOTFOUND,
                "its folder is not there; make it, or name another file");
        else
            rc = er_error_errno(err, ERRAND_EUNAVAILABLE, errno, "folder '%s'", folder);
        goto out;
    }
    if (!S_ISDIR(st.st_mode)) {
        rc = errand_error_set(err, ERRAND_EINVAL, "'%s' is not a folder", folder);
        goto out;
    }
    if (p->force || statfs(folder, &fs) < 0)
        goto out;
    for (size_t i = 0; i < sizeof network / sizeof *network; i++)
        if ((unsigned long)(unsigned int)fs.f_type == network[i].magic)
            rc = errand_error_set(
                err, ERRAND_EUNSUPPORTED,
                "'%s' is on a network file system (%s), where SQLite loses data; put "
                "the file on a local disk, or use redis: or postgres: to share jobs "
                "between machines",
                folder, network[i].name);
out:
    free(folder);
    return rc;
}

/* Never opens a file that is there: closing it would drop the locks that another
 * connection of this process holds on it. */
static int file_make(const char *path, struct errand_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST)
        return 0; /* somebody was faster */
    if (fd < 0)
        return er_error_errno(err,
                              errno == ENOSPC                     ? ERRAND_EFULL
                              : errno == EROFS || errno == EACCES ? ERRAND_EREADONLY
                                                                  : ERRAND_EUNAVAILABLE,
                              errno, "making the file");
    fchmod(fd, 0600);
    close(fd);
    return 0;
}

/* SQLite empties a log that it finds beside a new database, and what was committed in it
 * would be lost. Who made the database meanwhile may have a log already. */
static int log_check(const char *path, struct errand_error *err)
{
    struct stat st;
    char *log = NULL;
    int rc = 0;

    if (asprintf(&log, "%s-wal", path) < 0)
        return er_error_nomem(err);
    if (lstat(log, &st) == 0 && st.st_size > 0 && lstat(path, &st) < 0)
        rc = errand_error_set(err, ERRAND_ECONFLICT,
                              "is not there, but its log '%s' is, and may hold jobs; put "
                              "the database back beside it, or move the log away",
                              log);
    free(log);
    return rc;
}

static int file_check(const char *path, const struct errand_open_params *p,
                      struct errand_error *err)
{
    struct stat st;
    int rc;

    if (lstat(path, &st) < 0) {
        if (errno != ENOENT)
            return er_error_errno(err, ERRAND_EUNAVAILABLE, errno, "looking at '%s'",
                                  path);
        if (!p->create || p->read_only)
            return errand_error_set(err, ERRAND_ENOTFOUND,
                                    "no such file; 'errand migrate' makes it");
        if ((rc = log_check(path, err)) < 0)
            return rc;
        return file_make(path, err);
    }
    if (S_ISDIR(st.st_mode))
        return errand_error_set(err, ERRAND_EINVAL,
                                "is a folder; name a file in it, such as "
                                "'%s/errand.db'",
                                path);
    if (S_ISLNK(st.st_mode) && !p->force)
        return errand_error_set(err, ERRAND_EINVAL,
                                "is a symbolic link; name the file it points to");
    if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
        return errand_error_set(err, ERRAND_EINVAL, "is not a regular file");
    return 0;
}

int er_sqlite_file(const struct errand_open_params *p, char **ret_path,
                   struct errand_error *err)
{
    const char *path = path_of(p->url);
    char *copy;
    int rc;

    if (!*path)
        return errand_error_set(err, ERRAND_EINVAL,
                                "names no file; write sqlite:errand.db");
    if (strcmp(path, ":memory:") == 0 || strncmp(path, "file:", 5) == 0)
        return errand_error_set(err, ERRAND_EINVAL,
                                "is not a path; memory: is a store in memory");
    if ((rc = folder_check(path, p, err)) < 0 || (rc = file_check(path, p, err)) < 0)
        return rc;
    if (!(copy = strdup(path)))
        return er_error_nomem(err);
    *ret_path = copy;
    return 0;
}
