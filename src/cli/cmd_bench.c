/* cmd_bench.c: errand bench: how fast is this machine, on the disk of this store?
 *
 * Measures a temporary store beside the real one, a few seconds in all: single dispatch,
 * bulk dispatch, and draining through runners with a job that does nothing. script/bench
 * is the careful one. */
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/line.h"
#include "cli/table.h"
#include "cli/when.h"
#include "client/client.h"
#include "core/clock.h"
#include "errand/worker.h"
#include "worker/runner.h"

enum { BATCH = 1000, ONE_MS = 1000, JOBS = 50000 };

static const struct er_flag flags[] = {
    {"concurrency", "N", "runners that drain; default: number of cores", ER_FLAG_COUNT, 1,
     64},
    {"jobs", "N", "jobs to drain; default 50000", ER_FLAG_COUNT, 1000, 1000000},
    {0},
};

static const char noop[] =
    "#include <errand.h>\n"
    "static int handle(errand_job *job, struct errand_error *err)\n"
    "{\n"
    "    (void)job;\n"
    "    (void)err;\n"
    "    return ERRAND_DONE;\n"
    "}\n"
    "ERRAND_JOB(Noop, .handle = handle)\n";
static const char data[] =
    "{\"userId\":12345,\"template\":\"welcome\",\"locale\":\"en_GB\"}";

struct bench {
    struct er_cli *cli;
    struct er_table *table;
    char folder[PATH_MAX];
    char *url_one, *url_many;
    int64_t jobs;
    struct errand_dispatch_item items[BATCH];
};

static const struct er_column columns[] = {
    {.title = "MEASURE"},
    {.title = "JOBS/S", .is_right = true},
    {.title = "JOBS", .is_right = true},
};

static void say(struct bench *b, const char *what, int64_t jobs, int64_t took_ms)
{
    int64_t rate = jobs * 1000 / (took_ms > 0 ? took_ms : 1);
    char text[ER_WHEN_SIZE];
    struct er_line line;

    if (!b->cli->out.is_json) {
        er_table_str(b->table, ER_PLAIN, what);
        er_table_str(b->table, ER_BOLD, er_count_text(rate, text));
        er_table_str(b->table, ER_DIM, er_count_text(jobs, text));
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "measure", what);
    er_line_int(&line, "jobs_per_second", rate);
    er_line_int(&line, "jobs", jobs);
    er_line_int(&line, "took_ms", took_ms);
    er_line_end(&line, &b->cli->out);
    er_line_done(&line);
}

static int dispatch_one(struct bench *b, struct errand_error *err)
{
    errand *e = errand_open(b->url_one, NULL, err);
    int64_t began = er_clock_mono_ms(NULL), now = began, n = 0;
    int rc = e ? 0 : err->code;

    for (; rc >= 0 && now - began < ONE_MS; n++) {
        rc = errand_dispatch(e, "noop", data, NULL, NULL, err);
        if (n % 16 == 0)
            now = er_clock_mono_ms(NULL);
    }
    if (rc >= 0)
        say(b, "dispatch, one by one", n, er_clock_mono_ms(NULL) - began);
    errand_close(e);
    return rc;
}

static int dispatch_many(struct bench *b, struct errand_error *err)
{
    errand *e = errand_open(b->url_many, NULL, err);
    int64_t began = er_clock_mono_ms(NULL), n = 0;
    int rc = e ? 0 : err->code;

    for (size_t i = 0; i < BATCH; i++)
        b->items[i] = (struct errand_dispatch_item){
            .name = "noop", .data = {.ptr = data, .len = sizeof data - 1}};
    for (; rc >= 0 && n < b->jobs; n += BATCH)
        rc = errand_dispatch_bulk(e, b->items, BATCH, NULL, err);
    if (rc >= 0)
        say(b, "dispatch, 1,000 at a time", n, er_clock_mono_ms(NULL) - began);
    b->jobs = n;
    errand_close(e);
    return rc;
}

/* A figure is only worth something when every job was really done. */
static int all_done(struct bench *b, struct errand_error *err)
{
    errand *e = errand_open(b->url_many, NULL, err);
    const struct errand_filter left = {.states =
                                           1u << ERRAND_READY | 1u << ERRAND_SCHEDULED |
                                           1u << ERRAND_RUNNING | 1u << ERRAND_FAILED};
    int64_t n = 0;
    int rc = e ? er_store_count(er_client_store(e), &left, 0, &n, err) : err->code;

    if (rc == 0 && n)
        rc = errand_error_set(
            err, ERRAND_EJOB,
            "%" PRId64 " of %" PRId64 " jobs did not end as they should", n, b->jobs);
    errand_close(e);
    return rc;
}

static int drain(struct bench *b, struct errand_error *err)
{
    struct errand_worker_options options = {
        .concurrency = (int)er_cli_number(b->cli, "concurrency", 0),
        .stop_when_empty = true,
        .is_quiet = true,
        .name = "bench",
        .project = b->folder,
    };
    int64_t began = er_clock_mono_ms(NULL);
    int rc = errand_worker_run(b->url_many, NULL, &options, err);

    if (rc < 0 || (rc = all_done(b, err)) < 0)
        return rc;
    say(b, "work, from start to end of the worker", b->jobs,
        er_clock_mono_ms(NULL) - began);
    return 0;
}

/* ---------------------------------------------------------------- the folder */

static int one_remove(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    remove(path);
    return 0;
}

/* Beside the real store, because the disk is half of what is measured. */
static int folder_make(struct bench *b, struct errand_error *err)
{
    struct errand_arena *arena = b->cli->arena;
    const char *temp = getenv("TMPDIR");
    char *jobs;

    snprintf(b->folder, sizeof b->folder, "%s/.errand-bench-XXXXXX",
             er_cli_store_folder(b->cli));
    if (!mkdtemp(b->folder)) {
        snprintf(b->folder, sizeof b->folder, "%s/errand-bench-XXXXXX",
                 temp && *temp ? temp : "/tmp");
        if (!mkdtemp(b->folder))
            return er_error_errno(err, ERRAND_EIO, errno, "making '%s'", b->folder);
    }
    jobs = er_arena_printf(arena, "%s/app/Jobs", b->folder);
    b->url_one = er_arena_printf(arena, "sqlite:%s/one.db", b->folder);
    b->url_many = er_arena_printf(arena, "sqlite:%s/many.db", b->folder);
    if (!jobs || !b->url_one || !b->url_many)
        return er_error_nomem(err);
    return er_folder_make(jobs, err);
}

/* Compiled before anything is measured: a worker does that once in the life of a file. */
static int job_make(struct bench *b, struct errand_error *err)
{
    char *path = er_arena_printf(b->cli->arena, "%s/app/Jobs/noop.c", b->folder);
    struct er_jobs_about jobs = {0};
    const struct er_job_about *job;
    int rc;

    if (!path)
        return er_error_nomem(err);
    if ((rc = er_file_make(path, 0644, noop, err)) < 0 ||
        (rc = er_project_describe(b->folder, b->cli->arena, &jobs, err)) < 0)
        return rc;
    job = er_jobs_about_find(&jobs, "noop");
    if (!job || job->error)
        return errand_error_set(err, ERRAND_EJOB,
                                "the job that does nothing cannot run: %s",
                                job ? job->error : "it was not found");
    return 0;
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct bench *b = errand_arena_alloc(cli->arena, sizeof *b);
    int rc;

    if (!b)
        return er_error_nomem(err);
    b->cli = cli;
    b->jobs = er_cli_number(cli, "jobs", JOBS);
    if ((rc = er_cli_config(cli, err)) < 0)
        return rc;
    if (!(b->table = er_table_new(&cli->out, columns, sizeof columns / sizeof *columns)))
        return er_error_nomem(err);
    if ((rc = folder_make(b, err)) == 0 && (rc = job_make(b, err)) == 0 &&
        (rc = dispatch_one(b, err)) >= 0 && (rc = dispatch_many(b, err)) >= 0)
        rc = drain(b, err);
    er_table_flush(b->table);
    er_table_free(b->table);
    if (b->folder[0])
        nftw(b->folder, one_remove, 16, FTW_DEPTH | FTW_PHYS);
    return rc < 0 ? rc : ER_EXIT_DONE;
}

const struct er_command er_cmd_bench = {
    .name = "bench",
    .group = "Look after it",
    .args = "",
    .flags = flags,
    .help = "measures this machine, in a temporary store beside yours",
    .about =
        "About three seconds: dispatch one by one and in bulk, then the same jobs worked "
        "by isolated runners with a job that does nothing. Your own store is not "
        "touched. With --json each line is measure jobs_per_second jobs took_ms.",
    .example = "errand bench",
    .exec = exec,
};
