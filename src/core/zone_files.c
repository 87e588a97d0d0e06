/* zone_files.c: zones by name, from the folder of zone files, and anew when a file has
 * changed: the rules of a zone are changed by governments, at times within weeks, and a
 * scheduler runs for longer than that. */
#include "core/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "core/zone_inside.h"

enum { NAME_MAX_ = 64, FILE_MAX = 256 * 1024, PATH_SIZE = 4096 };

/* What tells one version of a file from another. */
struct version {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct entry {
    struct entry *next;
    struct version version;
    struct er_zone zone;
    char name[NAME_MAX_ + 1];
};

struct er_zones {
    char *dir;
    struct entry *entries;
    uint64_t generation;
    struct er_zone utc;
};

struct er_zones *er_zones_new(const char *dir)
{
    struct er_zones *zones = calloc(1, sizeof *zones);

    if (!zones)
        return NULL;
    if (!dir)
        dir = getenv("TZDIR");
    zones->dir = strdup(dir && *dir ? dir : "/usr/share/zoneinfo");
    if (!zones->dir) {
        free(zones);
        return NULL;
    }
    return zones;
}

void er_zones_free(struct er_zones *zones)
{
    if (!zones)
        return;
    for (struct entry *e = zones->entries, *next; e; e = next) {
        next = e->next;
        free(e->zone.times);
        free(e->zone.offsets);
        free(e);
    }
    free(zones->dir);
    free(zones);
}

/* Letters, digits, _ + - in parts between slashes: no absolute path, no "..". What the
 * host calls its own zone is refused too, for it is another one on another host. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);

    if (len > NAME_MAX_ || name[len - 1] == '/' || strcmp(name, "localtime") == 0 ||
        strcmp(name, "posixrules") == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool is_part = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                       (c >= 'a' && c <= 'z') || c == '_' || c == '+' || c == '-';

        if (!is_part && (c != '/' || !i || name[i - 1] == '/'))
            return false;
    }
    return true;
}

static int unknown(const char *name, const char *dir, struct errand_error *err)
{
    char shown[NAME_MAX_ + 1];
    size_t i;

    for (i = 0; name[i] && i < NAME_MAX_; i++)
        shown[i] = name[i] < ' ' || name[i] > '~' ? '?' : name[i];
    shown[i] = '\0';
    return errand_error_set(err, ERRAND_EINVAL,
                            "there is no time zone '%s': names are as Europe/Berlin, and "
                            "%s has one file for each",
                            shown, dir);
}

static bool is_same(const struct version *a, const struct version *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec &&
           a->modified.tv_nsec == b->modified.tv_nsec &&
           a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

static struct version version_of(const struct stat *st)
{
    return (struct version){st->st_dev, st->st_ino, st->st_size, st->st_mtim,
                            st->st_ctim};
}

static int read_open(int fd, const char *path, char *buf, size_t *ret_len,
                     struct errand_error *err)
{
    size_t len = 0;
    ssize_t n;

    while (len < FILE_MAX) {
        n = read(fd, buf + len, FILE_MAX - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return er_error_errno(err, ERRAND_EIO, errno, "reading '%s'", path);
        if (!n)
            break;
        len += (size_t)n;
    }
    *ret_len = len;
    return 0;
}

/* The zone in the file, and which version of it that was. */
static int load(const char *path, const char *name, struct version *ret_version,
                struct er_zone **ret, struct errand_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;
    char *buf = NULL;
    struct stat st;
    size_t len = 0;

    if (fd < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "opening '%s'", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        rc = errand_error_set(err, ERRAND_EINVAL, "'%s' is no file", path);
        goto out;
    }
    buf = malloc(FILE_MAX);
    if (!buf) {
        rc = er_error_nomem(err);
        goto out;
    }
    if ((rc = read_open(fd, path, buf, &len, err)) < 0)
        goto out;
    rc = er_zone_parse(name, buf, len, ret, err);
    if (rc == 0)
        *ret_version = version_of(&st);
out:
    free(buf);
    close(fd);
    return rc;
}

static struct entry *find(struct er_zones *zones, const char *name)
{
    struct entry *e = zones->entries;

    while (e && strcmp(e->name, name) != 0)
        e = e->next;
    return e;
}

/* The rules move into the entry, whose address others hold. */
static void put(struct er_zones *zones, struct entry *e, struct er_zone *fresh)
{
    free(e->zone.times);
    free(e->zone.offsets);
    e->zone = *fresh;
    e->zone.generation = ++zones->generation;
    free(fresh);
}

static struct entry *entry_new(struct er_zones *zones, const char *name)
{
    struct entry *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    memcpy(e->name, name, strlen(name) + 1);
    e->next = zones->entries;
    zones->entries = e;
    return e;
}

static int get_file(struct er_zones *zones, const char *name, const char *path,
                    const struct er_zone **ret, struct errand_error *err)
{
    struct entry *e = find(zones, name);
    struct er_zone *fresh = NULL;
    struct version version;
    struct stat st;
    int rc;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
        if (!e)
            return unknown(name, zones->dir, err);
    } else if (!e || (version = version_of(&st), !is_same(&version, &e->version))) {
        rc = load(path, name, &version, &fresh, e ? NULL : err);
        if (rc < 0 && !e)
            return rc;
        if (rc == 0 && !e && !(e = entry_new(zones, name))) {
            er_zone_free(fresh);
            return er_error_nomem(err);
        }
        if (rc == 0) {
            e->version = version;
            put(zones, e, fresh);
        }
    }
    *ret = &e->zone;
    return 0;
}

int er_zones_get(struct er_zones *zones, const char *name, const struct er_zone **ret,
                 struct errand_error *err)
{
    char path[PATH_SIZE];

    if (!name || !*name || strcmp(name, "UTC") == 0) {
        *ret = &zones->utc;
        return 0;
    }
    if (!is_name(name) ||
        snprintf(path, sizeof path, "%s/%s", zones->dir, name) >= (int)sizeof path)
        return unknown(name, zones->dir, err);
    return get_file(zones, name, path, ret, err);
}

int er_zone_check(const char *name, struct errand_error *err)
{
    struct er_zones *zones = er_zones_new(NULL);
    const struct er_zone *zone;
    int rc;

    if (!zones)
        return er_error_nomem(err);
    rc = er_zones_get(zones, name, &zone, err);
    er_zones_free(zones);
    return rc;
}
