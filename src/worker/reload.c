/* reload.c: app/Jobs changes under a running worker.
 *
 * Code is never exchanged inside a process: a new runner is started, which compiles and
 * loads what is there now; when it has said HELLO it becomes the measure, and the older
 * ones go as soon as they have nothing to do. A file that does not compile is an entry in
 * HELLO, so the rest goes on as before. */
#include "worker/reload.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "core/name.h"
#include "worker/supervisor.h"

enum {
    /* for what the kernel does not tell (network folders, a new folder) */
    LOOK_MS = 10000,
    SETTLE_MS = 150,   /* an editor writes more than once */
    PUBLISH_MS = 5000, /* until the store is asked again */
};

/* ------------------------------------------------------------------ the folder */

static uint64_t mix(uint64_t h, const void *ptr, size_t len)
{
    const unsigned char *p = ptr;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 1099511628211u;
    return h;
}

static uint64_t file_mark(int folder, const char *name)
{
    uint64_t h = mix(1469598103934665603u, name, strlen(name));
    struct stat st;

    if (fstatat(folder, name, &st, 0) < 0)
        return h;
    h = mix(h, &st.st_mtim, sizeof st.st_mtim);
    h = mix(h, &st.st_size, sizeof st.st_size);
    return mix(h, &st.st_mode, sizeof st.st_mode);
}

/* The same whatever order the folder is read in. */
static uint64_t folder_mark(const char *path)
{
    uint64_t sum = 0;
    struct dirent *entry;
    DIR *folder;

    if (!path || !(folder = opendir(path)))
        return 0;
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.')
            sum += file_mark(dirfd(folder), entry->d_name);
    closedir(folder);
    return sum;
}

static void folder_look(struct er_supervisor *s)
{
    uint64_t mark = folder_mark(s->folder);

    s->look_at_files_ms = s->now_ms + LOOK_MS;
    if (mark == s->files_mark)
        return;
    s->files_mark = mark;
    er_supervisor_reload(s, "app/Jobs changed");
}

static void on_file(uv_fs_event_t *handle, const char *name, int events, int status)
{
    struct er_supervisor *s = handle->data;

    (void)events;
    if (status < 0 || (name && *name == '.'))
        return;
    s->look_at_files_ms = s->now_ms + SETTLE_MS;
}

void er_reload_watch(struct er_supervisor *s)
{
    if (!s->options.project)
        return;
    s->folder = er_arena_printf(s->arena, "%s/app/Jobs", s->options.project);
    s->files_mark = folder_mark(s->folder);
    s->look_at_files_ms = s->now_ms + LOOK_MS;
    if (!s->folder || uv_fs_event_init(&s->loop, &s->files) < 0)
        return;
    s->files.data = s;
    s->has_files = true;
    uv_fs_event_start(&s->files, on_file, s->folder, 0); /* else LOOK_MS will do */
}

void er_reload_unwatch(struct er_supervisor *s)
{
    if (s->has_files)
        uv_close((uv_handle_t *)&s->files, NULL);
    s->has_files = false;
}

/* ------------------------------------------------------------------ the book */

void er_supervisor_reload(struct er_supervisor *s, const char *why)
{
    if (s->mode != ER_WORKING)
        return;
    er_report_note(s, "loading jobs again: %s", why);
    s->generation++;
    s->is_reload_wanted = true;
    s->slots.start_at_ms = 0; /* whatever kept runners from starting may be gone */
}

static void older_retire(struct er_supervisor *s)
{
    for (struct er_runner *r = s->slots.runners; r; r = r->next)
        if (r->generation < s->generation)
            r->is_stale = true;
}

void er_reload_publish(struct er_supervisor *s)
{
    s->is_publish_due = s->book != NULL;
    s->publish_at_ms = s->now_ms;
}

static void book_set(struct er_supervisor *s, struct er_book *book)
{
    bool is_first = !s->book;

    er_book_release(s->book);
    s->book = book;
    er_reload_publish(s);
    er_settle_look(s);
    s->leases.beat_at_ms = s->now_ms; /* what cannot run is to be seen by operators now */
    if (is_first)
        er_report_start(s);
    else
        er_report_jobs(s);
}

void er_reload_hello(struct er_supervisor *s, struct er_runner *r,
                     struct errand_slice about)
{
    struct errand_error err = {0};
    struct er_book *book;

    if (r->generation < s->generation) {
        r->is_stale = true;
        if (s->book)
            return;
    } else if (s->book && !s->is_reload_wanted) {
        return;
    }
    if (er_book_new(&s->options, about, &book, &err) < 0) {
        er_report_warn(s, "looking for jobs: %s", err.message);
        return;
    }
    book_set(s, book);
    if (r->generation == s->generation) {
        s->is_reload_wanted = false;
        older_retire(s);
    }
}

static void publish(struct er_supervisor *s)
{
    const char *owner = s->options.project_name;
    struct errand_error err = {0};

    if (s->now_ms < s->publish_at_ms || !er_settle_may_ask(s)) {
        er_supervisor_wake_at(s, s->publish_at_ms);
        return;
    }
    owner = owner && s->options.project ? owner : s->options.project;
    if (er_jobs_publish(s->store, &s->book->jobs, owner, &err) < 0) {
        s->publish_at_ms = s->now_ms + PUBLISH_MS;
        er_report_warn(s, "publishing the jobs of this worker: %s", err.message);
        return;
    }
    s->is_publish_due = false;
}

static bool is_newest_there(struct er_supervisor *s)
{
    for (struct er_runner *r = s->slots.runners; r; r = r->next)
        if (r->generation == s->generation &&
            (r->state == ER_RUNNER_STARTING || r->state == ER_RUNNER_READY))
            return true;
    return false;
}

void er_reload_turn(struct er_supervisor *s)
{
    if (s->is_publish_due)
        publish(s);
    if (s->mode != ER_WORKING)
        return;
    if (s->folder && s->now_ms >= s->look_at_files_ms)
        folder_look(s);
    if ((!s->book || s->is_reload_wanted) && !is_newest_there(s))
        er_slots_start_runner(s);
    if (s->folder)
        er_supervisor_wake_at(s, s->look_at_files_ms);
}
