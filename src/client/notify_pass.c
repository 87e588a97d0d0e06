/* notify_pass.c: what the delivering process is told, as JSON on its standard input: what
 * it knows it knows from there, so that no secret is in its arguments, its environment or
 * the store. */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "client/notify.h"
#include "core/json.h"

/* ------------------------------------------------------------------ kept */

int er_notify_copy(const struct errand_notify *notify, struct errand_arena *arena,
                   struct errand_notify *ret)
{
    struct errand_notify n = *notify;
    const char **const texts[] = {&n.email.from,     &n.email.host,    &n.email.user,
                                  &n.email.password, &n.slack.webhook, &n.webhook.url,
                                  &n.webhook.secret, &n.ca_file};
    size_t ports_n = 0;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (er_arena_keep(arena, texts[i]) < 0)
            return -1;
    if (er_arena_keep_list(arena, &n.channels) < 0 ||
        er_arena_keep_list(arena, &n.email.to) < 0 ||
        er_arena_keep_list(arena, &n.allow) < 0)
        return -1;
    while (n.ports && n.ports[ports_n])
        ports_n++;
    if (n.ports && !(n.ports = (const int *)errand_arena_copy(
                         arena, n.ports, (ports_n + 1) * sizeof *n.ports)))
        return -1;
    *ret = n;
    return 0;
}

/* ------------------------------------------------------------------ there */

static void text_add(struct er_buf *buf, const char *key, const char *text)
{
    if (!text)
        return;
    er_buf_printf(buf, ",\"%s\":", key);
    er_json_write_string(buf, text, strlen(text));
}

static void list_add(struct er_buf *buf, const char *key, const char *const *list)
{
    er_buf_printf(buf, ",\"%s\":[", key);
    for (size_t i = 0; list && list[i]; i++) {
        er_buf_str(buf, i ? "," : "");
        er_json_write_string(buf, list[i], strlen(list[i]));
    }
    er_buf_str(buf, "]");
}

static void ports_add(struct er_buf *buf, const int *ports)
{
    er_buf_str(buf, ",\"ports\":[");
    for (size_t i = 0; ports && ports[i]; i++)
        er_buf_printf(buf, "%s%d", i ? "," : "", ports[i]);
    er_buf_str(buf, "]");
}

static void settings_add(struct er_buf *buf, const struct errand_notify *n, int channel)
{
    er_buf_printf(buf, "{\"port\":%d,\"tls\":%d", n->email.port, (int)n->email.tls);
    text_add(buf, "ca_file", n->ca_file);
    switch ((enum er_notify_channel)channel) {
    case ER_NOTIFY_EMAIL:
        list_add(buf, "to", n->email.to);
        text_add(buf, "from", n->email.from);
        text_add(buf, "host", n->email.host);
        text_add(buf, "user", n->email.user);
        text_add(buf, "password", n->email.password);
        break;
    case ER_NOTIFY_SLACK:
        text_add(buf, "slack", n->slack.webhook);
        break;
    case ER_NOTIFY_WEBHOOK:
        text_add(buf, "url", n->webhook.url);
        text_add(buf, "secret", n->webhook.secret);
        break;
    case ER_NOTIFY_CHANNELS_N:
        break;
    }
    list_add(buf, "allow", n->allow);
    ports_add(buf, n->ports);
    er_buf_str(buf, "}");
}

static void failure_add(struct er_buf *buf, const struct er_failure *f)
{
    er_buf_printf(buf, "{\"attempts\":%d,\"tries\":%d,\"failed_ms\":%" PRId64,
                  f->attempts, f->tries, f->failed_ms);
    text_add(buf, "id", f->id);
    er_buf_str(buf, ",\"error\":");
    er_json_write_string(buf, f->error.len ? f->error.ptr : "", f->error.len);
    er_buf_str(buf, "}");
}

static void notice_add(struct er_buf *buf, const struct er_notice *notice)
{
    er_buf_printf(buf,
                  "{\"channel\":%d,\"test\":%s,\"total\":%" PRId64 ",\"since\":%" PRId64
                  ",\"until\":%" PRId64,
                  notice->channel, notice->is_test ? "true" : "false", notice->total,
                  notice->since_ms, notice->until_ms);
    text_add(buf, "id", notice->id);
    text_add(buf, "name", notice->name);
    text_add(buf, "queue", notice->queue);
    text_add(buf, "host", notice->host);
    er_buf_str(buf, ",\"failures\":[");
    for (size_t i = 0; i < notice->failures_n; i++) {
        er_buf_str(buf, i ? "," : "");
        failure_add(buf, &notice->failures[i]);
    }
    er_buf_str(buf, "]}");
}

int er_notify_pass(const struct errand_notify *notify, const struct er_notice *notice,
                   struct er_buf *buf)
{
    er_buf_str(buf, "{\"settings\":");
    settings_add(buf, notify, notice->channel);
    er_buf_str(buf, ",\"notice\":");
    notice_add(buf, notice);
    er_buf_str(buf, "}");
    return buf->has_failed ? -1 : 0;
}

/* ------------------------------------------------------------------ and back */

/* NULL: not there, or no memory, which comes to the same for an optional text. */
static const char *text_of(struct errand_slice json, const char *path,
                           struct errand_arena *arena)
{
    struct errand_slice value, text;
    enum er_json_type type;

    if (er_json_find(json, path, &type, &value, NULL) < 0 || type != ER_JSON_STRING ||
        er_json_unescape(value, arena, &text, NULL) < 0)
        return NULL;
    return text.ptr;
}

static int64_t number_of(struct errand_slice json, const char *path)
{
    struct errand_slice value;
    enum er_json_type type;
    int64_t n = 0;

    if (er_json_find(json, path, &type, &value, NULL) == 0 && type == ER_JSON_NUMBER &&
        er_json_int(value, &n) < 0)
        n = 0;
    return n;
}

static size_t items_of(struct errand_slice json, const char *path,
                       struct er_json_walk *walk)
{
    struct errand_slice value = {.ptr = "[]", .len = 2};
    enum er_json_type type;
    size_t n = 0;

    if (er_json_find(json, path, &type, &value, NULL) < 0)
        value = (struct errand_slice){.ptr = "[]", .len = 2};
    er_json_walk(walk, value);
    while (er_json_next(walk))
        n++;
    er_json_walk(walk, value);
    return n;
}

static const char *const *list_of(struct errand_slice json, const char *path,
                                  struct errand_arena *arena)
{
    struct er_json_walk walk;
    const char **list =
        errand_arena_alloc(arena, (items_of(json, path, &walk) + 1) * sizeof *list);
    struct errand_slice text;

    for (size_t n = 0; list && er_json_next(&walk); n++) {
        if (walk.type != ER_JSON_STRING ||
            er_json_unescape(walk.value, arena, &text, NULL) < 0)
            return NULL;
        list[n] = text.ptr;
    }
    return list;
}

static const int *ports_of(struct errand_slice json, struct errand_arena *arena)
{
    struct er_json_walk walk;
    int *ports = errand_arena_alloc(arena, (items_of(json, "settings.ports", &walk) + 1) *
                                               sizeof *ports);
    int64_t port;

    for (size_t n = 0; ports && er_json_next(&walk); n++)
        if (er_json_int(walk.value, &port) == 0)
            ports[n] = (int)port;
    return ports;
}

static void settings_take(struct errand_slice json, struct errand_arena *arena,
                          struct errand_notify *ret)
{
    *ret = (struct errand_notify){
        .email = {.to = list_of(json, "settings.to", arena),
                  .from = text_of(json, "settings.from", arena),
                  .host = text_of(json, "settings.host", arena),
                  .port = (int)number_of(json, "settings.port"),
                  .tls = (enum errand_notify_tls)number_of(json, "settings.tls"),
                  .user = text_of(json, "settings.user", arena),
                  .password = text_of(json, "settings.password", arena)},
        .slack = {.webhook = text_of(json, "settings.slack", arena)},
        .webhook = {.url = text_of(json, "settings.url", arena),
                    .secret = text_of(json, "settings.secret", arena)},
        .allow = list_of(json, "settings.allow", arena),
        .ports = ports_of(json, arena),
        .ca_file = text_of(json, "settings.ca_file", arena)};
}

static int failures_take(struct errand_slice json, struct errand_arena *arena,
                         struct er_notice *notice)
{
    struct er_json_walk walk;
    size_t n = items_of(json, "notice.failures", &walk);
    const char *error;

    if (!(notice->failures =
              errand_arena_alloc(arena, (n + 1) * sizeof(struct er_failure))))
        return -1;
    while (er_json_next(&walk)) {
        struct er_failure *f = &notice->failures[notice->failures_n++];

        error = text_of(walk.value, "error", arena);
        *f = (struct er_failure){.id = text_of(walk.value, "id", arena),
                                 .name = notice->name,
                                 .queue = notice->queue,
                                 .attempts = (int)number_of(walk.value, "attempts"),
                                 .tries = (int)number_of(walk.value, "tries"),
                                 .error = {error, error ? strlen(error) : 0},
                                 .failed_ms = number_of(walk.value, "failed_ms")};
        if (!f->id || !error)
            return -1;
    }
    return 0;
}

int er_notify_take(struct errand_slice text, struct errand_arena *arena,
                   struct errand_notify *ret_notify, struct er_notice *ret_notice,
                   struct errand_error *err)
{
    const struct er_json_limits limits = {.max_bytes = 16 << 20, .max_keys = 100000};
    struct errand_slice test;
    enum er_json_type type;
    int rc;

    if ((rc = er_json_check("what is to be delivered", text, &limits, err)) < 0)
        return rc;
    settings_take(text, arena, ret_notify);
    *ret_notice = (struct er_notice){.channel = (int)number_of(text, "notice.channel"),
                                     .id = text_of(text, "notice.id", arena),
                                     .name = text_of(text, "notice.name", arena),
                                     .queue = text_of(text, "notice.queue", arena),
                                     .host = text_of(text, "notice.host", arena),
                                     .total = number_of(text, "notice.total"),
                                     .since_ms = number_of(text, "notice.since"),
                                     .until_ms = number_of(text, "notice.until")};
    if (er_json_find(text, "notice.test", &type, &test, NULL) == 0)
        ret_notice->is_test = test.len == 4;
    if (!ret_notice->id || !ret_notice->name || !ret_notice->queue || !ret_notice->host ||
        failures_take(text, arena, ret_notice) < 0)
        return errand_error_set(err, ERRAND_EJSON,
                                "what is to be delivered is not whole");
    return 0;
}
