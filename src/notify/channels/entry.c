/* entry.c: what the module exports: sending one notice over its channel. */
#include <curl/curl.h>

#include "notify/channels/channels.h"

static void send_one(const struct errand_notify *notify, const struct er_notice *notice,
                     struct er_delivered *ret)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        er_delivered_set(ret, ER_TRY_AGAIN, "libcurl does not start");
        return;
    }
    switch ((enum er_notify_channel)notice->channel) {
    case ER_NOTIFY_EMAIL:
        er_email_send(notify, notice, ret);
        break;
    case ER_NOTIFY_SLACK:
        er_slack_send(notify, notice, ret);
        break;
    case ER_NOTIFY_WEBHOOK:
        er_webhook_send(notify, notice, ret);
        break;
    case ER_NOTIFY_CHANNELS_N:
        break;
    }
    curl_global_cleanup();
}

ERRAND_API const struct er_notify_entry errand_notify_module;
const struct er_notify_entry errand_notify_module = {.version = ERRAND_VERSION,
                                                     .send = send_one};
