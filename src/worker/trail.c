/* trail.c: a worker notes which of its jobs have begun. */
#include "worker/trail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "worker/spawn.h"
#include "worker/trail_inside.h"

struct er_trail {
    int folder, fd; /* fd holds the lock that says we live */
    char name[ER_TRAIL_NAME_MAX];
    struct er_trail_file *file;
    size_t size;
    uint32_t *free_entries; /* a stack */
    size_t free_n;
    uint32_t marks_no; /* the last one given */
};

/* ------------------------------------------------------------------ files */

/* In a folder that anybody may write to, a name proves nothing: it must be ours and
 * closed to others. */
int er_trail_folder(void)
{
    char path[64];
    struct stat st;
    int fd;

    snprintf(path, sizeof path, "/dev/shm/errand-%ld", (long)geteuid());
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -1;
    fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077)) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

int er_trail_store(struct er_store *store, char *ret, size_t size)
{
    const char *url = er_store_url(store);
    char cwd[ER_TRAIL_STORE_MAX / 2] = "";
    int n;

    /* A path that is not absolute says nothing without the folder it starts from. */
    if (!strstr(url, ":/") && !getcwd(cwd, sizeof cwd))
        return -1;
    n = snprintf(ret, size, "%s %s", url, cwd);
    return n < 0 || (size_t)n >= size ? -1 : 0;
}

/* All of it is there at once or not at all: a page that cannot be had later, because the
 * memory is full, would be a SIGBUS. */
static void *file_make(int folder, const char *name, size_t size, int *ret_fd)
{
    int fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    void *p = MAP_FAILED;

    if (fd < 0)
        return NULL;
    if (posix_fallocate(fd, 0, (off_t)size) == 0)
        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        close(fd);
        unlinkat(folder, name, 0);
        return NULL;
    }
    *ret_fd = fd;
    return p;
}

void er_trail_remove(int folder, const char *name)
{
    size_t len = strlen(name);
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((entry = readdir(dir)))
        if (strncmp(entry->d_name, name, len) == 0 && entry->d_name[len] == '.')
            unlinkat(folder, entry->d_name, 0);
    closedir(dir);
}

/* ------------------------------------------------------------------ begin and end */

/* Under a name that nobody looks for until it is whole and locked. */
static int trail_file_make(struct er_trail *t, struct er_store *store, size_t jobs_n)
{
    char before[ER_TRAIL_NAME_MAX + 8], after[ER_TRAIL_NAME_MAX + 8];

    snprintf(before, sizeof before, "%s.new", t->name);
    snprintf(after, sizeof after, "%s" ER_TRAIL_SUFFIX, t->name);
    t->size = sizeof *t->file + jobs_n * sizeof t->file->entries[0];
    if (!(t->file = file_make(t->folder, before, t->size, &t->fd)))
        return -1;
    t->file->version = ER_TRAIL_VERSION;
    t->file->entries_n = (uint32_t)jobs_n;
    if (er_trail_store(store, t->file->store, sizeof t->file->store) < 0 ||
        flock(t->fd, LOCK_EX | LOCK_NB) < 0)
        return -1;
    return renameat(t->folder, before, t->folder, after);
}

/* A number of the process would not do: containers count theirs anew. */
static int name_make(struct er_trail *t)
{
    uint64_t bits[2];

    if (getrandom(bits, sizeof bits, 0) != sizeof bits)
        return -1;
    snprintf(t->name, sizeof t->name, "%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
    return 0;
}

struct er_trail *er_trail_new(struct er_store *store, size_t jobs_n)
{
    struct er_trail *t;
    if (!er_store_can(store, ERRAND_CAP_SHARED) || !(t = calloc(1, sizeof *t)))
        return NULL;
    t->fd = -1;
    t->folder = er_trail_folder();
    t->free_entries = calloc(jobs_n, sizeof *t->free_entries);
    if (t->folder < 0 || !t->free_entries || name_make(t) < 0 ||
        trail_file_make(t, store, jobs_n) < 0) {
        er_trail_free(t, false);
        return NULL;
    }
    for (size_t i = jobs_n; i > 0; i--)
        t->free_entries[t->free_n++] = (uint32_t)i;
    return t;
}

void er_trail_free(struct er_trail *t, bool is_kept)
{
    if (!t)
        return;
    if (!is_kept && t->name[0])
        er_trail_remove(t->folder, t->name);
    if (t->file)
        munmap(t->file, t->size);
    if (t->fd >= 0)
        close(t->fd);
    if (t->folder >= 0)
        close(t->folder);
    free(t->free_entries);
    free(t);
}

void er_trail_touch(struct er_trail *t)
{
    if (t)
        futimens(t->fd, NULL);
}

/* ------------------------------------------------------------------ jobs */

static void where_set(struct er_trail *t, uint32_t entry, uint64_t where)
{
    if (t && entry)
        atomic_store_explicit(&t->file->entries[entry - 1].where, where,
                              memory_order_release);
}

uint32_t er_trail_add(struct er_trail *t, const struct errand_reserved *job)
{
    struct er_trail_entry *e;
    uint32_t entry;

    if (!t || !t->free_n)
        return 0;
    entry = t->free_entries[--t->free_n];
    e = &t->file->entries[entry - 1];
    e->token = job->token;
    e->id = job->id;
    where_set(t, entry, ER_TRAIL_WAITS);
    return entry;
}

void er_trail_waits(struct er_trail *t, uint32_t entry)
{
    where_set(t, entry, ER_TRAIL_WAITS);
}

void er_trail_given(struct er_trail *t, uint32_t entry, uint32_t marks_no, uint32_t slot)
{
    where_set(t, entry,
              marks_no ? (uint64_t)marks_no * ER_TRAIL_GIVEN + slot : ER_TRAIL_BEGUN);
}

void er_trail_begun(struct er_trail *t, uint32_t entry)
{
    where_set(t, entry, ER_TRAIL_BEGUN);
}

void er_trail_gone(struct er_trail *t, uint32_t entry)
{
    if (!t || !entry)
        return;
    where_set(t, entry, ER_TRAIL_FREE);
    t->free_entries[t->free_n++] = entry;
}

/* ------------------------------------------------------------------ marks of a runner */

static void *marks_file(struct er_trail *t, uint32_t no, int *ret_fd)
{
    char name[ER_TRAIL_NAME_MAX + 16];

    snprintf(name, sizeof name, "%s.%u", t->name, no);
    return file_make(t->folder, name, sizeof(struct er_shared), ret_fd);
}

static void *marks_memory(int *ret_fd)
{
    int fd = er_memory_file("errand-shared", (struct errand_slice){0});
    void *p = MAP_FAILED;

    if (fd < 0)
        return NULL;
    if (ftruncate(fd, sizeof(struct er_shared)) == 0)
        p = mmap(NULL, sizeof(struct er_shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                 0);
    if (p == MAP_FAILED) {
        close(fd);
        return NULL;
    }
    *ret_fd = fd;
    return p;
}

int er_marks_new(struct er_trail *t, struct er_marks *ret, int *ret_fd,
                 struct errand_error *err)
{
    struct er_shared *shared = t ? marks_file(t, t->marks_no + 1, ret_fd) : NULL;

    *ret = (struct er_marks){.no = shared ? ++t->marks_no : 0};
    if (!shared && !(shared = marks_memory(ret_fd)))
        return er_error_errno(err, ERRAND_EIO, errno, "making the memory of a runner");
    ret->shared = shared;
    shared->version = ER_PROTOCOL_VERSION;
    shared->slots = ER_SLOTS;
    return 0;
}

void er_marks_free(struct er_trail *t, struct er_marks *marks)
{
    char name[ER_TRAIL_NAME_MAX + 16];

    if (marks->shared)
        munmap(marks->shared, sizeof *marks->shared);
    if (t && marks->no) {
        snprintf(name, sizeof name, "%s.%u", t->name, marks->no);
        unlinkat(t->folder, name, 0);
    }
    *marks = (struct er_marks){0};
}
