/* redis_server.c: see redis_server.h. */
#include "support/redis_server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NOBODY = 65534, START_MS = 20000, STOP_MS = 20000, STEP_MS = 10 };

static void nap(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

/* The kernel gives one that is free; its cluster bus wants the one 10,000 above. */
static int free_port(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof to;
    int port = 0;

    while (port == 0 || port > 50000) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        to.sin_port = 0;
        assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &len), 0);
        port = ntohs(to.sin_port);
        close(fd);
    }
    return port;
}

void redis_server_init(struct redis_server *s, bool with_port, const char *const *args)
{
    *s = (struct redis_server){.port = with_port ? free_port() : 0};
    snprintf(s->dir, sizeof s->dir, "/tmp/errand-r-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    assert_int_equal(chmod(s->dir, 0755), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(s->dir, NOBODY, NOBODY), 0);
    snprintf(s->socket, sizeof s->socket, "%s/s", s->dir);
    for (size_t i = 0; args && args[i]; i++) {
        assert_true(i + 1 < REDIS_ARGS_MAX);
        s->args[i] = args[i];
    }
}

static void become(const struct redis_server *s, const char **argv)
{
    char log[80];
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(log, sizeof log, "%s/log", s->dir);
    if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
        _exit(97);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || chdir(s->dir) < 0)
        _exit(98);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user forgets it */
    execvp(argv[0], (char *const *)argv);
    _exit(99);
}

void redis_server_launch(struct redis_server *s)
{
    static const char *const common[] = {"--save", "",          "--unixsocketperm", "777",
                                         "--bind", "127.0.0.1", "--protected-mode", "no"};
    const char *argv[REDIS_ARGS_MAX + 20];
    char port[16];
    size_t n = 0;

    assert_int_equal(s->pid, 0);
    snprintf(port, sizeof port, "%d", s->port);
    argv[n++] = s->program ? s->program : "redis-server";
    if (!s->program) {
        argv[n++] = "--port";
        argv[n++] = port;
        argv[n++] = "--unixsocket";
        argv[n++] = s->socket;
        for (size_t i = 0; i < sizeof common / sizeof *common; i++)
            argv[n++] = common[i];
    }
    for (size_t i = 0; s->args[i]; i++)
        argv[n++] = s->args[i];
    argv[n] = NULL;
    fflush(NULL);
    unlink(s->socket);
    if ((s->pid = fork()) == 0)
        become(s, argv);
    assert_true(s->pid > 0);
}

redisContext *redis_server_link(const struct redis_server *s)
{
    const struct timeval patience = {.tv_sec = 30};
    redisContext *link = s->program
                             ? redisConnectWithTimeout("127.0.0.1", s->port, patience)
                             : redisConnectUnixWithTimeout(s->socket, patience);

    if (link && !link->err && redisSetTimeout(link, patience) == REDIS_OK)
        return link;
    if (link)
        redisFree(link);
    return NULL;
}

static bool answers(const struct redis_server *s)
{
    redisContext *link = redis_server_link(s);
    redisReply *reply = link ? redisCommand(link, "PING") : NULL;
    bool is_there = reply != NULL;

    if (reply)
        freeReplyObject(reply);
    if (link)
        redisFree(link);
    return is_there;
}

void redis_server_start(struct redis_server *s)
{
    redis_server_launch(s);
    for (int ms = 0; !answers(s); ms += STEP_MS) {
        if (ms >= START_MS || waitpid(s->pid, NULL, WNOHANG) == s->pid)
            fail_msg("redis-server did not start: see %s/log", s->dir);
        nap(STEP_MS);
    }
}

void redis_server_stop(struct redis_server *s, int signal)
{
    int ms = 0;

    if (!s->pid)
        return;
    kill(s->pid, signal);
    kill(s->pid, SIGCONT);
    while (waitpid(s->pid, NULL, WNOHANG) == 0) {
        if ((ms += STEP_MS) >= STOP_MS)
            kill(s->pid, SIGKILL);
        nap(STEP_MS);
    }
    s->pid = 0;
}

static void folder_remove(const char *path)
{
    char inner[512];
    struct dirent *entry;
    DIR *dir = opendir(path);

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (unlink(inner) < 0)
            folder_remove(inner);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

void redis_server_free(struct redis_server *s)
{
    redis_server_stop(s, SIGKILL);
    if (s->dir[0] && !getenv("ERRAND_KEEP"))
        folder_remove(s->dir);
    s->dir[0] = '\0';
}

/* ------------------------------------------------------------------ asking */

static redisReply *ask(const struct redis_server *s, const char *format, va_list ap)
{
    redisContext *link = redis_server_link(s);
    redisReply *reply;

    if (!link)
        fail_msg("no connection to the Redis in %s", s->dir);
    reply = redisvCommand(link, format, ap);
    redisFree(link);
    return reply;
}

redisReply *redis_server_ask(const struct redis_server *s, const char *format, ...)
{
    redisReply *reply;
    va_list ap;

    va_start(ap, format);
    reply = ask(s, format, ap);
    va_end(ap);
    if (!reply)
        fail_msg("the Redis in %s does not answer '%s'", s->dir, format);
    return reply;
}

void redis_server_do(const struct redis_server *s, const char *format, ...)
{
    redisReply *reply;
    va_list ap;

    va_start(ap, format);
    reply = ask(s, format, ap);
    va_end(ap);
    if (!reply || reply->type == REDIS_REPLY_ERROR)
        fail_msg("'%s': %s", format, reply ? reply->str : "no answer");
    freeReplyObject(reply);
}

static bool info_word(const struct redis_server *s, const char *name, char *ret,
                      size_t size)
{
    redisReply *reply = redis_server_ask(s, "INFO");
    char line[80];
    const char *at;

    snprintf(line, sizeof line, "\n%s:", name);
    at = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, line) : NULL;
    if (at)
        snprintf(ret, size, "%.*s", (int)strcspn(at + strlen(line), "\r\n"),
                 at + strlen(line));
    freeReplyObject(reply);
    return at != NULL;
}

long long redis_server_info(const struct redis_server *s, const char *name)
{
    char word[64];

    if (!info_word(s, name, word, sizeof word))
        fail_msg("INFO says no %s", name);
    return strtoll(word, NULL, 10);
}

bool redis_server_becomes(const struct redis_server *s, const char *name,
                          const char *value, int timeout_ms)
{
    char word[64];

    for (int ms = 0; ms <= timeout_ms; ms += STEP_MS) {
        if (info_word(s, name, word, sizeof word) && strcmp(word, value) == 0)
            return true;
        nap(STEP_MS);
    }
    return false;
}

/* ------------------------------------------------------------------ a Cluster */

static void wait_whole(const struct redis_server *node)
{
    bool is_whole = false;

    for (int ms = 0; !is_whole; ms += STEP_MS) {
        redisReply *reply = redis_server_ask(node, "CLUSTER INFO");
        is_whole = strstr(reply->str, "cluster_state:ok") &&
                   strstr(reply->str, "cluster_known_nodes:3");
        freeReplyObject(reply);
        if (ms > START_MS)
            fail_msg("the Cluster does not come together");
        nap(STEP_MS);
    }
}

void redis_cluster_start(struct redis_cluster *c)
{
    static const char *const args[] = {"--cluster-enabled", "yes",
                                       "--cluster-node-timeout", "2000", NULL};

    for (int i = 0; i < REDIS_NODES_N; i++) {
        redis_server_init(&c->nodes[i], true, args);
        redis_server_start(&c->nodes[i]);
        redis_server_do(&c->nodes[i], "CLUSTER ADDSLOTSRANGE %d %d",
                        REDIS_SLOTS_N * i / REDIS_NODES_N,
                        REDIS_SLOTS_N * (i + 1) / REDIS_NODES_N - 1);
    }
    for (int i = 1; i < REDIS_NODES_N; i++)
        redis_server_do(&c->nodes[i], "CLUSTER MEET 127.0.0.1 %d", c->nodes[0].port);
    for (int i = 0; i < REDIS_NODES_N; i++)
        wait_whole(&c->nodes[i]);
}

void redis_cluster_free(struct redis_cluster *c)
{
    for (int i = 0; i < REDIS_NODES_N; i++)
        redis_server_free(&c->nodes[i]);
}

void redis_cluster_url(const struct redis_cluster *c, const char *prefix, char *ret,
                       size_t size)
{
    snprintf(ret, size, "redis+cluster://127.0.0.1:%d,127.0.0.1:%d?prefix=%s",
             c->nodes[0].port, c->nodes[1].port, prefix);
}

int redis_cluster_slot(const struct redis_cluster *c, const char *key)
{
    redisReply *reply = redis_server_ask(&c->nodes[0], "CLUSTER KEYSLOT %s", key);
    int slot = (int)reply->integer;

    freeReplyObject(reply);
    return slot;
}

int redis_cluster_owner(int slot)
{
    int i = 0;

    while (slot >= REDIS_SLOTS_N * (i + 1) / REDIS_NODES_N)
        i++;
    return i;
}

static void id_of(const struct redis_server *node, char ret[64])
{
    redisReply *reply = redis_server_ask(node, "CLUSTER MYID");

    snprintf(ret, 64, "%s", reply->str);
    freeReplyObject(reply);
}

/* Answers how many keys there were. */
static size_t some_move(const struct redis_server *from, const struct redis_server *to,
                        int slot)
{
    redisReply *keys = redis_server_ask(from, "CLUSTER GETKEYSINSLOT %d 100", slot);
    size_t n = keys->elements;

    for (size_t i = 0; i < n; i++)
        redis_server_do(from, "MIGRATE 127.0.0.1 %d %b 0 5000", to->port,
                        keys->element[i]->str, (size_t)keys->element[i]->len);
    freeReplyObject(keys);
    return n;
}

void redis_cluster_move(const struct redis_cluster *c, int slot, int from, int to)
{
    const struct redis_server *a = &c->nodes[from], *b = &c->nodes[to];
    char old[64], new[64];

    id_of(a, old);
    id_of(b, new);
    redis_server_do(b, "CLUSTER SETSLOT %d IMPORTING %s", slot, old);
    redis_server_do(a, "CLUSTER SETSLOT %d MIGRATING %s", slot, new);
    while (some_move(a, b, slot))
        ;
    redis_server_do(b, "CLUSTER SETSLOT %d NODE %s", slot, new);
    redis_server_do(a, "CLUSTER SETSLOT %d NODE %s", slot, new);
}
