/* encrypted.c: encrypted data from the dispatcher to the handler, and nowhere else. */
#include "support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"
#include "client/keys.h"
#include "client/seal.h"
#include "errand/flow.h"
#include "errand/schedule.h"
#include "errand/testing.h"
#include "errand/worker.h"
#include "store/store.h"
#include "support/folder.h"
#include "worker/runner.h"

#define SECRET "correct-horse-battery"
#define DATA "{\"password\":\"" SECRET "\",\"user\":\"ann\"}"

static int on_secret(errand_job *job, struct errand_error *err)
{
    const char *text;

    if (errand_job_string(job, "password", &text, err) < 0)
        return ERRAND_FAIL;
    if (strcmp(text, SECRET) == 0 && errand_job_data(job).len == strlen(DATA))
        return errand_job_has(job, "fail") ? ERRAND_FAIL : ERRAND_DONE;
    errand_error_set(err, ERRAND_EJOB, "this is not the password");
    return ERRAND_FAIL;
}
ERRAND_JOB(Secret, .handle = on_secret, .tries = 3, .backoff = ERRAND_BACKOFF(0.01),
           .encrypted = true, .unique = "{user}",
           .schema = ERRAND_SCHEMA({"required" : ["password"]}))
ERRAND_JOB(Plain, .handle = on_secret, .tries = 1)

/* Says in a file what it was given: the store must not have it. */
static int on_lost(errand_job *job, struct errand_error *err)
{
    (void)job;
    return errand_error_set(err, ERRAND_EJOB, "no luck"), ERRAND_FAIL;
}

static void on_lost_failed(errand_job *job, const struct errand_error *error)
{
    struct errand_slice data = errand_job_data(job);
    const char *path = getenv("HOOK_FILE");
    FILE *file = path ? fopen(path, "we") : NULL;

    (void)error;
    if (!file)
        return;
    fwrite(data.ptr, 1, data.len, file);
    fclose(file);
}
ERRAND_JOB(Lost, .handle = on_lost, .failed = on_lost_failed, .tries = 1,
           .encrypted = true)

static int on_move(errand_job *job, struct errand_error *err)
{
    (void)job;
    if (rename(getenv("NEW_RING"), getenv("RING")) == 0)
        return ERRAND_DONE;
    return errand_error_set(err, ERRAND_EJOB, "rename: %m"), ERRAND_FAIL;
}
ERRAND_JOB(MoveRing, .handle = on_move, .tries = 1)

static char folder[FOLDER_MAX], new_ring[FOLDER_MAX + 16], url[FOLDER_MAX + 32],
    ring[FOLDER_MAX + 16], hook_file[FOLDER_MAX + 16];
static struct errand_error err;
static errand *e;

static errand *open_with(const char *keys)
{
    errand *other = errand_open(url, &(struct errand_config){.keys = keys}, &err);

    if (!other)
        fail_msg("%s", err.message);
    return other;
}

static int setup(void **state)
{
    char id[ER_KEY_ID_MAX + 1];

    (void)state;
    err = (struct errand_error){0};
    if (folder_make(folder, "encrypted") < 0)
        return -1;
    snprintf(url, sizeof url, "sqlite:%s/jobs.db", folder);
    snprintf(ring, sizeof ring, "%s/keys", folder);
    snprintf(hook_file, sizeof hook_file, "%s/hook", folder);
    setenv("HOOK_FILE", hook_file, 1);
    if (er_key_ring_add(ring, "one", id, &err) < 0)
        return -1;
    e = open_with(ring);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    errand_close(e);
    return folder_remove(folder);
}

TEST_FIXTURE(setup, teardown)

static struct errand_id dispatch(const char *name, const char *data,
                                 const struct errand_options *options)
{
    struct errand_id id;

    if (errand_dispatch(e, name, data, options, &id, &err) < 0)
        fail_msg("%s", err.message);
    return id;
}

static void work_with(const char *keys, int attempts)
{
    const struct errand_config config = {.keys = keys};
    const struct errand_worker_options options = {.concurrency = 1,
                                                  .max_time = 30,
                                                  .max_jobs = attempts,
                                                  .stop_when_empty = !attempts,
                                                  .is_quiet = !getenv("LOUD")};

    if (errand_worker_run(url, &config, &options, &err) < 0)
        fail_msg("%s", err.message);
}

static void assert_job(struct errand_id id, enum errand_state state, const char *error)
{
    struct errand_job_detail *job;

    if (errand_get(e, &id, &job, &err) < 0)
        fail_msg("%s", err.message);
    if (job->job.state != state ||
        (error && !memmem(job->job.error.ptr, job->job.error.len, error, strlen(error))))
        fail_msg("%s: %.*s", errand_state_name(job->job.state), (int)job->job.error.len,
                 job->job.error.ptr);
    errand_detail_free(job);
}

/* In any file of the store, whatever its name. */
static bool is_in_store(const char *text)
{
    static char bytes[8 << 20];
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[FOLDER_MAX + 16];
    bool is_found = false;

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        ssize_t len = 0;
        int fd;

        snprintf(path, sizeof path, "%s/jobs.db%s", folder, ends[i]);
        if ((fd = open(path, O_RDONLY)) < 0)
            continue;
        len = read(fd, bytes, sizeof bytes);
        close(fd);
        assert_true(len >= 0 && len < (ssize_t)sizeof bytes);
        is_found = is_found || memmem(bytes, (size_t)len, text, strlen(text));
    }
    return is_found;
}

static void assert_waits(struct errand_id id)
{
    struct errand_job_detail *job;

    assert_int_equal(errand_get(e, &id, &job, &err), 0);
    assert_int_equal(job->job.state, ERRAND_SCHEDULED);
    assert_int_equal(job->job.attempts, 0);
    assert_int_equal(job->attempts_n, 0);
    errand_detail_free(job);
}

/* What waits comes again in ten seconds, or when it is told to. */
static void run_now(struct errand_id id)
{
    struct errand_change_params change = {
        .kind = ERRAND_CHANGE_RUN_NOW, .ids = &id, .ids_n = 1};
    struct errand_change_result changed = {0};
    struct errand_arena *arena = er_arena_new();

    assert_int_equal(er_store_change(er_client_store(e), &change, arena, &changed, &err),
                     0);
    assert_int_equal(changed.changed_n, 1);
    er_arena_free(arena);
}

TEST(the_handler_gets_what_was_dispatched_and_the_store_never_sees_it)
{
    struct errand_id one = dispatch("secret", DATA, NULL),
                     two = dispatch("plain", DATA,
                                    &(struct errand_options){.encrypted = true});

    assert_false(is_in_store(SECRET));
    work_with(ring, 0);
    assert_job(one, ERRAND_COMPLETED, NULL);
    assert_job(two, ERRAND_COMPLETED, NULL);
    assert_false(is_in_store(SECRET));
    assert_false(is_in_store("ann"));
    dispatch("plain", DATA, NULL);
    assert_true(is_in_store(SECRET)); /* or the search finds nothing at all */
}

TEST(what_must_fit_must_fit_before_it_is_encrypted)
{
    assert_int_equal(errand_dispatch(e, "secret", "{\"user\":1}", NULL, NULL, &err),
                     ERRAND_EINVAL);
    assert_string_equal(err.message, "data of 'secret': it has no 'password'");
}

TEST(a_dispatcher_without_the_ring_is_told)
{
    errand *other = open_with(NULL);

    assert_int_equal(errand_dispatch(other, "secret", DATA, NULL, NULL, &err),
                     ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "job 'secret' is encrypted, and no key ring is "
                                        "known here"));
    assert_int_equal(errand_dispatch(other, "plain", DATA, NULL, NULL, &err), 0);
    errand_close(other);
}

TEST(a_worker_without_the_ring_costs_no_try_and_one_with_it_goes_on)
{
    struct errand_id id = dispatch("secret", DATA, NULL);

    for (int i = 0; i < 4; i++) { /* more often than it has tries */
        work_with(NULL, 1);
        assert_waits(id);
        run_now(id);
    }
    work_with(ring, 1);
    assert_job(id, ERRAND_COMPLETED, NULL);
}

static void copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    char bytes[4096];
    ssize_t len = read(in, bytes, sizeof bytes);

    assert_true(in >= 0 && out >= 0 && len > 0);
    assert_int_equal(write(out, bytes, (size_t)len), len);
    close(in);
    close(out);
}

/* The first job puts another ring in place of the one that the worker has read; the
 * second one, whose key only that one has, comes after it. */
TEST(a_key_that_came_after_the_worker_had_read_the_ring_is_found)
{
    const struct errand_options later = {.delay_ms = 300, .encrypted = true};
    char made[ER_KEY_ID_MAX + 1];
    struct errand_id first, second;
    errand *other;

    snprintf(new_ring, sizeof new_ring, "%s/new-keys", folder);
    copy_file(ring, new_ring);
    assert_int_equal(er_key_ring_add(new_ring, "two", made, &err), 0);
    other = open_with(new_ring);
    assert_int_equal(errand_dispatch(other, "plain", DATA, &later, &second, &err), 0);
    errand_close(other);
    setenv("RING", ring, 1);
    setenv("NEW_RING", new_ring, 1);
    first = dispatch("MoveRing", "null", NULL);
    work_with(ring, 2);
    assert_job(first, ERRAND_COMPLETED, NULL);
    assert_job(second, ERRAND_COMPLETED, NULL);
}

TEST(a_key_that_is_nowhere_costs_no_try)
{
    const struct errand_options options = {.encrypted = true, .tries = 2};
    char made[ER_KEY_ID_MAX + 1];
    struct errand_id id;
    errand *other;

    snprintf(new_ring, sizeof new_ring, "%s/new-keys", folder);
    assert_int_equal(er_key_ring_add(new_ring, "two", made, &err), 0);
    other = open_with(new_ring);
    assert_int_equal(errand_dispatch(other, "plain", DATA, &options, &id, &err), 0);
    errand_close(other);
    work_with(ring, 1);
    assert_waits(id);
}

TEST(data_that_was_moved_to_another_job_fails_for_good)
{
    struct errand_id one = dispatch("secret", DATA, NULL),
                     two = dispatch("plain", DATA,
                                    &(struct errand_options){.encrypted = true});
    struct errand_change_result result = {0};
    struct errand_arena *arena = er_arena_new();
    struct errand_job_detail *job;
    struct errand_edit edit = {0};
    const struct errand_change_params params = {
        .kind = ERRAND_CHANGE_EDIT, .ids = &two, .ids_n = 1, .edit = &edit};

    assert_int_equal(errand_get(e, &one, &job, &err), 0);
    edit.data = &job->job.data;
    assert_int_equal(er_store_change(er_client_store(e), &params, arena, &result, &err),
                     0);
    assert_int_equal(result.changed[0], ERRAND_CHANGED);
    errand_detail_free(job);
    er_arena_free(arena);
    work_with(ring, 0);
    assert_job(one, ERRAND_COMPLETED, NULL);
    assert_job(two, ERRAND_FAILED, "was changed, or belongs to another job");
}

/* As SQL would, or another program that writes to the store. */
static struct errand_id forge(const char *name)
{
    struct errand_push_job job = {
        .name = name, .queue = "default", .tries = 3, .data = {DATA, strlen(DATA)}};
    const struct errand_push_params params = {.jobs = &job, .jobs_n = 1};
    struct errand_arena *arena = er_arena_new();
    struct errand_push_result pushed = {0};
    struct errand_id id;

    job.has_failed_hook = true;
    assert_int_equal(er_store_push(er_client_store(e), &params, arena, &pushed, &err), 0);
    id = pushed.jobs[0].id;
    er_arena_free(arena);
    return id;
}

TEST(data_that_is_not_encrypted_and_should_be_fails_for_good)
{
    struct errand_id secret = forge("secret"), lost = forge("lost"),
                     plain = forge("plain");

    work_with(ring, 0);
    assert_job(secret, ERRAND_FAILED,
               "the data of 'secret' is not encrypted, and its "
               "class says that it must be");
    assert_job(lost, ERRAND_FAILED, "is not encrypted");
    assert_int_equal(access(hook_file, F_OK), -1); /* nor does its hook get it */
    assert_job(plain, ERRAND_COMPLETED, NULL);
}

TEST(draining_refuses_data_that_is_not_encrypted_as_well)
{
    struct errand_id secret = forge("secret");

    assert_int_equal(errand_drain(e, NULL, NULL, &err), 0);
    assert_job(secret, ERRAND_FAILED, "the data of 'secret' is not encrypted");
}

TEST(chains_batches_and_their_callbacks_are_encrypted_as_well)
{
    const struct errand_dispatch_item links[] = {
        {.name = "secret", .data = {DATA, strlen(DATA)}},
        {.name = "plain",
         .data = {DATA, strlen(DATA)},
         .options = &(struct errand_options){.encrypted = true}}};
    const struct errand_dispatch_item done = {
        .name = "plain",
        .data = {DATA, strlen(DATA)},
        .options = &(struct errand_options){.encrypted = true}};
    const struct errand_batch_options own = {.id = {"batch-1"}, .on_success = &done};
    struct errand_id chain, batch;

    assert_true(errand_chain(e, links, 2, NULL, &chain, &err) >= 0);
    work_with(ring, 0);
    assert_true(errand_batch(e, links, 2, &own, &batch, &err) >= 0);
    assert_false(is_in_store(SECRET));
    work_with(ring, 0);
    assert_job((struct errand_id){"batch-1/1"}, ERRAND_COMPLETED, NULL);
    assert_job((struct errand_id){"batch-1/2"}, ERRAND_COMPLETED, NULL);
    assert_job((struct errand_id){"batch-1:success"}, ERRAND_COMPLETED, NULL);
}

TEST(a_unique_key_is_found_again_and_not_readable)
{
    struct errand_id one = dispatch("secret", DATA, NULL), two;

    assert_int_equal(errand_dispatch(e, "secret", DATA, NULL, &two, &err),
                     ERRAND_DUPLICATE);
    assert_string_equal(one.text, two.text);
    assert_false(is_in_store("secret:ann"));
    assert_int_equal(
        errand_dispatch(e, "secret", DATA,
                        &(struct errand_options){.unique = "k",
                                                 .unique_policy = ERRAND_UNIQUE_REPLACE},
                        &two, &err),
        ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "unique_policy replace would put its data under "
                                        "another job's id"));
}

/* Its dispatcher did not know the class: the worker asks the store for its key. */
TEST(a_key_that_the_worker_makes_late_is_not_readable_either)
{
    const struct er_sealed_for bound = {"secret", "default", "late-1"};
    struct errand_push_job job = {
        .name = "secret", .queue = "default", .id = {"late-1"}, .tries = 3};
    const struct errand_push_params params = {.jobs = &job, .jobs_n = 1};
    struct errand_push_result result = {0};
    struct errand_arena *arena = er_arena_new();
    struct er_key_ring *keys = NULL;

    assert_int_equal(er_key_ring_load(ring, &keys, &err), 0);
    assert_int_equal(er_seal(keys, &bound, (struct errand_slice){DATA, strlen(DATA)},
                             arena, &job.data, &err),
                     0);
    er_key_ring_free(keys);
    assert_int_equal(er_store_push(er_client_store(e), &params, arena, &result, &err), 0);
    er_arena_free(arena);
    work_with(ring, 0);
    assert_job(job.id, ERRAND_COMPLETED, NULL);
    assert_false(is_in_store("secret:ann"));
    assert_false(is_in_store(SECRET));
}

TEST(draining_in_a_test_opens_it_as_a_worker_does)
{
    struct errand_id id = dispatch("secret", DATA, NULL);

    if (errand_drain(e, NULL, NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_job(id, ERRAND_COMPLETED, NULL);
}

TEST(a_schedule_of_an_encrypted_job_may_hold_no_data_and_fires_encrypted)
{
    struct errand_schedule_spec spec = {.cron = "@daily", .job = "secret", .data = DATA};
    const struct errand_options options = {.encrypted = true};
    struct errand_job_detail *job;
    struct errand_id id;

    assert_int_equal(errand_schedule_put(e, "nightly", &spec, &err), ERRAND_EINVAL);
    assert_string_equal(err.message,
                        "schedule 'nightly': job 'secret' is encrypted, and a schedule "
                        "keeps its data in the clear: give it none");
    assert_false(is_in_store(SECRET));
    spec = (struct errand_schedule_spec){
        .cron = "@daily", .job = "plain", .options = &options};
    assert_int_equal(errand_schedule_put(e, "nightly", &spec, &err), 0);
    assert_int_equal(errand_schedule_trigger(e, "nightly", &id, &err), 0);
    assert_int_equal(errand_get(e, &id, &job, &err), 0);
    assert_true(er_sealed_is(job->job.data));
    errand_detail_free(job);
}

TEST(the_failed_hook_gets_the_data_too)
{
    struct errand_id id = dispatch("lost", DATA, NULL);
    char bytes[256] = "";
    int fd;

    work_with(ring, 0);
    assert_job(id, ERRAND_FAILED, "no luck");
    fd = open(hook_file, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, bytes, sizeof bytes - 1), strlen(DATA));
    close(fd);
    assert_string_equal(bytes, DATA);
}

TEST(a_worker_with_a_ring_that_others_may_read_does_not_start)
{
    const struct errand_config config = {.keys = ring};
    const struct errand_worker_options options = {.stop_when_empty = true,
                                                  .is_quiet = true};

    assert_int_equal(chmod(ring, 0644), 0);
    assert_int_equal(errand_worker_run(url, &config, &options, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "may be read by others"));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], ER_RUNNER_ARG) == 0)
        return er_runner_main(argc, argv);
    if (!er_keys_are_built())
        return 77; /* Meson: skipped */
    return er_test_main(argc, argv);
}
