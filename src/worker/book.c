/* book.c: from HELLO's JSON and the project folder to plans. */
#include "worker/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "client/notify.h"
#include "core/backoff.h"
#include "core/data.h"
#include "core/json.h"
#include "worker/about.h"

/* ------------------------------------------------------------------ the book */

static int text_at(struct errand_slice json, const char *path, struct errand_arena *arena,
                   const char **ret)
{
    struct errand_slice value, text;
    enum er_json_type type;

    if (er_json_find(json, path, &type, &value, NULL) < 0 || type != ER_JSON_STRING)
        return -1;
    if (er_json_unescape(value, arena, &text, NULL) < 0)
        return -1;
    *ret = text.ptr;
    return 0;
}

/* One of "jobs" or "errors": 1, or 0 at the end. */
static int about_read(struct errand_slice json, const char *list, size_t i,
                      struct errand_arena *arena, struct er_job_about *ret)
{
    struct errand_slice item, value;
    enum er_json_type type;
    char path[48];

    snprintf(path, sizeof path, "%s[%zu]", list, i);
    if (er_json_find(json, path, &type, &item, NULL) < 0 || type != ER_JSON_OBJECT)
        return 0;
    *ret = (struct er_job_about){.path = "", .source = ER_JOB_LINKED};
    if (text_at(item, "name", arena, &ret->name) < 0)
        ret->name = "";
    if (text_at(item, "file", arena, &ret->path) == 0)
        ret->source = ER_JOB_C_FILE;
    if (text_at(item, "message", arena, &ret->error) < 0)
        ret->error = NULL;
    if (er_json_find(item, "options", &type, &value, NULL) == 0 && type == ER_JSON_OBJECT)
        er_options_decode(value, arena, &ret->options, NULL);
    return 1;
}

/* One of HELLO's lists. */
static int about_add(struct er_about_list *list, struct errand_slice about,
                     const char *which, struct errand_error *err)
{
    struct er_job_about job;
    int rc = 0;

    for (size_t i = 0; rc == 0 && about_read(about, which, i, list->arena, &job); i++)
        rc = er_about_add(list, job.name, job.path, job.source, &job.options, job.error,
                          err);
    return rc;
}

static int executables_add(struct er_about_list *list, const char *project,
                           struct errand_error *err)
{
    struct er_jobs_about files = {0};
    int rc;

    if (!project)
        return 0;
    rc = er_project_scan(project, list->arena, &files, err);
    for (size_t i = 0; rc == 0 && i < files.jobs_n; i++)
        if (files.jobs[i].source == ER_JOB_EXECUTABLE)
            rc = er_about_add(list, files.jobs[i].name, files.jobs[i].path,
                              ER_JOB_EXECUTABLE, &files.jobs[i].options,
                              files.jobs[i].error, err);
    return rc;
}

static int book_fill(struct er_book *book, struct errand_slice about,
                     struct errand_error *err)
{
    struct er_about_list list = {.arena = book->arena};
    int rc;

    if ((rc = about_add(&list, about, "jobs", err)) < 0 ||
        (rc = about_add(&list, about, "errors", err)) < 0 ||
        (rc = executables_add(&list, book->project, err)) < 0 ||
        (rc = er_about_finish(&list, &book->jobs, err)) < 0)
        return rc;
    for (size_t i = 0; i < book->jobs.jobs_n; i++)
        if (book->jobs.jobs[i].error)
            book->errors_n++;
        else if (book->jobs.jobs[i].source != ER_JOB_EXECUTABLE)
            book->runner_jobs_n++;
    return 0;
}

static void level_fill(struct er_options *level, int tries, double timeout,
                       const struct errand_backoff *backoff)
{
    *level = (struct er_options){0};
    if (tries) {
        level->tries = tries == ERRAND_NO_RETRY ? 1 : tries;
        level->has |= ER_OPT_TRIES;
    }
    if (er_seconds_to_ms("timeout", timeout, &level->timeout_ms, NULL) == 0 &&
        level->timeout_ms > 0)
        level->has |= ER_OPT_TIMEOUT;
    if (er_backoff_said(backoff, &level->backoff))
        level->has |= ER_OPT_BACKOFF;
}

int er_book_new(const struct errand_worker_options *options, struct errand_slice about,
                struct er_book **ret, struct errand_error *err)
{
    struct er_book *book = calloc(1, sizeof *book);
    int rc;

    if (!book || !(book->arena = er_arena_new())) {
        free(book);
        return er_error_nomem(err);
    }
    book->refs = 1;
    book->options = options;
    book->project = options->project;
    level_fill(&book->top, options->tries, options->timeout, &options->backoff);
    if ((rc = book_fill(book, about, err)) < 0) {
        er_book_release(book);
        return rc;
    }
    *ret = book;
    return 0;
}

void er_book_release(struct er_book *book)
{
    if (!book || --book->refs)
        return;
    er_arena_free(book->arena);
    free(book);
}

/* ------------------------------------------------------------------ plans */

/* As execvp would find it: the child must not search, it may only exec. */
static const char *program_find(const char *name, const char *folder,
                                struct errand_arena *arena)
{
    const char *path = getenv("PATH");
    char *full;

    if (strchr(name, '/')) {
        if (*name == '/' || !folder)
            return errand_arena_copy(arena, name, strlen(name));
        return er_arena_printf(arena, "%s/%s", folder, name);
    }
    for (path = path ? path : "/usr/local/bin:/usr/bin:/bin"; *path;) {
        int len = (int)strcspn(path, ":");
        full = er_arena_printf(arena, "%.*s/%s", len, path, name);
        if (full && access(full, X_OK) == 0)
            return full;
        path += len + (path[len] == ':');
    }
    return NULL;
}

static int command_split(struct er_plan *plan, const char *command,
                         struct errand_arena *arena)
{
    struct errand_slice json = {.ptr = command, .len = strlen(command)};
    const char **argv;
    size_t n = 0, most = json.len / 2 + 1; /* an item takes two bytes or more */
    char path[32];

    if (!(argv = errand_arena_alloc(arena, (most + 2) * sizeof *argv)))
        return -1;
    while (n < most) {
        snprintf(path, sizeof path, "[%zu]", n);
        if (text_at(json, path, arena, &argv[n]) < 0)
            break;
        n++;
    }
    plan->argv = (char *const *)argv;
    plan->argc = n;
    return 0;
}

static int plan_command(struct er_plan *plan, const struct er_book *book,
                        const char *command, struct errand_arena *arena)
{
    if (command_split(plan, command, arena) < 0)
        return -1;
    if (!plan->argc) {
        plan->error = "the command of this job is empty";
        return 0;
    }
    plan->path = program_find(plan->argv[0], book->project, arena);
    if (!plan->path)
        plan->error = er_arena_printf(arena, "no program '%s' in PATH", plan->argv[0]);
    return 0;
}

static int plan_executable(struct er_plan *plan, struct errand_arena *arena)
{
    char **argv = errand_arena_alloc(arena, 3 * sizeof *argv);

    if (!argv)
        return -1;
    argv[0] = (char *)plan->about->path;
    plan->path = plan->about->path;
    plan->argv = argv;
    plan->argc = 1;
    return 0;
}

/* What is to be asked of the data before an attempt. A schema was read once where it was
 * said, so one that cannot be read now is out of memory. */
static int plan_data(struct er_plan *plan, const struct er_options *o,
                     struct errand_arena *arena)
{
    struct er_options *data;

    if (!(o->has & ER_OPT_DATA))
        return 0;
    if (!(data = errand_arena_alloc(arena, sizeof *data)))
        return -1;
    *data = *o;
    plan->data = data;
    return er_data_prepare(data, arena, NULL);
}

/* What the class alone says; keys, limits and throttle: what the call said of the first
 * two, the store has. */
static int plan_class(struct er_plan *plan, const struct er_options *call,
                      struct errand_arena *arena)
{
    const struct er_options *c =
        plan->about && !(call->has & ER_OPT_COMMAND) ? &plan->about->options : NULL;
    struct er_options *copy;

    plan->of_class = c;
    if (c && (c->has & ER_OPT_ASKED))
        plan->asked = c;
    if (c && (c->has & ER_OPT_THROTTLE))
        plan->throttle = c;
    if (!(call->has & ER_OPT_THROTTLE))
        return 0;
    if (!(copy = errand_arena_alloc(arena, sizeof *copy)))
        return -1;
    *copy = *call;
    plan->throttle = copy;
    plan->is_throttle_literal = true;
    return 0;
}

/* A job of errand's own, in every worker: this program, as what delivers. */
static void plan_notify(struct er_plan *plan)
{
    static char *const argv[] = {"errand", ER_NOTIFY_ARG, NULL};

    plan->is_notify = true;
    plan->path = "/proc/self/exe";
    plan->argv = argv;
    plan->argc = 2;
    plan->timeout_ms = 120000;
    plan->backoff = er_options_default.backoff;
}

static int plan_resolve(struct er_plan *plan, const struct er_book *book,
                        struct errand_arena *arena)
{
    struct er_options o = {0}, level;
    struct errand_error err = {0};
    bool tries_said;

    plan->about = er_jobs_about_find(&book->jobs, plan->name.ptr);
    if (plan->stored.len && er_options_decode(plan->stored, arena, &o, &err) < 0)
        plan->error =
            er_arena_printf(arena, "options of '%s': %s", plan->name.ptr, err.message);
    tries_said = (o.has & ER_OPT_TRIES) != 0;
    if (plan_class(plan, &o, arena) < 0)
        return -1;
    if (!(o.has & ER_OPT_COMMAND) && plan->about)
        er_options_fill(&o, &plan->about->options);
    if (plan->queue) {
        level_fill(&level, plan->queue->tries, plan->queue->timeout,
                   &plan->queue->backoff);
        er_options_fill(&o, &level);
    }
    er_options_fill(&o, &book->top);
    /* What was said at dispatch is what the store has. */
    plan->tries = !tries_said && (o.has & ER_OPT_TRIES) ? o.tries : 0;
    er_options_fill(&o, &er_options_default);
    plan->timeout_ms = o.timeout_ms;
    plan->retry_until_ms = o.has & ER_OPT_RETRY_UNTIL ? o.retry_until_ms : 0;
    plan->retry_for_ms = o.has & ER_OPT_RETRY_FOR ? o.retry_for_ms : 0;
    plan->memory_mib = o.has & ER_OPT_MEMORY ? o.memory_mib : 0;
    plan->backoff = o.backoff;
    plan->hooks = o.has & ER_OPT_HOOKS ? o.hooks : 0;
    if (plan_data(plan, &o, arena) < 0)
        return -1;
    if (plan->error)
        return 0;
    if (o.has & ER_OPT_COMMAND)
        return plan_command(plan, book, o.command, arena);
    if (!plan->about)
        plan->error =
            er_arena_printf(arena, "no job '%s' here: nothing in %s defines it",
                            plan->name.ptr, book->project ? "app/Jobs" : "this program");
    else if (plan->about->error)
        plan->error = plan->about->error;
    else if (plan->about->source == ER_JOB_EXECUTABLE)
        return plan_executable(plan, arena);
    return 0;
}

static const struct errand_worker_queue *queue_find(const struct er_book *book,
                                                    const char *queue)
{
    const struct errand_worker_options *o = book->options;

    for (size_t i = 0; i < o->queue_options_n; i++)
        if (strcmp(o->queue_options[i].name, queue) == 0)
            return &o->queue_options[i];
    return NULL;
}

static struct er_plan *plan_new(const struct er_book *book, const char *name,
                                const struct errand_worker_queue *queue,
                                struct errand_slice stored, struct errand_arena *arena)
{
    struct er_plan *plan = errand_arena_alloc(arena, sizeof *plan);

    if (!plan)
        return NULL;
    plan->run_ms = -1;
    plan->queue = queue;
    plan->name = er_arena_slice(arena, name, strlen(name));
    plan->stored = er_arena_slice(arena, stored.ptr, stored.len);
    if (!plan->name.ptr || (stored.len && !plan->stored.ptr))
        return NULL;
    if (strcmp(name, ER_NOTIFY_JOB) == 0) {
        plan_notify(plan);
        return plan;
    }
    return plan_resolve(plan, book, arena) < 0 ? NULL : plan;
}

static size_t hash(const char *name, struct errand_slice stored)
{
    uint64_t h = 1469598103934665603u;

    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    for (size_t i = 0; i < stored.len; i++)
        h = (h ^ (unsigned char)stored.ptr[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

static bool is_same(const struct er_plan *plan, const char *name,
                    const struct errand_worker_queue *queue, struct errand_slice stored)
{
    return plan->stored.len == stored.len && plan->queue == queue &&
           strcmp(plan->name.ptr, name) == 0 &&
           (!stored.len || memcmp(plan->stored.ptr, stored.ptr, stored.len) == 0);
}

/* Jobs of one class carry the same options, so a few plans serve a million jobs. */
struct er_plan *er_book_plan(struct er_book *book, const char *name, const char *queue,
                             struct errand_slice stored, struct errand_arena *arena)
{
    const size_t size = sizeof book->plans / sizeof *book->plans;
    const struct errand_worker_queue *level = queue_find(book, queue);
    size_t at = hash(name, stored) % size;

    while (book->plans[at]) {
        if (is_same(book->plans[at], name, level, stored))
            return book->plans[at];
        at = (at + 1) % size;
    }
    if (book->plans_n == ER_PLANS_KEPT)
        return plan_new(book, name, level, stored, arena);
    if (!(book->plans[at] = plan_new(book, name, level, stored, book->arena)))
        return NULL;
    book->plans_n++;
    return book->plans[at];
}
