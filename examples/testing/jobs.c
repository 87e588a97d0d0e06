/* jobs.c: a job of a shop, and the code that hands it out. What tests them is test.c. */
#include "jobs.h"

#include <stdio.h>

static int handle(errand_job *job, struct errand_error *err)
{
    long long user;

    if (errand_job_int(job, "userId", &user, err) < 0)
        return ERRAND_FAIL;
    errand_job_log(job, "welcome, user %lld", user);
    return errand_job_result(job, "\"sent\"", err) < 0 ? ERRAND_RETRY : ERRAND_DONE;
}
ERRAND_JOB(SendWelcomeEmail, .handle = handle, .queue = "emails", .tries = 3)

int sign_up(errand *e, long long user, struct errand_error *err)
{
    char data[64];

    snprintf(data, sizeof data, "{\"userId\":%lld}", user);
    return errand_dispatch_after(e, 60, "send-welcome-email", data, NULL, NULL, err);
}
