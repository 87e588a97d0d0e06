/* dispatch.c: cases 1 to 7, handing out work. */
#include "cases/cases.h"

static int on_note(errand_job *job, struct errand_error *error)
{
    long long n;

    if (errand_job_int(job, "n", &n, error) < 0)
        return ERRAND_FAIL;
    ledger("%lld", n);
    return ERRAND_DONE;
}
ERRAND_JOB(Note, .handle = on_note)

enum { MANY = 1000 };

/* The ledger holds 0 to n - 1, in that order. */
static void assert_counted(int n)
{
    const char *p = ledger_read();

    for (int i = 0; i < n; i++) {
        char *end;
        if (strtol(p, &end, 10) != i || *end != '\n')
            fail_msg("line %d of the ledger is '%.*s'", i, (int)strcspn(p, "\n"), p);
        p = end + 1;
    }
    assert_string_equal(p, "");
}

CASE(case_07_one_worker_keeps_the_order)
{
    char data[32];

    for (int i = 0; i < MANY; i++) {
        snprintf(data, sizeof data, "{\"n\":%d}", i);
        push("note", data, NULL);
    }
    work_all();
    assert_int_equal(count(ERRAND_COMPLETED, NULL), MANY);
    assert_counted(MANY);
}

TEST(case_07_the_command_keeps_the_order)
{
    assert_code(
        sh("i=0; while [ $i -lt %d ]; do echo \"{\\\"n\\\":$i}\"; i=$((i+1)); done "
           "| mine queue:dispatch note --file=-",
           MANY),
        0);
    assert_code(sh("mine queue:work --concurrency=1 --stop-when-empty"), 0);
    assert_counted(MANY);
}

CASES_MAIN()
