/* notify_config.c: `notifications:` in errand.yml and its variables.
 *
 * A value may be ${NAME}, which stands for that variable of the environment; one that is
 * not set leaves the setting as if it had not been said. Such variables, and the files
 * that hold secrets, are read once, when the configuration is. */
#include "client/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "client/config_parts.h"
#include "core/clock.h"

enum { SECRET_MAX = 4096, PORTS_MAX = 100 };

enum kind { LIST, TEXT, PATH, SECRET_FILE, PORT, PORTS, TLS, EVERY };

struct field {
    const char *setting;
    enum kind kind;
    size_t offset;     /* in struct errand_notify */
    const char *holds; /* SECRET_FILE: the setting that its content is */
};

#define AT(member) offsetof(struct errand_notify, member)

static const struct field fields[] = {
    {"channels", LIST, AT(channels), NULL},
    {"every", EVERY, AT(every), NULL},
    {"email.to", LIST, AT(email.to), NULL},
    {"email.from", TEXT, AT(email.from), NULL},
    {"email.host", TEXT, AT(email.host), NULL},
    {"email.port", PORT, AT(email.port), NULL},
    {"email.tls", TLS, AT(email.tls), NULL},
    {"email.user", TEXT, AT(email.user), NULL},
    {"email.password", TEXT, AT(email.password), NULL},
    {"email.password_file", SECRET_FILE, AT(email.password), "email.password"},
    {"slack.webhook", TEXT, AT(slack.webhook), NULL},
    {"slack.webhook_file", SECRET_FILE, AT(slack.webhook), "slack.webhook"},
    {"webhook.url", TEXT, AT(webhook.url), NULL},
    {"webhook.url_file", SECRET_FILE, AT(webhook.url), "webhook.url"},
    {"webhook.secret", TEXT, AT(webhook.secret), NULL},
    {"webhook.secret_file", SECRET_FILE, AT(webhook.secret), "webhook.secret"},
    {"allow", LIST, AT(allow), NULL},
    {"ports", PORTS, AT(ports), NULL},
    {"ca_file", PATH, AT(ca_file), NULL},
};

/* One value on its way. */
struct saying {
    struct er_config *config;
    const struct field *field;
    const struct er_config_place *place;
    struct errand_error *err;
};

static int refuse(const struct saying *s, const char *text, const char *why)
{
    return er_config_error(s->place, s->err, "notifications.%s: '%s' %s",
                           s->field->setting, text, why);
}

static int checked(const struct saying *s, const char *setting, const char *text)
{
    struct errand_error inner = {0};

    if (er_notify_check_value(setting, text, &inner) == 0)
        return 0;
    return er_config_error(s->place, s->err, "notifications.%s", inner.message);
}

/* ------------------------------------------------------------------ ${NAME} */

static int name_keep(const struct saying *s, const char *name)
{
    struct er_config *config = s->config;
    const char **names;
    size_t n = 0;

    while (config->secret_env && config->secret_env[n])
        n++;
    if (!(names = errand_arena_alloc(config->arena, (n + 2) * sizeof *names)))
        return er_error_nomem(s->err);
    if (n)
        memcpy(names, config->secret_env, n * sizeof *names);
    names[n] = name;
    config->secret_env = names;
    return 0;
}

static bool is_name(const char *name)
{
    static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
                                "0123456789";

    return name[0] && strspn(name, legal) == strlen(name) &&
           !(name[0] >= '0' && name[0] <= '9');
}

/* `*ret` is a copy of what the text stands for; NULL: of a variable that is not set. */
static int expand(const struct saying *s, const char *text, const char **ret)
{
    size_t len = strlen(text);
    const char *name, *value;
    int rc;

    *ret = errand_arena_copy(s->config->arena, text, len);
    if (!*ret)
        return er_error_nomem(s->err);
    if (!strstr(text, "${"))
        return 0;
    if (strncmp(text, "${", 2) != 0 || text[len - 1] != '}' ||
        !(name = errand_arena_copy(s->config->arena, text + 2, len - 3)) ||
        !is_name(name))
        return refuse(s, er_notify_shown(s->field->setting, text),
                      "is not understood; a variable stands alone, as ${NAME}");
    if ((rc = name_keep(s, name)) < 0)
        return rc;
    value = getenv(name);
    *ret = value && value[0] ? errand_arena_copy(s->config->arena, value, strlen(value))
                             : NULL;
    return value && value[0] && !*ret ? er_error_nomem(s->err) : 0;
}

/* ------------------------------------------------------------------ kinds of values */

static int list_set(const struct saying *s, const struct er_config_value *value,
                    const char *const **ret)
{
    const char **list =
        errand_arena_alloc(s->config->arena, (value->items_n + 1) * sizeof *list);
    size_t n = 0;
    int rc;

    if (!list)
        return er_error_nomem(s->err);
    for (size_t i = 0; i < value->items_n; i++) {
        if ((rc = expand(s, value->items[i], &list[n])) < 0)
            return rc;
        if (list[n] && (rc = checked(s, s->field->setting, list[n++])) < 0)
            return rc;
    }
    *ret = list;
    return 0;
}

static int port_read(const struct saying *s, const char *text, int *ret)
{
    char *end;
    long port = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : 0;

    if (port < 1 || port > 65535 || *end)
        return refuse(s, text, "is not a port from 1 to 65535");
    *ret = (int)port;
    return 0;
}

static int ports_set(const struct saying *s, const struct er_config_value *value,
                     const int **ret)
{
    int *ports =
        errand_arena_alloc(s->config->arena, (value->items_n + 1) * sizeof *ports);
    int rc;

    if (!ports)
        return er_error_nomem(s->err);
    if (value->items_n > PORTS_MAX)
        return er_config_error(s->place, s->err, "notifications.ports: more than %d",
                               PORTS_MAX);
    for (size_t i = 0; i < value->items_n; i++)
        if ((rc = port_read(s, value->items[i], &ports[i])) < 0)
            return rc;
    *ret = ports;
    return 0;
}

static int tls_set(const struct saying *s, const char *text, enum errand_notify_tls *ret)
{
    static const char *const names[] = {[ERRAND_TLS_STARTTLS] = "starttls",
                                        [ERRAND_TLS_IMPLICIT] = "implicit",
                                        [ERRAND_TLS_NONE] = "none"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], text) == 0) {
            *ret = (enum errand_notify_tls)i;
            return 0;
        }
    return refuse(s, text, "is neither starttls, implicit nor none");
}

static int every_set(const struct saying *s, const char *text, double *ret)
{
    int64_t ms;

    if (er_duration_parse(text, &ms) < 0 || ms > 86400000)
        return refuse(s, text, "is not a time from 0 to 1d; write 90, 5m or 1h");
    *ret = ms ? (double)ms / 1000 : ERRAND_NOTIFY_EACH;
    return 0;
}

static const char *path_of(const struct saying *s, const char *text)
{
    return text[0] == '/' ? text
                          : er_config_path(s->config->arena, s->config->project, text);
}

static int secret_read(const struct saying *s, const char *path, const char **ret)
{
    char text[SECRET_MAX + 1];
    ssize_t len = -1;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return refuse(s, path, errno == ENOENT ? "is not there" : "cannot be opened");
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_mode & S_IRWXO) {
        close(fd);
        return refuse(s, path,
                      "must be a file that only its owner and group can read: chmod 600");
    }
    len = read(fd, text, sizeof text);
    close(fd);
    if (len < 0 || len > SECRET_MAX)
        return refuse(s, path, len < 0 ? "cannot be read" : "is longer than 4,096 bytes");
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    text[len] = '\0';
    if (strlen(text) != (size_t)len)
        return refuse(s, path, "has a NUL in it");
    *ret = errand_arena_copy(s->config->arena, text, (size_t)len);
    return *ret ? checked(s, s->field->holds, *ret) : er_error_nomem(s->err);
}

/* ------------------------------------------------------------------ a setting */

static int scalar_set(const struct saying *s, const char *text, void *at)
{
    const char *path;

    switch (s->field->kind) {
    case TEXT:
        *(const char **)at = text;
        return checked(s, s->field->setting, text);
    case PATH:
        *(const char **)at = path_of(s, text);
        return *(const char **)at ? 0 : er_error_nomem(s->err);
    case SECRET_FILE:
        path = path_of(s, text);
        return path ? secret_read(s, path, at) : er_error_nomem(s->err);
    case PORT:
        return port_read(s, text, at);
    case TLS:
        return tls_set(s, text, at);
    case EVERY:
        return every_set(s, text, at);
    case LIST:
    case PORTS:
        break;
    }
    return errand_error_set(s->err, ERRAND_EINTERNAL, "%s has no scalar",
                            s->field->setting);
}

/* A secret that stands in the file itself makes the file one. */
static void secret_note(const struct saying *s, const char *text)
{
    if (s->place->file && strcmp(er_notify_shown(s->field->setting, text), text) != 0)
        s->config->has_secret = true;
}

int er_notify_set(struct er_config *config, const char *setting,
                  const struct er_config_value *value,
                  const struct er_config_place *place, struct errand_error *err)
{
    struct saying s = {.config = config, .place = place, .err = err};
    const char *text;
    void *at;
    int rc;

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].setting, setting) == 0)
            s.field = &fields[i];
    if (!s.field)
        return errand_error_set(err, ERRAND_EINTERNAL, "no setting '%s'", setting);
    at = (char *)&config->notify + s.field->offset;
    if (s.field->kind == LIST)
        return list_set(&s, value, at);
    if (s.field->kind == PORTS)
        return ports_set(&s, value, at);
    secret_note(&s, value->items[0]);
    if ((rc = expand(&s, value->items[0], &text)) < 0 || !text)
        return rc;
    return scalar_set(&s, text, at);
}
