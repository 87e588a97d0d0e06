/* listen.c: who listens hears what happens, in order and once, and holds nobody up. */
#include "client/client_test.h"

#include <semaphore.h>
#include <sys/wait.h>

#include "errand/events.h"

/* What a listener has heard: "dispatched started …", and how often it was called. */
struct heard {
    char text[4096];
    size_t len, n, missed_n;
    int64_t last_seq;
    bool is_in_order;
    sem_t *hold;    /* not NULL: waits here at the first call, */
    sem_t *arrived; /* and says so here */
    errand_listener **own;
    size_t ends_after;
};

static void hear(const struct errand_event *event, void *ctx)
{
    struct heard *h = ctx;

    if (h->hold && h->n == 0) {
        if (h->arrived)
            sem_post(h->arrived);
        sem_wait(h->hold);
    }
    if (strcmp(event->type, "events:missed") == 0)
        h->missed_n++;
    else
        h->is_in_order = (h->n == 0 || h->is_in_order) && event->seq > h->last_seq;
    h->n++;
    h->last_seq = event->seq;
    if (h->len < sizeof h->text - 64)
        h->len += (size_t)snprintf(h->text + h->len, sizeof h->text - h->len, "%s%s",
                                   h->len ? " " : "", strchr(event->type, ':') + 1);
    if (h->ends_after && h->n == h->ends_after)
        errand_off(*h->own);
}

static errand_listener *on(const char *type, struct heard *h)
{
    errand_listener *listener = errand_on(e, type, hear, h, &err);

    if (!listener)
        fail_msg("%s", err.message);
    return listener;
}

CLAIM(what_had_happened_before_the_end_has_been_heard)
{
    struct heard h = {0};
    errand_listener *listener = on(NULL, &h);

    dispatched("a", NULL, NULL);
    dispatched("b", NULL, NULL);
    errand_off(listener);
    assert_string_equal(h.text, "dispatched dispatched");
    dispatched("c", NULL, NULL);
    assert_int_equal(h.n, 2);
}

CLAIM(only_what_was_asked_for_is_heard)
{
    struct heard failed = {0}, all = {0};
    errand_listener *one = on("failed", &failed), *two = on(NULL, &all);
    struct errand_id id = dispatched("a", NULL, NULL);
    errand *other = open_again();

    assert_int_equal(er_store_queue_pause(er_client_store(other), "mail", 0, 0, &err), 0);
    assert_true(id.text[0]);
    errand_close(other);
    errand_off(one);
    errand_off(two);
    assert_int_equal(failed.n, 0);
    assert_string_equal(all.text, "dispatched resumed");
}

CLAIM(what_happened_before_is_not_heard)
{
    struct heard first = {0}, h = {0};
    errand_listener *before = on(NULL, &first), *listener;

    dispatched("a", NULL, NULL);
    listener = on(NULL, &h);
    dispatched("b", NULL, NULL);
    errand_off(before);
    errand_off(listener);
    assert_int_equal(first.n, 2);
    assert_int_equal(h.n, 1);
}

CLAIM(a_listener_that_stands_still_holds_nobody_up)
{
    struct heard slow = {0}, h = {0};
    errand_listener *one, *two;
    sem_t hold;

    assert_int_equal(sem_init(&hold, 0, 0), 0);
    slow.hold = &hold;
    one = on(NULL, &slow);
    two = on(NULL, &h);
    for (int i = 0; i < 100; i++) {
        dispatched("a", NULL, NULL);
        assert_true(work_one(e, ERRAND_OUT_DONE));
    }
    errand_off(two);
    assert_int_equal(h.n, 100);
    assert_int_equal(slow.n, 0);
    assert_int_equal(sem_post(&hold), 0);
    errand_off(one);
    assert_int_equal(slow.n, 100);
    assert_true(slow.is_in_order);
    sem_destroy(&hold);
}

/* 12,000 events into a ring of 10,000. */
static void overrun(void)
{
    struct errand_event events[500];

    for (size_t i = 0; i < 500; i++)
        events[i] = (struct errand_event){.type = "job:started",
                                          .name = "a",
                                          .queue = "b",
                                          .duration_ms = -1,
                                          .delay_ms = -1};
    for (int i = 0; i < 24; i++)
        assert_int_equal(er_store_events_add(er_client_store(e), events, 500, 0, &err),
                         0);
}

CLAIM(a_listener_that_is_overrun_is_told_so_once)
{
    struct heard h = {0}, quiet = {0};
    errand_listener *listener, *other;
    sem_t hold, arrived;

    assert_int_equal(sem_init(&hold, 0, 0), 0);
    assert_int_equal(sem_init(&arrived, 0, 0), 0);
    h.hold = quiet.hold = &hold;
    h.arrived = quiet.arrived = &arrived;
    listener = on(NULL, &h);
    other = on("dispatched", &quiet);
    dispatched("a", NULL, NULL);
    sem_wait(&arrived);
    sem_wait(&arrived);
    overrun();
    assert_int_equal(sem_post(&hold), 0);
    assert_int_equal(sem_post(&hold), 0);
    errand_off(listener);
    errand_off(other);
    assert_int_equal(h.missed_n, 1);
    assert_true(h.n > 9000 && h.n < 12000);
    assert_true(h.is_in_order);
    assert_string_equal(quiet.text, "dispatched"); /* it has not asked for it */
    sem_destroy(&hold);
    sem_destroy(&arrived);
}

CLAIM(a_listener_may_end_itself)
{
    errand_listener *listener = NULL;
    struct heard h = {.own = &listener, .ends_after = 2}, witness = {0};
    errand_listener *other = on(NULL, &witness);

    listener = on(NULL, &h);
    for (int i = 0; i < 5; i++)
        dispatched("a", NULL, NULL);
    errand_off(other);
    for (int i = 0; i < 1000 && h.n < 2; i++)
        usleep(1000);
    assert_int_equal(h.n, 2);
    usleep(20000); /* its thread lets go of what it holds */
}

CLAIM(a_listener_outlives_the_handle_it_was_made_with)
{
    struct heard h = {0};
    errand *other = open_again();
    errand_listener *listener = errand_on(other, NULL, hear, &h, &err);

    errand_close(other);
    dispatched("a", NULL, NULL);
    errand_off(listener);
    assert_int_equal(h.n, 1);
}

CLAIM(an_unknown_type_names_the_nearest)
{
    struct heard h = {0};

    assert_null(errand_on(e, "job:complete", hear, &h, &err));
    assert_int_equal(err.code, ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "job:completed"));
    assert_null(errand_on(e, "", hear, &h, NULL));
}

CLAIM(the_child_of_a_fork_lets_a_listener_go)
{
    struct heard h = {0};
    errand_listener *listener = on(NULL, &h);
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        errand_off(listener);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    dispatched("a", NULL, NULL);
    errand_off(listener);
    assert_int_equal(h.n, 1);
}

TEST(a_private_store_in_memory_has_listeners_too)
{
    struct heard h = {0};
    errand_listener *listener;

    e = errand_open("memory:", NULL, &err);
    assert_non_null(e);
    listener = on("job:dispatched", &h);
    dispatched("a", NULL, NULL);
    errand_close(e);
    errand_off(listener);
    assert_int_equal(h.n, 1);
}

TEST(a_listener_finds_the_file_after_the_folder_has_changed)
{
    char folder[FOLDER_MAX], here[4096];
    struct heard h = {0};
    errand_listener *listener;

    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(folder_make(folder, "listen"), 0);
    assert_int_equal(chdir(folder), 0);
    e = errand_open("sqlite:here.db", NULL, &err);
    assert_non_null(e);
    assert_int_equal(chdir("/"), 0);
    listener = on(NULL, &h);
    dispatched("a", NULL, NULL);
    errand_off(listener);
    errand_close(e);
    assert_int_equal(h.n, 1);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(folder_remove(folder), 0);
}

TEST_MAIN()
