/* told.h: a mail server, a Slack and a webhook on this machine, and settings that lead to
 * them; for tests on top of cases/cases.h. */
#ifndef ER_TESTS_TOLD_H
#define ER_TESTS_TOLD_H

#include "cases/cases.h"
#include "support/sink.h"

#include "client/notify.h"

static struct sink mail, web;
static struct errand_notify notify;
static char told_ca[PATH_MAX + 64], told_url[256];
static int told_ports[2];

/* Both take everything unless the arguments say otherwise. */
static inline void told_start(const char *const *mail_args, const char *const *web_args)
{
    static const char *const to[] = {"admin@example.com", NULL};
    static const char *const local[] = {"127.0.0.0/8", NULL};
    static const char *const channels[] = {"email", "slack", NULL};
    static char cert[PATH_MAX + 64], key[PATH_MAX + 64];
    const char *args[16] = {"--cert", cert, "--key", key};

    assert_code(sh("sh '%s/tests/support/ca.sh' .", getenv("ERRAND_SOURCE")), 0);
    snprintf(told_ca, sizeof told_ca, "%s/ca.pem", shell_folder);
    snprintf(cert, sizeof cert, "%s/server.pem", shell_folder);
    snprintf(key, sizeof key, "%s/server.key", shell_folder);
    for (int i = 0; mail_args && mail_args[i]; i++)
        args[4 + i] = mail_args[i];
    mail = sink_start(shell_folder, "mail", "smtp", args);
    web = sink_start(shell_folder, "web", "http", web_args);
    snprintf(told_url, sizeof told_url, "http://localhost:%d/services/T/B/hunter2",
             web.port);
    told_ports[0] = web.port;
    notify = (struct errand_notify){.channels = channels,
                                    .email = {.to = to,
                                              .from = "errand@example.com",
                                              .host = "localhost",
                                              .port = mail.port},
                                    .slack = {.webhook = told_url},
                                    .webhook = {.url = told_url},
                                    .allow = local,
                                    .ports = told_ports,
                                    .ca_file = told_ca};
}

static inline void told_stop(void)
{
    sink_stop(&mail);
    sink_stop(&web);
}

static inline void work_and_tell(void)
{
    work((struct errand_worker_options){.stop_when_empty = true, .notify = &notify});
}

/* The same settings as an errand.yml, with this below `notifications:` in their place. */
static inline void told_yaml(const char *channels, const char *more)
{
    char text[PATH_MAX + 1024];

    snprintf(
        text, sizeof text,
        "notifications:\n"
        "  channels: [%s]\n"
        "  email: {to: admin@example.com, from: errand@example.com, host: localhost, "
        "port: %d}\n"
        "  allow: [127.0.0.0/8]\n"
        "  ports: [%d]\n"
        "  ca_file: ca.pem\n"
        "%s",
        channels, mail.port, web.port, more);
    assert_code(sh("rm -f errand.yml; umask 077; cat >errand.yml <<'END'\n%s\nEND", text),
                0);
}

static inline int64_t told_count(enum errand_state state)
{
    return count((int)state, ER_NOTIFY_QUEUE);
}

#endif
