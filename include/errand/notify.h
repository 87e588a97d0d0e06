/* notify.h: being told when a job has failed for good.
 *
 *     static const struct errand_notify notify = {
 *         .channels = (const char *const[]){"email", "slack", NULL},
 *         .email = {.to = (const char *const[]){"admin@example.com", NULL},
 *                   .from = "errand@example.com", .host = "smtp.example.com"},
 *         .slack = {.webhook = url},
 *     };
 *     struct errand_worker_options options = {0};
 *     if (errand_notify_configure(&options, &notify, &err) < 0) …
 *     errand_worker_run("sqlite:jobs.db", NULL, &options, &err);
 *
 * One notification for each final failure and channel, stored in the transaction after
 * the one that failed the job, and delivered by errand's own jobs on a queue of their own
 * with retries. Failures of one job name on one queue that come within `every` seconds
 * share a message. Retries send nothing, and what happens to a notification changes
 * nothing about the job. The command reads the same from errand.yml, see
 * docs/configuration.md. */
#ifndef ERRAND_NOTIFY_H
#define ERRAND_NOTIFY_H

#include "errand/worker.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the connection to the mail server is kept private. The server's certificate must be
 * good for `host` in any case. */
enum errand_notify_tls {
    ERRAND_TLS_STARTTLS = 0, /* port 587 */
    ERRAND_TLS_IMPLICIT = 1, /* from the first byte, port 465 */
    ERRAND_TLS_NONE = 2,     /* port 25; to this machine alone, and without log-in */
};

struct errand_notify_email {
    const char *const *to; /* addresses, NULL-terminated */
    const char *from;      /* NULL: errand@ and the name of this machine */
    const char *host;      /* of the mail server */
    int port;              /* 0: by tls */
    enum errand_notify_tls tls;
    const char *user, *password; /* user NULL: no log-in */
};

struct errand_notify_slack {
    const char *webhook; /* https URL; it is a secret */
};

/* Any HTTP server: a POST of JSON, signed when there is a secret. See
 * docs/guide/notifications.md for the form and for checking the signature. */
struct errand_notify_webhook {
    const char *url;
    const char *secret; /* "whsec_" and base64, or any text */
};

#define ERRAND_NOTIFY_EACH (-1.0) /* every: a message for each failure */

/* Zero means default. */
struct errand_notify {
    const char *const *channels; /* of "email", "slack", "webhook"; NULL-terminated */
    struct errand_notify_email email;
    struct errand_notify_slack slack;
    struct errand_notify_webhook webhook;
    /* Seconds between two messages about one job name on one queue; what fails meanwhile
     * is gathered into the next; default 300 */
    double every;
    /* Networks that webhooks may be sent to although they are not public, as CIDR:
     * "10.1.0.0/16", "127.0.0.1"; NULL: none. Only there may a URL be http. */
    const char *const *allow;
    const int *ports;    /* for webhooks, beside 80 and 443; ends with 0 */
    const char *ca_file; /* certificates to trust in place of the system's (PEM) */
};

/* Checks it and puts it into the options of a worker, which borrow it until the worker
 * is started. Answers 0, or how many of the channels lack an address (a webhook that is
 * NULL, no host for e-mail, a user without a password) and are left out; the worker says
 * so once when it starts. ERRAND_EINVAL names the value: an unknown channel, an address
 * with a line end in it, a URL that is neither http nor https; ERRAND_EUNSUPPORTED: this
 * errand was built or installed without notifications. All workers of a store want the
 * same. */
ERRAND_API int errand_notify_configure(struct errand_worker_options *worker,
                                       const struct errand_notify *notify,
                                       struct errand_error *err);

/* Sends a message that says it is a test, now and from this process, over one channel.
 * 0, or what went wrong; ERRAND_ENOTFOUND: the channel lacks its address. */
ERRAND_API int errand_notify_test(const struct errand_notify *notify, const char *channel,
                                  struct errand_error *err);

#ifdef __cplusplus
}
#endif
#endif
