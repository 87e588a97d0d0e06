/* channel.c: one line of descriptor 3 at a time. */
#include "worker/channel.h"

#include <string.h>

#include "support/test.h"
#include "worker/job.h"

static struct er_channel_value value;
static struct errand_error why;

static enum er_said said(const char *line)
{
    why = (struct errand_error){0};
    return er_channel_line((struct errand_slice){line, strlen(line)}, &value, &why);
}

TEST(an_object_with_a_number_as_progress_is_progress)
{
    assert_int_equal(said("{\"progress\":40,\"note\":\"half\"}"), ER_SAID_PROGRESS);
    assert_int_equal(value.percent, 40);
    assert_memory_equal(value.json.ptr, "\"half\"", value.json.len);
    assert_int_equal(said("{\"progress\":12.9,\"note\":7}"), ER_SAID_PROGRESS);
    assert_int_equal(value.percent, 12);
    assert_int_equal(value.json.len, 0);
}

TEST(an_object_with_a_job_to_dispatch_is_that)
{
    assert_int_equal(said("{\"dispatch\": {\"job\":\"a\"} }"), ER_SAID_DISPATCH);
    assert_int_equal(value.json.len, strlen("{\"job\":\"a\"}"));
    assert_int_equal(said("{\"dispatch\":[]}"), ER_SAID_DISPATCH);
    assert_int_equal(said("{\"dispatch\":\"noon\"}"), ER_SAID_RESULT);
}

TEST(progress_stays_between_0_and_100)
{
    assert_int_equal(said("{\"progress\":-1e300}"), ER_SAID_PROGRESS);
    assert_int_equal(value.percent, 0);
    assert_int_equal(said("{\"progress\":1e999}"), ER_SAID_PROGRESS);
    assert_int_equal(value.percent, 100);
}

TEST(an_object_with_a_number_as_snooze_is_a_wait)
{
    assert_int_equal(said("{\"snooze\":600}"), ER_SAID_SNOOZE);
    assert_int_equal(value.wait_ms, 600000);
    assert_int_equal(said("{\"snooze\":0.25}"), ER_SAID_SNOOZE);
    assert_int_equal(value.wait_ms, 250);
    assert_int_equal(said("{\"snooze\":\"a while\"}"), ER_SAID_RESULT);
    assert_int_equal(said("{\"snooze\":-1}"), ER_SAID_NOTHING);
    assert_string_equal(why.message, "snooze: -1 s is not from 0 to one year");
    assert_int_equal(said("{\"snooze\":1e300}"), ER_SAID_NOTHING);
}

TEST(a_wait_counts_for_a_job_that_is_not_done)
{
    assert_int_equal(er_channel_verdict(0, false), ERRAND_DONE);
    assert_int_equal(er_channel_verdict(0, true), ERRAND_SNOOZE);
    assert_int_equal(er_channel_verdict(75, true), ERRAND_RETRY);
    assert_int_equal(er_channel_verdict(3, true), ERRAND_RETRY);
    assert_int_equal(er_channel_verdict(65, true), ERRAND_FAIL);
}

TEST(other_json_is_the_result)
{
    assert_int_equal(said("{\"n\":1}"), ER_SAID_RESULT);
    assert_int_equal(said("{\"progress\":\"almost\"}"), ER_SAID_RESULT);
    assert_int_equal(said("[{\"progress\":40}]"), ER_SAID_RESULT);
    assert_int_equal(said(" null "), ER_SAID_RESULT);
}

TEST(what_is_no_json_or_too_long_says_nothing)
{
    static char line[ER_RESULT_MAX + 2];

    assert_int_equal(said(""), ER_SAID_NOTHING);
    assert_string_equal(why.message, "");
    assert_int_equal(said("done"), ER_SAID_NOTHING);
    assert_string_equal(why.message,
                        "a line on descriptor 3 is not JSON: expected a value "
                        "at line 1, column 1, found 'd'");
    assert_int_equal(said("{\"progress\":40"), ER_SAID_NOTHING);
    memset(line, '1', ER_RESULT_MAX + 1);
    assert_int_equal(said(line), ER_SAID_NOTHING);
    assert_string_equal(why.message,
                        "the result has 65537 bytes, more than the 65536 kept");
    line[ER_RESULT_MAX] = '\0';
    assert_int_equal(said(line), ER_SAID_RESULT);
}

TEST_MAIN()
