/* notify_store.c: what is stored for a failure: one record a channel, however often it is
 * told, and one guard a group. */
#include "client/notify.h"

#include "base/buf.h"
#include "client_test.h"
#include "store/store.h"

#define FAR (INT64_C(1) << 45)
enum { EMAIL = 1 << ER_NOTIFY_EMAIL, SLACK = 1 << ER_NOTIFY_SLACK };

static struct er_failure failure(const char *id, const char *name, int64_t failed_ms)
{
    return (struct er_failure){.id = id,
                               .name = name,
                               .queue = "emails",
                               .attempts = 3,
                               .tries = 3,
                               .error = {"no \"luck\"\n", 10},
                               .failed_ms = failed_ms};
}

static void store_one(struct er_failure f, int channels)
{
    if (er_notify_store(er_client_store(e), channels, &f, 1, test_arena, &err) < 0)
        fail_msg("%s", err.message);
}

static int64_t count(enum errand_state state)
{
    struct errand_filter filter = {.states = 1u << state, .queue = ER_NOTIFY_QUEUE};
    int64_t n = -1;

    assert_int_equal(er_store_count(er_client_store(e), &filter, 0, &n, &err), 0);
    return n;
}

static struct errand_exchange_result ask(struct errand_exchange_params p)
{
    struct errand_exchange_result got = {0};

    p.worker = "w";
    p.lease_ms = 30000;
    if (er_store_exchange(er_client_store(e), &p, test_arena, &got, &err) < 0)
        fail_msg("%s", err.message);
    return got;
}

static struct errand_reserved guard_reserved(void)
{
    struct errand_exchange_result got = ask((struct errand_exchange_params){.max = 10});

    assert_int_equal(got.jobs_n, 1);
    assert_string_equal(got.jobs[0].name, ER_NOTIFY_JOB);
    return got.jobs[0];
}

static void guard_settle(struct errand_reserved job, enum errand_outcome_kind kind,
                         int64_t run_at_ms)
{
    struct errand_outcome o = {.token = job.token,
                               .key = job.key,
                               .id = job.id,
                               .kind = kind,
                               .run_at_ms = run_at_ms};
    struct errand_exchange_result got =
        ask((struct errand_exchange_params){.outcomes = &o, .outcomes_n = 1});

    assert_int_equal(got.settled[0], ERRAND_SETTLED);
}

static struct er_notice gathered(struct errand_reserved job)
{
    struct er_notice notice = {0};

    if (er_notify_gather(er_client_store(e),
                         &(struct er_gathering){&job.id, job.data, ER_NOTICE_RECORDS},
                         test_arena, &notice, &err) < 0)
        fail_msg("%s", err.message);
    return notice;
}

CLAIM(a_failure_is_one_record_and_one_guard_a_channel)
{
    store_one(failure("j1", "Send", 1000), EMAIL | SLACK);
    assert_int_equal(count(ERRAND_HELD), 2);
    assert_int_equal(count(ERRAND_READY), 2);
}

CLAIM(a_failure_that_is_told_again_changes_nothing)
{
    for (int i = 0; i < 3; i++)
        store_one(failure("j1", "Send", 1000), EMAIL);
    assert_int_equal(count(ERRAND_HELD), 1);
    assert_int_equal(count(ERRAND_READY), 1);
    store_one(failure("j1", "Send", 2000), EMAIL); /* retried by hand, failed again */
    assert_int_equal(count(ERRAND_HELD), 2);
    assert_int_equal(count(ERRAND_READY), 1);
}

CLAIM(failures_of_one_name_on_one_queue_share_a_guard)
{
    struct er_failure f[] = {failure("j1", "Send", 1000), failure("j2", "Send", 1001),
                             failure("j3", "Other", 1002), failure("j4", "Send", 1003)};

    f[3].queue = "else";
    assert_int_equal(er_notify_store(er_client_store(e), EMAIL, f, 4, test_arena, &err),
                     0);
    assert_int_equal(count(ERRAND_HELD), 4);
    assert_int_equal(count(ERRAND_READY), 3);
}

CLAIM(a_guard_gathers_what_waits_for_it)
{
    struct er_notice notice;

    store_one(failure("j1", "Send", 1000), EMAIL);
    store_one(failure("j2", "Send", 5000), EMAIL);
    notice = gathered(guard_reserved());
    assert_int_equal(notice.channel, ER_NOTIFY_EMAIL);
    assert_string_equal(notice.name, "Send");
    assert_string_equal(notice.queue, "emails");
    assert_int_equal(notice.total, 2);
    assert_int_equal(notice.failures_n, 2);
    assert_int_equal(notice.since_ms, 1000);
    assert_int_equal(notice.until_ms, 5000);
    assert_string_equal(notice.failures[0].id, "j1");
    assert_string_equal(notice.failures[0].error.ptr, "no \"luck\"\n");
    assert_int_equal(notice.failures[0].attempts, 3);
    assert_string_equal(notice.id, notice.records[0].text);
}

CLAIM(what_fails_while_the_guard_sleeps_waits_for_its_next_message)
{
    struct errand_reserved guard;
    struct er_notice notice;

    store_one(failure("j1", "Send", 1000), EMAIL);
    guard = guard_reserved();
    notice = gathered(guard);
    assert_int_equal(er_notify_told(er_client_store(e), &notice, FAR, test_arena, &err),
                     0);
    assert_int_equal(count(ERRAND_HELD), 0);
    guard_settle(guard, ERRAND_OUT_SNOOZE, FAR);
    for (int i = 0; i < 3; i++)
        store_one(failure("j2", "Send", 2000 + i), EMAIL);
    assert_int_equal(count(ERRAND_HELD), 3);
    assert_int_equal(count(ERRAND_SCHEDULED), 2); /* the guard, and a sweeper */
    assert_int_equal(count(ERRAND_READY), 0);
}

CLAIM(when_nothing_waits_there_is_nothing_to_tell)
{
    struct errand_reserved guard;
    struct er_notice notice;

    store_one(failure("j1", "Send", 1000), EMAIL);
    guard = guard_reserved();
    notice = gathered(guard);
    er_notify_told(er_client_store(e), &notice, FAR, test_arena, &err);
    assert_int_equal(gathered(guard).total, 0);
    guard_settle(guard, ERRAND_OUT_DONE, 0);
    store_one(failure("j2", "Send", 2000), EMAIL); /* a new guard, at once */
    assert_int_equal(gathered(guard_reserved()).total, 1);
}

CLAIM(a_record_whose_guard_has_just_ended_delivers_itself)
{
    struct errand_reserved guard, record;
    struct er_notice notice;

    store_one(failure("j1", "Send", 1000), EMAIL);
    guard = guard_reserved();
    guard_settle(guard, ERRAND_OUT_DONE, 0); /* it had looked before the record came */
    record = guard_reserved();
    notice = gathered(record);
    assert_int_equal(notice.total, 1);
    assert_int_equal(notice.records_n, 0);
    assert_string_equal(notice.failures[0].id, "j1");
    assert_string_equal(notice.id, record.id.text);
}

CLAIM(a_guard_that_fails_keeps_its_records_for_the_operators_retry)
{
    struct errand_change_params p = {.kind = ERRAND_CHANGE_RETRY, .ids_n = 1};
    struct errand_change_result got = {0};
    struct errand_reserved guard;

    store_one(failure("j1", "Send", 1000), EMAIL);
    guard = guard_reserved();
    guard_settle(guard, ERRAND_OUT_FAIL, 0);
    assert_int_equal(count(ERRAND_CANCELLED), 1);
    p.ids = &guard.id;
    assert_int_equal(er_store_change(er_client_store(e), &p, test_arena, &got, &err), 0);
    assert_int_equal(gathered(guard_reserved()).total, 1);
}

CLAIM(a_storm_is_told_by_number_and_its_first_failures)
{
    struct er_failure f[1000];
    struct er_notice notice;
    char ids[1000][8];

    for (int i = 0; i < 1000; i++) {
        snprintf(ids[i], sizeof ids[i], "j%d", i);
        f[i] = failure(ids[i], "Send", 1000 + i);
    }
    for (int i = 0; i < 1000; i += 100)
        assert_int_equal(
            er_notify_store(er_client_store(e), EMAIL, f + i, 100, test_arena, &err), 0);
    notice = gathered(guard_reserved());
    assert_int_equal(notice.total, 1000);
    assert_int_equal(notice.records_n, 1000);
    assert_int_equal(notice.failures_n, ER_NOTICE_FAILURES);
    assert_string_equal(notice.failures[9].id, "j9");
    assert_int_equal(notice.since_ms, 1000);
    assert_int_equal(notice.until_ms, 1999);
    assert_int_equal(er_notify_told(er_client_store(e), &notice, FAR, test_arena, &err),
                     0);
    assert_int_equal(count(ERRAND_HELD), 0);
}

CLAIM(data_that_is_none_of_ours_is_refused)
{
    static const char unknown[] =
        "{\"channel\":\"pager\",\"name\":\"a\",\"queue\":\"b\"}";
    static const char *const bad[] = {"null", "{}", "[1]", "{\"channel\":\"email\"}",
                                      unknown};
    struct errand_id id = dispatched("x", "1", NULL);
    struct er_notice notice;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(
            er_notify_gather(
                er_client_store(e),
                &(struct er_gathering){&id, {bad[i], strlen(bad[i])}, ER_NOTICE_RECORDS},
                test_arena, &notice, &err),
            ERRAND_EJSON);
}

CLAIM(the_delivering_process_learns_all_it_needs_and_no_more)
{
    static const char *const to[] = {"a@example.com", "b@example.com", NULL};
    static const char *const allow[] = {"10.0.0.0/8", NULL};
    static const int ports[] = {8443, 0};
    const struct errand_notify n = {.email = {.to = to,
                                              .host = "h",
                                              .port = 25,
                                              .user = "u",
                                              .password = "hun\"ter2"},
                                    .slack = {.webhook = "https://slack"},
                                    .webhook = {.url = "https://hook", .secret = "whsec"},
                                    .allow = allow,
                                    .ports = ports};
    struct errand_notify back;
    struct er_notice notice, took;
    struct er_buf buf;

    store_one(failure("j1", "Send", 1000), EMAIL);
    notice = gathered(guard_reserved());
    notice.host = "here";
    er_buf_init(&buf, 1 << 20);
    assert_int_equal(er_notify_pass(&n, &notice, &buf), 0);
    assert_null(strstr(buf.ptr, "slack\""));
    assert_null(strstr(buf.ptr, "whsec"));
    if (er_notify_take((struct errand_slice){buf.ptr, buf.len}, test_arena, &back, &took,
                       &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(back.email.to[1], "b@example.com");
    assert_null(back.email.to[2]);
    assert_string_equal(back.email.password, "hun\"ter2");
    assert_null(back.email.from);
    assert_int_equal(back.email.port, 25);
    assert_string_equal(back.allow[0], "10.0.0.0/8");
    assert_int_equal(back.ports[0], 8443);
    assert_string_equal(took.id, notice.id);
    assert_string_equal(took.host, "here");
    assert_int_equal(took.total, 1);
    assert_false(took.is_test);
    assert_string_equal(took.failures[0].error.ptr, "no \"luck\"\n");
    er_buf_done(&buf);
}

CLAIM(a_failure_that_was_told_is_known_when_it_is_stored_again)
{
    struct errand_reserved guard;
    struct er_notice notice;

    store_one(failure("j1", "Send", 1000), EMAIL);
    guard = guard_reserved();
    notice = gathered(guard);
    er_notify_told(er_client_store(e), &notice, 0, test_arena, &err);
    store_one(failure("j1", "Send", 1000), EMAIL);
    assert_int_equal(count(ERRAND_CANCELLED), 1);
    assert_int_equal(gathered(guard).total, 0);
    notice = gathered(guard_reserved()); /* the sweeper */
    assert_int_equal(notice.total, 0);
    assert_int_equal(notice.swept_n, 1);
    assert_int_equal(er_notify_sweep(er_client_store(e), &notice, test_arena, &err), 0);
    assert_int_equal(count(ERRAND_CANCELLED), 0);
}

TEST_MAIN()
