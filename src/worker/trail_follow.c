/* trail_follow.c: what a dead worker had reserved and not begun goes back to the store.
 *
 * Its lock is free as soon as it is dead, a moment before the kernel kills its runners:
 * one of them may still begin a job. So a job is taken from a runner as its supervisor
 * would, by its mark, in one atomic step. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "worker/trail.h"
#include "worker/trail_inside.h"

enum {
    OUTCOMES_MOST = 500, /* a call */
    FORGOTTEN_S = 3600,  /* a trail of another store, since it was last touched */
};

struct follow {
    struct er_store *store;
    struct errand_arena *arena;
    const char *store_name;
    int folder;
    size_t n; /* jobs handed back */
};

struct dead {
    char name[ER_TRAIL_NAME_MAX];
    int fd;
    struct er_trail_file *file;
    size_t size;
    struct er_shared *marks; /* those of `marks_no`, the last that were looked at */
    uint64_t marks_no;
};

/* ------------------------------------------------------------------ open */

static void dead_close(struct dead *d)
{
    if (d->marks)
        munmap(d->marks, sizeof *d->marks);
    if (d->file)
        munmap(d->file, d->size);
    if (d->fd >= 0)
        close(d->fd);
}

static void *map_whole(int fd, size_t least, size_t *ret_size)
{
    struct stat st;
    void *p;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)least)
        return NULL;
    p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    *ret_size = (size_t)st.st_size;
    return p == MAP_FAILED ? NULL : p;
}

/* False: its worker lives, or another one has it in hand. */
static bool dead_open(const struct follow *f, const char *file_name, struct dead *d)
{
    size_t len = strlen(file_name) - strlen(ER_TRAIL_SUFFIX);

    memcpy(d->name, file_name, len);
    d->name[len] = '\0';
    d->fd = openat(f->folder, file_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (d->fd < 0 || flock(d->fd, LOCK_EX | LOCK_NB) < 0)
        return false;
    d->file = map_whole(d->fd, sizeof *d->file, &d->size);
    return d->file && d->file->version == ER_TRAIL_VERSION &&
           d->size >= sizeof *d->file + d->file->entries_n * sizeof d->file->entries[0];
}

static bool is_forgotten(const struct dead *d)
{
    struct stat st;

    return fstat(d->fd, &st) == 0 && time(NULL) - st.st_mtime > FORGOTTEN_S;
}

/* ------------------------------------------------------------------ entries */

static struct er_shared *marks_of(const struct follow *f, struct dead *d, uint64_t no)
{
    char name[ER_TRAIL_NAME_MAX + 32];
    size_t size;
    int fd;

    if (no == d->marks_no)
        return d->marks;
    if (d->marks)
        munmap(d->marks, sizeof *d->marks);
    snprintf(name, sizeof name, "%s.%llu", d->name, (unsigned long long)no);
    fd = openat(f->folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    d->marks = fd < 0 ? NULL : map_whole(fd, sizeof *d->marks, &size);
    d->marks_no = no;
    if (fd >= 0)
        close(fd);
    return d->marks;
}

/* True: it never began, and never will under this lease. */
static bool entry_take(const struct follow *f, struct dead *d, struct er_trail_entry *e)
{
    uint64_t where = atomic_load(&e->where), slot = where % ER_TRAIL_GIVEN;
    uint32_t given = ER_MARK_GIVEN;
    struct er_shared *marks;

    if (where < ER_TRAIL_GIVEN)
        return where == ER_TRAIL_WAITS;
    if (slot >= ER_SLOTS || !(marks = marks_of(f, d, where / ER_TRAIL_GIVEN)))
        return false;
    /* RECALLED: its supervisor had taken it back and was killed before it said so here */
    return atomic_compare_exchange_strong(&marks->marks[slot], &given,
                                          ER_MARK_RECALLED) ||
           given == ER_MARK_RECALLED;
}

static int outcomes_tell(struct follow *f, const struct errand_outcome *outcomes,
                         size_t n, struct errand_error *err)
{
    struct errand_exchange_params params = {.outcomes = outcomes, .outcomes_n = n};
    struct errand_exchange_result got = {0};
    int rc;

    if (!n)
        return 0;
    if ((rc = er_store_exchange(f->store, &params, f->arena, &got, err)) < 0)
        return rc;
    for (size_t i = 0; i < n; i++)
        f->n += got.settled[i] == ERRAND_SETTLED;
    return 0;
}

/* What is told twice, after a call that failed, is answered LOST and changes nothing. */
static int entries_hand_back(struct follow *f, struct dead *d, struct errand_error *err)
{
    struct errand_outcome *outcomes =
        errand_arena_alloc(f->arena, OUTCOMES_MOST * sizeof *outcomes);
    size_t n = 0;
    int rc;

    if (!outcomes)
        return er_error_nomem(err);
    for (uint32_t i = 0; i < d->file->entries_n; i++) {
        struct er_trail_entry *e = &d->file->entries[i];

        if (!entry_take(f, d, e))
            continue;
        outcomes[n] = (struct errand_outcome){
            .token = e->token, .id = e->id, .kind = ERRAND_OUT_HAND_BACK};
        outcomes[n].id.text[ERRAND_ID_MAX] = '\0';
        if (++n < OUTCOMES_MOST)
            continue;
        if ((rc = outcomes_tell(f, outcomes, n, err)) < 0)
            return rc;
        n = 0;
    }
    return outcomes_tell(f, outcomes, n, err);
}

/* ------------------------------------------------------------------ all of them */

static int trail_follow(struct follow *f, const char *file_name, struct errand_error *err)
{
    struct dead d = {.fd = -1};
    int rc = 0;

    if (dead_open(f, file_name, &d)) {
        d.file->store[ER_TRAIL_STORE_MAX - 1] = '\0';
        if (strcmp(d.file->store, f->store_name) == 0)
            rc = entries_hand_back(f, &d, err);
        else
            rc = !is_forgotten(&d);
        if (rc == 0)
            er_trail_remove(f->folder, d.name);
    }
    dead_close(&d);
    return rc < 0 ? rc : 0;
}

static bool is_trail(const char *name)
{
    size_t len = strlen(name), suffix = strlen(ER_TRAIL_SUFFIX);

    return len > suffix && len - suffix < ER_TRAIL_NAME_MAX &&
           strcmp(name + len - suffix, ER_TRAIL_SUFFIX) == 0;
}

int er_trails_follow(struct er_store *store, struct errand_arena *arena, size_t *ret_n,
                     struct errand_error *err)
{
    char name[ER_TRAIL_STORE_MAX];
    struct follow f = {.store = store, .arena = arena, .store_name = name};
    struct dirent *entry;
    DIR *dir = NULL;
    int rc = 0;

    if (er_trail_store(store, name, sizeof name) < 0 ||
        (f.folder = er_trail_folder()) < 0)
        return 0; /* then the leases decide */
    if (!(dir = fdopendir(f.folder))) {
        close(f.folder);
        return 0;
    }
    while (rc == 0 && (entry = readdir(dir)))
        if (is_trail(entry->d_name))
            rc = trail_follow(&f, entry->d_name, err);
    closedir(dir);
    *ret_n = f.n;
    return rc;
}
