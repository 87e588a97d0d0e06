/* report.c, warn.c: what goes wrong again and again keeps nothing else from being told.
 */
#include "support/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "worker/settle.h"
#include "worker/supervisor.h"

enum { SECOND = 1000, MINUTE = 60000 };

static struct er_supervisor s;
static int log_fd, stderr_fd;
static char log_text[65536];

static int setup(void **state)
{
    (void)state;
    s = (struct er_supervisor){.now_ms = MINUTE};
    log_fd = memfd_create("log", MFD_CLOEXEC);
    stderr_fd = dup(STDERR_FILENO);
    return dup2(log_fd, STDERR_FILENO) < 0;
}

static int teardown(void **state)
{
    (void)state;
    dup2(stderr_fd, STDERR_FILENO);
    close(stderr_fd);
    return close(log_fd);
}

TEST_FIXTURE(setup, teardown)

/* How often it has been printed, of all that has. */
static int said_n(const char *what)
{
    ssize_t len = pread(log_fd, log_text, sizeof log_text - 1, 0);
    int n = 0;

    assert_true(len >= 0);
    log_text[len] = '\0';
    for (const char *at = log_text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

static void store_fails(int code, const char *message)
{
    struct errand_error err = {.code = code};

    snprintf(err.message, sizeof err.message, "%s", message);
    er_settle_store_failed(&s, &err);
}

TEST(what_repeats_itself_mutes_nothing_else)
{
    for (int i = 0; i < 1000; i++)
        er_report_warn(&s, "hook %d", i);
    er_report_warn(&s, "lost %d", 1);
    assert_int_equal(said_n("hook "), 10);
    assert_int_equal(said_n("lost 1"), 1);
}

TEST(what_was_muted_is_told_when_its_minute_is_over)
{
    for (int i = 0; i < 1000; i++)
        er_report_warn(&s, "hook %d", i);
    s.now_ms += MINUTE - 1;
    er_report_warn_turn(&s);
    assert_int_equal(said_n("more like it"), 0);
    s.now_ms++;
    er_report_warn_turn(&s);
    er_report_warn_turn(&s);
    assert_int_equal(said_n("and 990 more like it, the last: hook 999"), 1);
    assert_int_equal(said_n("more like it"), 1);
}

TEST(what_was_muted_is_told_before_the_end)
{
    for (int i = 0; i < 12; i++)
        er_report_warn(&s, "hook %d", i);
    er_report_flush(&s);
    assert_int_equal(said_n("and 2 more like it, the last: hook 11"), 1);
}

TEST(more_kinds_than_there_is_room_for_are_told_too)
{
    for (int i = 0; i < 2 * ER_REPORT_KINDS; i++)
        for (int k = 0; k < 20; k++)
            er_report_warn_of(&s, i, "kind");
    assert_in_range(said_n("kind\n"), 10 * ER_REPORT_KINDS, 20 * ER_REPORT_KINDS);
}

TEST(a_store_that_is_away_is_told_once_and_when_it_is_back)
{
    for (int i = 0; i < 20; i++, s.now_ms += SECOND)
        store_fails(ERRAND_EUNAVAILABLE, "connection refused");
    er_settle_store_answered(&s);
    er_settle_store_answered(&s);
    assert_int_equal(said_n("connection refused"), 1);
    assert_int_equal(said_n("it answers again, after 20 failures and 20.0 s"), 1);
    assert_int_equal(said_n("\n"), 2);
}

TEST(a_store_that_stays_away_is_told_once_a_minute)
{
    for (int i = 0; i < 200; i++, s.now_ms += SECOND)
        store_fails(ERRAND_EUNAVAILABLE, "connection refused");
    assert_int_equal(said_n("connection refused"), 4);
    assert_int_equal(said_n("still, after 61 failures: connection refused"), 1);
}

TEST(what_goes_wrong_next_is_told_as_well)
{
    store_fails(ERRAND_EUNAVAILABLE, "connection refused");
    store_fails(ERRAND_EFULL, "disk is full");
    assert_int_equal(said_n("connection refused"), 1);
    assert_int_equal(said_n("disk is full"), 1);
}

TEST(every_short_failure_has_its_end)
{
    for (int i = 0; i < 100; i++) {
        store_fails(ERRAND_EUNAVAILABLE, "connection refused");
        er_settle_store_answered(&s);
    }
    assert_int_equal(said_n("connection refused"), 10);
    assert_int_equal(said_n("answers again"), 10);
}

TEST(a_long_failure_after_many_short_ones_is_told)
{
    for (int i = 0; i < 100; i++) {
        store_fails(ERRAND_EUNAVAILABLE, "connection refused");
        er_settle_store_answered(&s);
    }
    for (int i = 0; i < 70; i++, s.now_ms += SECOND)
        store_fails(ERRAND_EUNAVAILABLE, "no route to host");
    er_settle_store_answered(&s);
    assert_true(said_n("Z store: no route to host") == 1);
    assert_int_equal(said_n("after 70 failures"), 1);
}

TEST_MAIN()
