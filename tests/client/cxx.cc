/* cxx.cc: a C++ program dispatches a job and reads it back. */
#include <cstdio>
#include <cstring>

#include <errand.h>

static int complain(const char *what, const errand_error &err)
{
    std::fprintf(stderr, "cxx: %s: %s\n", what, err.message);
    return 1;
}

int main()
{
    errand_error err = {};
    errand_id id = {};
    errand_options options = {};
    errand_job_detail *detail = nullptr;
    errand *e = errand_open("memory:", nullptr, &err);

    if (!e)
        return complain("open", err);
    options.queue = "emails";
    options.tries = ERRAND_NO_RETRY;
    if (errand_dispatch(e, "send-email", "{\"to\":\"ann\"}", &options, &id, &err) !=
        ERRAND_INSERTED)
        return complain("dispatch", err);
    if (errand_get(e, &id, &detail, &err) < 0)
        return complain("get", err);
    bool is_right = std::strcmp(detail->job.queue, "emails") == 0 &&
                    detail->job.tries == 1 && detail->job.state == ERRAND_READY &&
                    std::strcmp(errand_state_name(detail->job.state), "ready") == 0;
    errand_detail_free(detail);
    errand_close(e);
    return is_right ? 0 : complain("the job is not as it was dispatched", err);
}
