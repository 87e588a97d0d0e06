/* doctor_notify.c: whether somebody would be told of failures. Sends nothing. */
#include "base/module.h"
#include "cli/doctor.h"
#include "client/notify.h"

void er_doctor_notify(struct er_doctor *d)
{
    const struct errand_notify *notify = &d->cli->config->notify;
    const char *lack = NULL;
    struct errand_error err;
    int ready = er_notify_ready(notify, d->cli->arena, &lack);

    if (!notify->channels || !notify->channels[0]) {
        er_doctor_say(d, ER_OK, "notifications", NULL,
                      "none: nobody is told of failures");
        return;
    }
    if (er_module_check(&er_notify_module, &err) < 0)
        er_doctor_say(d, ER_FAIL, "notifications",
                      "build errand with libcurl and libsodium and install all of it, or "
                      "take out the channels",
                      "%s", err.message);
    else if (lack)
        er_doctor_say(d, ER_WARN, "notifications", "errand.yml, or its variable", "%s",
                      lack);
    else if (ready > 0)
        er_doctor_say(d, ER_OK, "notifications", NULL,
                      "all channels are set; errand notify:test sends a message");
}
