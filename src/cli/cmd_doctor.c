/* cmd_doctor.c: errand doctor: is everything as it should be, and what to do if not. */
#include <inttypes.h>
#include <stdarg.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/line.h"
#include "cli/when.h"
#include "client/health.h"
#include "core/clock.h"

/* A person waits for the answer: for the reading of what is there (about 100,000 jobs a
 * second) no longer than some seconds. */
enum { READ_MOST = 100000 };

static const struct er_flag flags[] = {
    {"full", NULL, "reads every job, however many there are", ER_FLAG_SWITCH},
    {0},
};

void er_doctor_say(struct er_doctor *doctor, enum er_finding finding, const char *check,
                   const char *remedy, const char *fmt, ...)
{
    static const char *const words[] = {
        [ER_OK] = "ok", [ER_WARN] = "warn", [ER_FAIL] = "fail"};
    static const enum er_colour colours[] = {
        [ER_OK] = ER_GREEN, [ER_WARN] = ER_YELLOW, [ER_FAIL] = ER_RED};
    struct er_print *out = &doctor->cli->out;
    char text[ERRAND_ERROR_MAX];
    struct er_line line;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    doctor->warned_n += finding == ER_WARN;
    doctor->failed_n += finding == ER_FAIL;
    if (out->is_json) {
        er_line_init(&line);
        er_line_begin(&line);
        er_line_str(&line, "check", check);
        er_line_str(&line, "status", words[finding]);
        er_line_str(&line, "message", text);
        er_line_str(&line, "remedy", remedy);
        er_line_end(&line, out);
        er_line_done(&line);
        return;
    }
    er_print_text(out, colours[finding], words[finding]);
    er_printf(out, ": %*s%s: ", finding == ER_OK ? 2 : 0, "", check);
    er_print_safe(out, text);
    if (remedy) {
        er_printf(out, " → ");
        er_print_safe(out, remedy);
    }
    er_printf(out, "\n");
}

/* ---------------------------------------------------------------- the store */

static const char *remedy_of(int code)
{
    switch (code) {
    case ERRAND_ENOTFOUND:
        return "so does the first dispatch";
    case ERRAND_ESCHEMA:
        return "errand migrate, or a newer errand on this machine";
    case ERRAND_ECORRUPT:
        return "stop all workers, keep a copy, and recover it with sqlite3 .recover";
    default:
        return NULL; /* the message says what to try */
    }
}

static bool store_opens(struct er_doctor *d, struct errand_error *err)
{
    int rc = er_cli_open(d->cli, ER_OPEN_KEEP, err);

    if (rc == ERRAND_ENOTFOUND)
        er_doctor_say(d, ER_WARN, "store", remedy_of(rc), "%s", err->message);
    else if (rc < 0)
        er_doctor_say(d, ER_FAIL, "store", remedy_of(rc), "%s", err->message);
    else
        er_doctor_say(d, ER_OK, "store", NULL, "%s opens, by driver '%s'",
                      er_store_url(d->cli->store), er_store_driver(d->cli->store)->name);
    return rc == 0;
}

static void schema(struct er_doctor *d)
{
    struct er_store_options options = {.open.busy_ms = d->cli->config->client.busy_ms,
                                       .open.force = true};
    struct errand_migrate_result r = {0};
    struct errand_error err = {0};
    int rc = er_store_migrate(d->cli->config->url, &options, false, &r, &err);

    if (rc < 0)
        er_doctor_say(d, ER_FAIL, "schema", remedy_of(rc), "%s", err.message);
    else if (r.schema_found != r.schema_wanted)
        er_doctor_say(d, ER_FAIL, "schema", "errand migrate",
                      "schema %d, this errand wants %d", r.schema_found, r.schema_wanted);
    else
        er_doctor_say(d, ER_OK, "schema", NULL, "%d, current", r.schema_found);
}

static void writable(struct er_doctor *d)
{
    struct errand_error err = {0};
    int64_t began = er_clock_mono_ms(NULL);
    int rc = er_health_write(d->cli->store, d->cli->arena, &err);

    if (rc < 0)
        er_doctor_say(d, ER_FAIL, "write", remedy_of(rc), "%s", err.message);
    else
        er_doctor_say(d, ER_OK, "write", NULL, "two transactions in %" PRId64 " ms",
                      er_clock_mono_ms(NULL) - began);
}

static void durability(struct er_doctor *d)
{
    if (!er_store_can(d->cli->store, ERRAND_CAP_DURABLE))
        er_doctor_say(d, ER_WARN, "durable", "use sqlite:PATH for jobs that must survive",
                      "this store ends with its process");
    else if (d->cli->config->client.durable == ERRAND_DURABLE_FULL)
        er_doctor_say(d, ER_OK, "durable", NULL, "full: jobs survive loss of power");
    else
        er_doctor_say(d, ER_OK, "durable", NULL,
                      "normal: jobs survive the kill of any process of errand; "
                      "durable: full in errand.yml adds loss of power");
}

static void surroundings(struct er_doctor *d)
{
    struct errand_remarks_result r = {0};
    struct errand_error err = {0};
    int rc = er_store_remarks(d->cli->store, d->cli->arena, &r, &err);

    if (rc < 0)
        er_doctor_say(d, ER_WARN, "server", remedy_of(rc), "%s", err.message);
    for (size_t i = 0; rc == 0 && i < r.remarks_n; i++)
        er_doctor_say(d, ER_WARN, "server", r.remarks[i].remedy, "%s", r.remarks[i].text);
}

/* What queues say they hold: kept by the store, so this does not read the jobs. */
static int64_t jobs_n(struct er_doctor *d)
{
    struct errand_queues_result queues = {0};
    int64_t n = 0;

    if (er_store_queues(d->cli->store, 0, d->cli->arena, &queues, NULL) < 0)
        return 0;
    for (size_t i = 0; i < queues.queues_n; i++)
        for (int s = 0; s < ERRAND_STATES_N; s++)
            n += queues.queues[i].counts[s];
    return n;
}

static void contents(struct er_doctor *d)
{
    struct errand_check_result r = {0};
    struct errand_error err = {0};
    int rc = er_store_check(d->cli->store, 0, d->cli->arena, &r, &err);

    if (rc < 0)
        er_doctor_say(d, ER_FAIL, "contents", remedy_of(rc), "%s", err.message);
    for (size_t i = 0; rc == 0 && i < r.findings_n; i++)
        er_doctor_say(d, ER_FAIL, "contents", "keep a copy of the store and report this",
                      "%s", r.findings[i]);
    if (rc == 0 && r.findings_n == 0)
        er_doctor_say(d, ER_OK, "contents", NULL,
                      "everything in the store fits together");
}

static int exec(struct er_cli *cli, struct errand_error *err)
{
    struct er_doctor d = {.cli = cli};
    char count[ER_WHEN_SIZE];

    if (er_cli_config(cli, err) < 0) {
        er_doctor_say(&d, ER_FAIL, "configuration", "correct it, see errand config:check",
                      "%s", err->message);
        return ER_EXIT_FAILED;
    }
    er_cli_hurry(cli);
    er_doctor_say(&d, ER_OK, "configuration", NULL, "%s",
                  cli->config->file ? cli->config->file : "no errand.yml, defaults");
    if (store_opens(&d, err)) {
        schema(&d);
        writable(&d);
        durability(&d);
        surroundings(&d);
        if (er_cli_has(cli, "full") || jobs_n(&d) <= READ_MOST)
            contents(&d);
        else
            er_doctor_say(&d, ER_OK, "contents", NULL,
                          "%s jobs, not read through: --full does that",
                          er_count_text(jobs_n(&d), count));
        er_doctor_work(&d);
        er_doctor_told(&d);
    }
    er_doctor_host(&d);
    er_doctor_jobs(&d);
    er_doctor_notify(&d);
    if (!cli->out.is_json && d.failed_n + d.warned_n)
        er_printf(&cli->out, "\n%d to repair, %d to look at\n", d.failed_n, d.warned_n);
    return d.failed_n ? ER_EXIT_FAILED : ER_EXIT_DONE;
}

const struct er_command er_cmd_doctor = {
    .name = "doctor",
    .group = "Look after it",
    .args = "",
    .flags = flags,
    .help = "looks at store, machine, job files and workers, and says what to do",
    .about =
        "Each line is ok, warn or fail; exit 1 when something failed. It changes "
        "nothing. Of a store with more than 100,000 jobs it reads the jobs with --full "
        "only; for a lock that others hold it waits 3 s.",
    .example = "errand doctor",
    .exec = exec,
};
