/* curl.h: what every use of libcurl here has in common. */
#ifndef ER_NOTIFY_CHANNELS_CURL_H
#define ER_NOTIFY_CHANNELS_CURL_H

#include <curl/curl.h>

#include "notify/channels/channels.h"

struct er_curl {
    CURL *curl;
    char error[CURL_ERROR_SIZE];
};

/* A handle with what holds for all: no signals, no proxy, no redirect, no protocol but
 * these, TLS 1.2 or later with a certificate that is good for the host, and times.
 * `ret` must stay where it is. 0 or -1. */
int er_curl_init(struct er_curl *ret, const struct errand_notify *notify,
                 const char *protocols, int64_t timeout_ms);
void er_curl_done(struct er_curl *c);
/* What libcurl says went wrong, as text. */
const char *er_curl_why(const struct er_curl *c, CURLcode code);

#endif
