/* runner.c: what a runner does with jobs: a real one, driven over its socket. */
#include "worker/handlers.h"

/* Two classes of one key: the second is reported, the first runs. */
ERRAND_JOB(TwiceHere, .handle = noop)
ERRAND_JOB(twice_here, .handle = noop)
ERRAND_JOB(BadTries, .handle = noop, .tries = -7)

/* ------------------------------------------------------------------ claims */

TEST(hello_tells_classes_options_and_what_is_wrong_with_some)
{
    const char *about = drive_hello(&d);

    assert_has(about, "{\"language\":\"c\",\"jobs\":[{\"name\":\"Noop\"");
    assert_has(about, "\"queue\":\"tiny\"");
    assert_has(about, "\"tries\":5");
    assert_has(about, "job 'twice_here' is also 'TwiceHere'");
    assert_has(about, "job 'BadTries'");
    drive_stop(&d);
}

TEST(a_job_gets_what_was_sent_and_its_result_comes_back)
{
    struct er_frame_done done;

    drive_hello(&d);
    done = run("EchoBack", "{\"a\":[1,2]}");
    assert_int_equal(done.verdict, ERRAND_DONE);
    assert_text(done.result, "[\"job-id\",\"EchoBack\",\"default\",1,3,{\"a\":[1,2]}]");
    assert_int_equal(done.error.len, 0);
    assert_int_equal(done.error.len, 0);
    drive_stop(&d);
}

/* What a supervisor may believe when a runner is gone: see enum er_mark. */
TEST(a_plain_success_is_marked_done_and_all_else_told)
{
    drive_hello(&d);
    drive_add(&d, 1, "Noop", "{}");
    drive_add(&d, 2, "EchoBack", "1");
    drive_add(&d, 3, "Act", "{\"do\":\"print\"}");
    drive_add(&d, 4, "Act", "{\"do\":\"retry\"}");
    drive_add(&d, 5, "Noop", "{}");
    drive_send(&d);
    drive_stop_and_wait(&d);
    assert_int_equal(atomic_load(&d.shared->marks[1]), ER_MARK_DONE);
    assert_int_equal(atomic_load(&d.shared->marks[2]), ER_MARK_TOLD);
    assert_int_equal(atomic_load(&d.shared->marks[3]), ER_MARK_TOLD);
    assert_int_equal(atomic_load(&d.shared->marks[4]), ER_MARK_TOLD);
    assert_int_equal(atomic_load(&d.shared->marks[5]), ER_MARK_DONE);
    assert_int_equal(atomic_load(&d.shared->running), 0);
    drive_release(&d);
}

TEST(names_match_without_case_and_separators)
{
    drive_hello(&d);
    assert_text(run("echo-back", "1").result,
                "[\"job-id\",\"echo-back\",\"default\",1,3,1]");
    assert_text(run("echo_back", "2").result,
                "[\"job-id\",\"echo_back\",\"default\",1,3,2]");
    drive_stop(&d);
}

TEST(an_unknown_job_is_an_error_that_names_it)
{
    struct er_frame_done done;

    drive_hello(&d);
    done = run("no-such-job", "{}");
    assert_int_equal(done.verdict, ERRAND_RETRY);
    assert_text(done.error, "this program has no job 'no-such-job'");
    assert_int_equal(run("Noop", "{}").verdict, ERRAND_DONE);
    drive_stop(&d);
}

TEST(values_of_the_data_are_read_by_path_and_type)
{
    static const char *const good[][2] = {
        {"{\"what\":\"int\",\"v\":-9223372036854775808}", "-9223372036854775808"},
        {"{\"what\":\"int\",\"v\":1e3}", "1000"},
        {"{\"what\":\"double\",\"v\":1.5}", "1.5"},
        {"{\"what\":\"bool\",\"v\":true}", "yes"},
        {"{\"what\":\"bool\",\"v\":false}", "no"},
        {"{\"what\":\"text\",\"v\":\"a\\u00e9\\n\"}", "aé\n"},
        {"{\"what\":\"has\",\"v\":null}", "yes"},
        {"{\"what\":\"has\"}", "no"},
    };

    drive_hello(&d);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        drive_give(&d, 0, "Values", good[i][0]);
        assert_string_equal(drive_log(&d), good[i][1]);
        assert_int_equal(drive_done(&d).verdict, ERRAND_DONE);
    }
    drive_stop(&d);
}

TEST(a_value_of_another_type_is_an_error_that_names_path_and_type)
{
    static const char *const bad[][2] = {
        {"{\"what\":\"int\"}", "data of 'Values' has no 'v'"},
        {"{\"what\":\"int\",\"v\":\"1\"}", "data of 'Values': 'v' is string, not number"},
        {"{\"what\":\"int\",\"v\":1.5}",
         "data of 'Values': 'v' is 1.5, not a whole number of 64 bits"},
        {"{\"what\":\"int\",\"v\":9223372036854775808}",
         "data of 'Values': 'v' is 9223372036854775808, not a whole number of 64 bits"},
        {"{\"what\":\"double\",\"v\":1e999}",
         "data of 'Values': 'v' is out of range, not a number that a double can hold"},
    };

    drive_hello(&d);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct er_frame_done done = run("Values", bad[i][0]);

        assert_int_equal(done.verdict, ERRAND_FAIL);
        assert_text(done.error, bad[i][1]);
    }
    assert_int_equal(run("Values", "{\"what\"").verdict, ERRAND_FAIL);
    drive_stop(&d);
}

TEST(every_verdict_comes_back_with_its_reason)
{
    struct er_frame_done done;

    drive_hello(&d);
    done = run("Act", "{\"do\":\"retry\",\"n\":5}");
    assert_int_equal(done.verdict, ERRAND_RETRY);
    assert_text(done.error, "try 5 later");
    done = run("Act", "{\"do\":\"fail-silently\"}");
    assert_int_equal(done.verdict, ERRAND_FAIL);
    assert_text(done.error, "the handler returned ERRAND_FAIL and gave no reason");
    done = run("Act", "{\"do\":\"nonsense\"}");
    assert_int_equal(done.verdict, ERRAND_RETRY);
    assert_text(done.error, "the handler returned 99, which is no verdict");
    done = run("Act", "{\"do\":\"snooze\"}");
    assert_int_equal(done.verdict, ERRAND_SNOOZE);
    assert_int_equal(done.snooze_ms, 1500);
    done = run("Act", "{\"do\":\"snooze-blindly\"}");
    assert_int_equal(done.verdict, ERRAND_RETRY);
    done = run("Act", "{\"do\":\"bad-result\"}");
    assert_int_equal(done.verdict, ERRAND_FAIL);
    assert_int_equal(done.result.len, 0);
    drive_stop(&d);
}

TEST(sixty_four_handed_ahead_all_end_in_order)
{
    drive_hello(&d);
    for (int round = 0; round < 20; round++) {
        for (uint32_t slot = 0; slot < 64; slot++)
            drive_add(&d, slot, "Noop", "{}");
        drive_send(&d);
        for (uint32_t slot = 0; slot < 64; slot++)
            assert_int_equal(drive_done(&d).slot, slot);
    }
    drive_stop(&d);
}

/* Both sides go for the same marks; each job must end on exactly one of them. */
TEST(a_recalled_job_is_run_by_exactly_one_side)
{
    size_t recalled_n = 0, done_n = 0;

    drive_hello(&d);
    for (int round = 0; round < 50; round++) {
        bool recalled[200] = {false}, done[200] = {false};
        size_t open = 200;

        for (uint32_t slot = 0; slot < 200; slot++)
            drive_add(&d, slot, "Noop", "{}");
        drive_send(&d);
        for (uint32_t slot = 199; slot > 0; slot--) {
            uint32_t given = ER_MARK_GIVEN;
            recalled[slot] = atomic_compare_exchange_strong(&d.shared->marks[slot],
                                                            &given, ER_MARK_RECALLED);
            open -= recalled[slot];
            recalled_n += recalled[slot];
        }
        for (; open > 0; open--, done_n++) {
            uint32_t slot = drive_done(&d).slot;

            assert_false(done[slot]);
            assert_false(recalled[slot]);
            done[slot] = true;
        }
        /* Skipped in silence: whatever comes next is the answer to the next job. */
        drive_give(&d, 300, "Noop", "{}");
        assert_int_equal(drive_done(&d).slot, 300);
    }
    assert_true(done_n > 0);
    assert_int_equal(recalled_n + done_n, 50 * 200);
    drive_stop(&d);
}

TEST(output_becomes_the_log_of_its_own_job)
{
    drive_hello(&d);
    drive_add(&d, 0, "Act", "{\"do\":\"print\"}");
    drive_add(&d, 1, "Noop", "{}");
    drive_add(&d, 2, "Act", "{\"do\":\"log\",\"n\":2}");
    drive_send(&d);
    assert_string_equal(drive_log(&d), "out err end\n");
    assert_int_equal(drive_done(&d).slot, 0);
    assert_int_equal(drive_done(&d).slot, 1);
    assert_string_equal(drive_log(&d), "line 2\n");
    assert_int_equal(drive_done(&d).slot, 2);
    drive_stop(&d);
}

TEST(a_flood_of_output_keeps_its_beginning_and_its_end)
{
    const char *log;

    drive_hello(&d);
    drive_give(&d, 0, "Act", "{\"do\":\"flood\",\"n\":100000}");
    log = drive_log(&d);
    assert_true(strlen(log) > 64000 && strlen(log) < 66000);
    assert_memory_equal(log, "line 0000000\n", 13);
    assert_has(log, "1234464 bytes left out");
    assert_string_equal(log + strlen(log) - 13, "line 0099999\n");
    drive_done(&d);
    assert_int_equal(lseek(d.log, 0, SEEK_END), 0);
    drive_stop(&d);
}

TEST(progress_is_told_at_once_then_seldom_and_the_last_is_not_lost)
{
    struct er_frame frame;
    struct er_frame_progress progress;
    int n = 0;

    drive_hello(&d);
    drive_give(&d, 9, "Act", "{\"do\":\"progress\"}");
    while ((assert_true(drive_frame_in(&d, &frame, DRIVE_WAIT_MS)), 1) &&
           frame.type == ER_FRAME_PROGRESS) {
        assert_int_equal(er_frame_read_progress(&frame, &progress), 0);
        assert_int_equal(progress.slot, 9);
        if (n++ == 0)
            assert_int_equal(progress.percent, 0);
    }
    assert_int_equal(frame.type, ER_FRAME_DONE);
    assert_int_equal(progress.percent, 100);
    assert_true(n >= 2 && n < 50);
    drive_stop(&d);
}

static void give_hook(enum er_run_kind kind, const char *error)
{
    atomic_store(&d.shared->marks[0], ER_MARK_GIVEN);
    er_frame_write_job(&d.out, &(struct er_frame_job){
                                   .kind = (uint8_t)kind,
                                   .attempt = 2,
                                   .tries = 3,
                                   .id = drive_text("job-id"),
                                   .name = drive_text("act"),
                                   .queue = drive_text("default"),
                                   .data = drive_text("{}"),
                                   .error = drive_text(error),
                               });
    drive_send(&d);
}

TEST(hooks_run_by_kind)
{
    drive_hello(&d);
    give_hook(ER_RUN_FAILED_HOOK, "disk is full");
    assert_string_equal(drive_log(&d), "failed hook of job-id: disk is full\n");
    assert_int_equal(drive_done(&d).verdict, ERRAND_DONE);
    give_hook(ER_RUN_TIMED_OUT_HOOK, "");
    assert_string_equal(drive_log(&d), "timed out hook of attempt 2\n");
    assert_int_equal(drive_done(&d).verdict, ERRAND_DONE);
    drive_stop(&d);
}

TEST(a_kind_that_it_does_not_know_is_an_error)
{
    drive_hello(&d);
    give_hook((enum er_run_kind)9, "");
    assert_text(drive_done(&d).error, "this program cannot run 'act' as kind 9");
    drive_stop(&d);
}

TEST(cpu_time_is_told_of_attempts_that_took_long)
{
    struct er_frame_done done;

    drive_hello(&d);
    assert_int_equal(run("Noop", "{}").cpu_us, 0);
    done = run("Act", "{\"do\":\"burn\",\"n\":30}");
    assert_true(done.cpu_us >= 28000 && done.cpu_us < 40000);
    done = run("Act", "{\"do\":\"sleep\",\"n\":30}");
    assert_true(done.cpu_us < 10000);
    drive_stop(&d);
}

TEST(a_job_of_sixteen_megabytes_arrives_whole)
{
    size_t len = 16 << 20;
    char *data = malloc(len + 1);
    struct er_frame_done done;

    memset(data, ' ', len);
    data[len] = '\0';
    memcpy(data, "{\"do\":\"retry\",\"n\":", 18);
    memcpy(data + len - 3, "42}", 3);
    drive_hello(&d);
    done = run("Act", data);
    assert_text(done.error, "try 42 later");
    free(data);
    drive_stop(&d);
}
