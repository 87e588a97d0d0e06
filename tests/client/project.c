/* project.c: a program in a project's folder, and classes that it tells the store of. */
#include "client/client_test.h"

#include <sys/stat.h>

#include "errand/engine.h"
#include "errand/project.h"
#include "errand/schedule.h"

static errand_project *project_with(const char *yml)
{
    char path[FOLDER_MAX + 16];
    errand_project *p;
    FILE *f;

    snprintf(path, sizeof path, "%s/errand.yml", test_folder);
    assert_non_null(f = fopen(path, "w"));
    assert_true(fputs(yml, f) >= 0);
    assert_int_equal(fclose(f), 0);
    p = errand_project_read(test_folder, &err);
    assert_int_equal(unlink(path), 0);
    return p;
}

static struct errand_job_detail *detail(errand *on, const struct errand_id *id)
{
    struct errand_job_detail *d;

    if (errand_get(on, id, &d, &err) < 0)
        fail_msg("%s", err.message);
    return d;
}

CLAIM_LOCAL(a_project_says_where_its_store_is_and_what_its_queues_want)
{
    errand_project *p = project_with("url: sqlite:var.db\n"
                                     "name: shop\n"
                                     "defaults: { queue: slow }\n"
                                     "queues: { slow: { tries: 7 } }\n"
                                     "worker: { concurrency: 3 }\n");
    struct errand_id id;
    struct errand_job_detail *d;
    errand *own;

    if (!p)
        fail_msg("%s", err.message);
    assert_string_equal(errand_project_folder(p), test_folder);
    assert_string_equal(errand_project_name(p), "shop");
    assert_string_equal(strrchr(errand_project_url(p), '/'), "/var.db");
    assert_int_equal(errand_project_worker(p)->concurrency, 3);
    assert_non_null(own = errand_open_project(p, &err));
    assert_int_equal(errand_dispatch(own, "tidy", NULL, NULL, &id, &err), 0);
    d = detail(own, &id);
    assert_string_equal(d->job.queue, "slow");
    assert_int_equal(d->job.tries, 7);
    errand_detail_free(d);
    errand_close(own);
    errand_project_free(p);
}

CLAIM_LOCAL(an_engine_works_the_store_of_a_project)
{
    errand_project *p = project_with("url: sqlite:var.db\n");
    struct errand_engine_options options = {.project = p};
    struct errand_engine_job **jobs;
    errand_engine *g;
    errand *own;
    size_t n;

    assert_non_null(own = errand_open_project(p, &err));
    assert_int_equal(errand_dispatch(own, "tidy", NULL, NULL, NULL, &err), 0);
    assert_non_null(g = errand_engine_open(NULL, NULL, &options, &err));
    assert_int_equal(errand_engine_reserve(g, 1, &jobs, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_string_equal(jobs[0]->name, "tidy");
    assert_int_equal(errand_engine_finish(g, jobs[0], NULL, &err), 0);
    errand_engine_close(g);
    errand_close(own);
    errand_project_free(p);
}

CLAIM_LOCAL(what_is_wrong_with_errand_yml_is_told_with_its_place)
{
    assert_null(project_with("urll: sqlite:var.db\n"));
    assert_int_equal(err.code, ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "errand.yml:1"));
}

/* ------------------------------------------------------------------ classes */

static void nothing_failed(errand_job *job, const struct errand_error *error)
{
    (void)job;
    (void)error;
}

CLAIM(what_was_told_of_a_class_holds_for_any_handle)
{
    static const struct errand_job_class mail = {.name = "SendMail",
                                                 .failed = nothing_failed,
                                                 .queue = "mails",
                                                 .tries = 5,
                                                 .unique = "to:{to}"};
    const struct errand_job_class *const classes[] = {&mail};
    struct errand_id first, second;
    struct errand_job_detail *d;
    errand *other;

    if (errand_define(e, NULL, classes, 1, &err) < 0)
        fail_msg("%s", err.message);
    other = open_again();
    assert_int_equal(
        errand_dispatch(other, "send-mail", "{\"to\":1}", NULL, &first, &err), 0);
    assert_int_equal(
        errand_dispatch(other, "send-mail", "{\"to\":1}", NULL, &second, &err),
        ERRAND_DUPLICATE);
    assert_string_equal(first.text, second.text);
    d = detail(other, &first);
    assert_string_equal(d->job.queue, "mails");
    assert_int_equal(d->job.tries, 5);
    assert_true(d->has_failed_hook);
    errand_detail_free(d);
    errand_close(other);
}

CLAIM(a_handle_knows_at_once_what_it_has_told_itself)
{
    struct errand_job_class slow = {.name = "slow", .queue = "one"};
    const struct errand_job_class *const classes[] = {&slow};
    struct errand_job_detail *d;
    struct errand_id id;

    for (int i = 0; i < 2; i++, slow.queue = "two") {
        assert_int_equal(errand_define(e, NULL, classes, 1, &err), 0);
        assert_int_equal(errand_dispatch(e, "slow", NULL, NULL, &id, &err), 0);
        d = detail(e, &id);
        assert_string_equal(d->job.queue, slow.queue);
        errand_detail_free(d);
    }
}

CLAIM(a_class_brings_its_schedule_and_takes_it_along)
{
    struct errand_job_class report = {.name = "DailyReport", .schedule = "0 8 * * *"};
    static const struct errand_job_class other = {.name = "tidy", .schedule = "@hourly"};
    const struct errand_job_class *both[] = {&report, &other};
    struct errand_schedule_list *list;

    assert_int_equal(errand_define(e, NULL, both, 2, &err), 0);
    assert_int_equal(errand_schedule_list(e, &list, &err), 0);
    assert_int_equal(list->schedules_n, 2);
    assert_string_equal(list->schedules[0].name, "DailyReport");
    assert_string_equal(list->schedules[0].from, "job");
    errand_schedule_list_free(list);

    report.schedule = NULL;
    assert_int_equal(errand_define(e, NULL, both, 1, &err), 0);
    assert_int_equal(errand_schedule_list(e, &list, &err), 0);
    assert_int_equal(list->schedules_n, 1);
    assert_string_equal(list->schedules[0].name, "tidy");
    errand_schedule_list_free(list);
}

CLAIM(of_a_class_that_is_wrong_nothing_is_told)
{
    static const struct errand_job_class good = {.name = "good", .queue = "one"};
    static const struct errand_job_class bad = {.name = "bad", .schedule = "61 * * * *"};
    const struct errand_job_class *const both[] = {&good, &bad};
    struct errand_job_detail *d;
    struct errand_id id;

    assert_int_equal(errand_define(e, NULL, both, 2, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "bad"));
    assert_int_equal(errand_dispatch(e, "good", NULL, NULL, &id, &err), 0);
    d = detail(e, &id);
    assert_string_equal(d->job.queue, "default");
    errand_detail_free(d);
}

TEST_MAIN()
