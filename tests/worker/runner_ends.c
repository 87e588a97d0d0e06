/* runner_ends.c: how a runner and its jobs end: crashes, exits, closed sockets, stopping.
 */
#include "worker/handlers.h"
#include "worker/place.h"

TEST(a_crash_leaves_the_mark_on_the_job_and_its_last_words)
{
    char words[64] = "";
    int status;

    drive_hello(&d);
    drive_add(&d, 5, "Noop", "{}");
    drive_add(&d, 6, "Act", "{\"do\":\"words-and-abort\"}");
    drive_add(&d, 7, "Noop", "{}");
    drive_send(&d);
    status = drive_wait(&d);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_int_equal(atomic_load(&d.shared->running), 7);
    assert_int_equal(atomic_load(&d.shared->marks[5]), ER_MARK_DONE);
    assert_int_equal(atomic_load(&d.shared->marks[6]), ER_MARK_RUNNING);
    assert_int_equal(atomic_load(&d.shared->marks[7]), ER_MARK_GIVEN);
    assert_true(pread(d.log, words, sizeof words - 1, 0) > 0);
    assert_string_equal(words, "last words\n");
    assert_int_equal(drive_done(&d).slot, 5); /* told before the other began */
    drive_release(&d);
}

TEST(exit_in_a_handler_tells_what_was_done_before)
{
    int status;

    drive_hello(&d);
    run("Act", "{}"); /* now it is known to be quick, and DONE frames may wait */
    drive_add(&d, 1, "Act", "{}");
    drive_add(&d, 2, "Act", "{\"do\":\"exit\",\"n\":0}");
    drive_send(&d);
    assert_int_equal(drive_done(&d).slot, 1);
    status = drive_wait(&d);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(atomic_load(&d.shared->running), 3);
    drive_release(&d);
}

/* The class is known to be quick, so the first outcome waits when the second begins; it
 * must arrive while the second is still running. */
TEST(an_outcome_does_not_wait_behind_a_slow_job)
{
    drive_hello(&d);
    for (int i = 0; i < 20; i++)
        run("Act", "{}");
    drive_add(&d, 1, "Act", "{}");
    drive_add(&d, 2, "Act", "{\"do\":\"wait-to-stop\"}");
    drive_send(&d);
    assert_int_equal(drive_done(&d).slot, 1);
    assert_int_equal(atomic_load(&d.shared->marks[2]), ER_MARK_RUNNING);
    atomic_store(&d.shared->cancel, 3);
    assert_int_equal(drive_done(&d).slot, 2);
    drive_stop(&d);
}

TEST(stopping_is_seen_by_the_running_job)
{
    drive_hello(&d);
    drive_give(&d, 0, "Act", "{\"do\":\"wait-to-stop\"}");
    atomic_store(&d.shared->stopping, 1);
    assert_int_equal(drive_done(&d).verdict, ERRAND_DONE);
    drive_stop(&d);
}

TEST(a_handler_finds_its_socket_and_nothing_else)
{
    drive_hello(&d);
    assert_text(run("Descriptors", "{}").result, "[0,1,2,3]");
    drive_stop(&d);
}

TEST(a_forked_child_that_returns_does_not_become_a_second_runner)
{
    drive_hello(&d);
    drive_give(&d, 0, "Act", "{\"do\":\"fork-and-return\"}");
    assert_has(drive_log(&d), "end it with _exit()");
    assert_int_equal(drive_done(&d).verdict, ERRAND_DONE);
    assert_int_equal(run("EchoBack", "1").verdict, ERRAND_DONE);
    drive_stop(&d);
}

TEST(a_runner_whose_socket_was_closed_by_a_handler_ends)
{
    int status;

    drive_hello(&d);
    drive_give(&d, 0, "Act", "{\"do\":\"close-socket\"}");
    status = drive_wait(&d);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    drive_release(&d);
}

TEST(end_of_file_ends_it)
{
    int status;

    drive_hello(&d);
    shutdown(d.socket, SHUT_WR);
    status = drive_wait(&d);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    drive_release(&d);
}

TEST(a_broken_frame_ends_it_with_a_reason)
{
    struct er_frame frame;

    drive_hello(&d);
    er_buf_add(&d.out, "\xff\xff\xff\xff", 4);
    drive_send(&d);
    assert_true(drive_frame_in(&d, &frame, DRIVE_WAIT_MS));
    assert_int_equal(frame.type, ER_FRAME_FATAL);
    assert_int_not_equal(WEXITSTATUS(drive_wait(&d)), 0);
    drive_release(&d);
}

TEST(without_shared_memory_it_says_started)
{
    struct errand_slice none;
    struct er_frame frame;
    uint32_t slot;

    drive_stop(&d);
    drive_start(&d, NULL, false);
    drive_hello(&d);
    drive_give(&d, 4, "Noop", "{}");
    frame = drive_frame(&d, ER_FRAME_STARTED);
    assert_int_equal(er_frame_read_slot(&frame, &slot, &none), 0);
    assert_int_equal(slot, 4);
    assert_int_equal(drive_done(&d).slot, 4);
    drive_stop(&d);
}

TEST(a_runner_started_by_hand_says_what_it_is)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)ER_RUNNER_ARG, NULL};
    char text[256];

    drive_stop(&d);
    assert_int_equal(place_output(argv, text, sizeof text), 2);
    assert_has(text, "run queue:work");
}
