/* worker_view.c: what a worker's heartbeat says about it, in words.
 *
 * A heartbeat is believed for half a minute. A worker of this machine can be looked at
 * instead: when its process is not there it was killed, and nobody has to wait to hear
 * it. That holds in its own space of process numbers only, so the heartbeat names that
 * too. */
#include "client/worker_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/process.h"
#include "core/json.h"

#define START "start it again: errand queue:work"

static const char *info_text(struct errand_slice info, const char *key,
                             struct errand_arena *arena)
{
    struct errand_slice value = {0}, text = {0};
    enum er_json_type type;

    if (er_json_find(info, key, &type, &value, NULL) < 0)
        return NULL;
    if (type == ER_JSON_NUMBER)
        return errand_arena_copy(arena, value.ptr, value.len);
    if (type != ER_JSON_STRING || er_json_unescape(value, arena, &text, NULL) < 0)
        return NULL;
    return errand_arena_copy(arena, text.ptr, text.len);
}

static bool is_process_gone(struct errand_slice info, struct errand_arena *arena)
{
    const char *host = info_text(info, "host", arena);
    const char *space = info_text(info, "pid_space", arena);
    const char *pid = info_text(info, "pid", arena);
    uint64_t own_space = er_pid_space();
    char own[256] = "";

    gethostname(own, sizeof own - 1);
    if (!host || !space || !pid || !own_space || strcmp(host, own) != 0 ||
        strtoull(space, NULL, 10) != own_space || strtol(pid, NULL, 10) <= 0)
        return false;
    return er_pid_is_dead(strtol(pid, NULL, 10));
}

static void killed(const struct errand_worker_info *w, struct errand_arena *arena,
                   struct er_worker_view *ret)
{
    *ret = (struct er_worker_view){.state = "killed", .remedy = START};
    ret->trouble =
        w->running_n
            ? er_arena_printf(arena,
                              "has died; its %zu running %s when their lease is over "
                              "and another worker is there",
                              w->running_n,
                              w->running_n == 1 ? "job comes back" : "jobs come back")
            : "has died";
}

/* Where another worker lives, it has taken up what this one ran soon after. */
static void gone(const struct errand_worker_info *w, struct errand_arena *arena,
                 struct er_worker_view *ret)
{
    *ret = (struct er_worker_view){.state = "gone"};
    if (!w->running_n)
        return;
    ret->trouble = er_arena_printf(
        arena, "is not heard of; its %zu running %s when another worker is there",
        w->running_n, w->running_n == 1 ? "job comes back" : "jobs come back");
    ret->remedy = START;
}

static void living(struct errand_slice info, struct errand_arena *arena,
                   struct er_worker_view *ret)
{
    const char *state = info_text(info, "state", arena);
    const char *start = info_text(info, "start_error", arena);
    const char *job = info_text(info, "job_error", arena);
    const char *key = info_text(info, "key_error", arena);
    const char *other = info_text(info, "other_store_since", arena);

    *ret = (struct er_worker_view){.state = "alive", .takes_jobs = true};
    if (state && strcmp(state, "working") != 0) {
        ret->state = strcmp(state, "quiet") == 0 ? "quiet" : "stopping";
        ret->takes_jobs = false;
    }
    if (start) {
        ret->state = ret->alert = "blocked";
        ret->takes_jobs = false;
        ret->trouble = er_arena_printf(arena, "no runner starts: %s", start);
        ret->remedy = "errand doctor; it tries again by itself";
    } else if (key) {
        ret->alert = "keys";
        ret->trouble = er_arena_printf(arena, "leaves encrypted jobs waiting: %s", key);
        ret->remedy = "give it the key ring; it asks again every 10 s";
    } else if (job) {
        ret->alert = "job-file";
        ret->trouble = er_arena_printf(arena, "cannot run every job: %s", job);
        ret->remedy = "correct the file; it is loaded again by itself";
    } else if (other) {
        ret->alert = "other-store";
        ret->trouble = er_arena_printf(
            arena, "found the store to be another one since %s: what it held is gone",
            other);
        ret->remedy = "see who emptied or replaced it; put back what is to be kept";
    } else if (strcmp(ret->state, "quiet") == 0) {
        ret->trouble = "takes no new jobs, as it was told";
        ret->remedy = "kill -CONT its process";
    }
}

void er_worker_view(const struct errand_worker_info *worker, struct errand_arena *arena,
                    struct er_worker_view *ret)
{
    bool has_info = er_json_check("info", worker->info, NULL, NULL) == 0;

    if (!worker->is_alive)
        gone(worker, arena, ret);
    else if (!has_info)
        *ret = (struct er_worker_view){.state = "alive", .takes_jobs = true};
    else if (is_process_gone(worker->info, arena))
        killed(worker, arena, ret);
    else
        living(worker->info, arena, ret);
}

bool er_worker_serves(const struct errand_worker_info *worker, const char *queue)
{
    struct errand_slice list = {0};
    enum er_json_type type = ER_JSON_NULL;
    struct er_json_walk walk;
    size_t n = 0, len = strlen(queue);

    if (er_json_check("info", worker->info, NULL, NULL) < 0 ||
        er_json_find(worker->info, "queues", &type, &list, NULL) < 0 ||
        type != ER_JSON_ARRAY)
        return true;
    for (er_json_walk(&walk, list); er_json_next(&walk); n++)
        if (walk.value.len == len + 2 && memcmp(walk.value.ptr + 1, queue, len) == 0)
            return true; /* names of queues need no escapes */
    return n == 0;
}
