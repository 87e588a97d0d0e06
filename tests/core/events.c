/* events.c: what happens has one name, and what was typed is understood. */
#include "support/test.h"

#include "core/events.h"

static enum er_told parsed(const char *text)
{
    enum er_told told = ER_TOLD_MISSED;

    assert_int_equal(er_told_parse(text, &told, NULL), 0);
    return told;
}

TEST(every_type_is_found_by_its_name)
{
    for (int i = 0; i < ER_TOLD_N; i++)
        assert_int_equal(parsed(er_told_name((enum er_told)i)), i);
}

TEST(the_word_after_the_colon_is_enough)
{
    assert_int_equal(parsed("failed"), ER_TOLD_FAILED);
    assert_int_equal(parsed("timed-out"), ER_TOLD_TIMED_OUT);
    assert_int_equal(parsed("paused"), ER_TOLD_QUEUE_PAUSED);
}

TEST(of_two_with_the_same_word_it_is_the_job)
{
    assert_int_equal(parsed("started"), ER_TOLD_STARTED);
}

TEST(an_unknown_type_names_the_nearest)
{
    struct errand_error err = {0};
    enum er_told told;

    assert_int_equal(er_told_parse("job:fialed", &told, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "job:failed"));
    assert_int_equal(er_told_parse("complete", &told, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "job:completed"));
    assert_int_equal(er_told_parse("", &told, &err), ERRAND_EINVAL);
    assert_int_equal(er_told_parse("xyzzy-and-more", &told, &err), ERRAND_EINVAL);
    assert_non_null(strstr(err.message, "docs/events.md"));
}

TEST(a_long_error_is_cut_between_characters)
{
    char text[ER_TOLD_ERROR_MAX + 8];
    struct errand_outcome out = {.kind = ERRAND_OUT_FAIL, .name = "a", .queue = "b"};
    struct errand_event event;

    for (size_t i = 0; i < sizeof text; i += 2)
        text[i] = '\xc3', text[i + 1] = '\xa9';
    out.error = (struct errand_slice){text + 1, sizeof text - 2};
    assert_true(er_told_outcome(&out, &event));
    assert_int_equal(event.error.len, ER_TOLD_ERROR_MAX - 1);
}

TEST(a_run_longer_than_it_was_waited_for_is_never_negative)
{
    struct errand_outcome out = {.kind = ERRAND_OUT_RETRY,
                                 .name = "a",
                                 .queue = "b",
                                 .attempt = 1,
                                 .started_ms = 1000,
                                 .ended_ms = 900};
    struct errand_event event;

    assert_true(er_told_outcome(&out, &event));
    assert_int_equal(event.duration_ms, 0);
    assert_int_equal(event.delay_ms, 0);
    assert_int_equal(event.attempt, 2);
}

TEST(the_documentation_has_every_type_in_its_words)
{
    char path[4096], row[512];
    static char text[64 << 10];
    size_t len;
    FILE *f;

    snprintf(path, sizeof path, "%s/docs/events.md", getenv("ERRAND_SOURCE"));
    f = fopen(path, "re");
    assert_non_null(f);
    len = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[len] = '\0';
    for (int i = 0; i < ER_TOLD_N; i++) {
        snprintf(row, sizeof row, "\n| `%s` | %s |\n", er_told_name((enum er_told)i),
                 er_told_help((enum er_told)i));
        if (!strstr(text, row))
            fail_msg("docs/events.md lacks the row:%s", row);
    }
}

TEST_MAIN()
