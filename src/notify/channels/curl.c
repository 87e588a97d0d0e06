/* curl.c: libcurl, held short. */
#include "notify/channels/curl.h"

enum { CONNECT_MS = 8000 };

int er_curl_init(struct er_curl *ret, const struct errand_notify *notify,
                 const char *protocols, int64_t timeout_ms)
{
    CURL *c = curl_easy_init();

    *ret = (struct er_curl){.curl = c};
    if (!c)
        return -1;
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, ret->error);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 1L);
    /* An empty name: no proxy, whatever the environment says. */
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols);
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "");
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    if (notify->ca_file) {
        curl_easy_setopt(c, CURLOPT_CAINFO, notify->ca_file);
        curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    return 0;
}

void er_curl_done(struct er_curl *c)
{
    curl_easy_cleanup(c->curl);
}

const char *er_curl_why(const struct er_curl *c, CURLcode code)
{
    return c->error[0] ? c->error : curl_easy_strerror(code);
}
