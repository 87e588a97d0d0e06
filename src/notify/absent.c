/* absent.c: in the place of all else here when errand is built without notifications. */
#include <stdio.h>

#include "base/error.h"
#include "notify/notify.h"

static const char text[] = "this errand was built without notifications";

int er_notify_main(void)
{
    fprintf(stderr, "%s\n", text);
    return 65;
}

int errand_notify_test(const struct errand_notify *notify, const char *channel,
                       struct errand_error *err)
{
    (void)notify;
    (void)channel;
    return errand_error_set(err, ERRAND_EUNSUPPORTED, "%s", text);
}
