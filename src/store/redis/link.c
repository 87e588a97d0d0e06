/* link.c: one connection to one address. The socket is ours and close-on-exec from birth;
 * hiredis speaks on it. */
#include "store/redis/redis.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "core/clock.h"
#include "store/redis/quiet.h"
#include "store/redis/tls.h"

enum { CONNECT_MOST_MS = 5000 };

/* "10.0.0.1:6379", "/run/redis.sock" */
struct shown {
    char text[160];
};

static struct shown shown(const struct er_redis_address *a)
{
    struct shown s;

    if (*a->host == '/')
        snprintf(s.text, sizeof s.text, "%.150s", a->host);
    else
        snprintf(s.text, sizeof s.text, "%.140s:%d", a->host, a->port);
    return s;
}

static int fail(const struct er_redis_address *a, int errnum, struct errand_error *err)
{
    return er_error_errno(err, ERRAND_EUNAVAILABLE, errnum, "connecting to %s",
                          shown(a).text);
}

/* ------------------------------------------------------------------ sockets */

static int64_t connect_ms(const struct er_redis *conn)
{
    return conn->busy_ms < CONNECT_MOST_MS ? conn->busy_ms : CONNECT_MOST_MS;
}

/* 0, or an errno. */
static int connect_wait(int fd, int64_t timeout_ms)
{
    int64_t until_ms = er_clock_mono_ms(NULL) + timeout_ms, left;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    socklen_t len = sizeof(int);
    int error = 0, rc;

    do {
        left = until_ms - er_clock_mono_ms(NULL);
        rc = poll(&p, 1, left > 0 ? (int)left : 0);
    } while (rc < 0 && errno == EINTR);
    if (rc == 0)
        return ETIMEDOUT;
    if (rc < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return errno;
    return error;
}

/* A connected, blocking socket, or a negative errno. */
static int socket_to(const struct sockaddr *to, socklen_t len, int64_t timeout_ms)
{
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int rc;

    if (fd < 0)
        return -errno;
    rc = connect(fd, to, len) < 0 ? errno : 0;
    if (rc == EINPROGRESS)
        rc = connect_wait(fd, timeout_ms);
    if (rc == 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0)
        rc = errno;
    if (rc) {
        close(fd);
        return -rc;
    }
    return fd;
}

static int unix_socket(const struct er_redis_address *a, int64_t timeout_ms,
                       struct errand_error *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(a->host) >= sizeof to.sun_path)
        return errand_error_set(err, ERRAND_EINVAL,
                                "the path of the socket has more than %zu bytes",
                                sizeof to.sun_path - 1);
    memcpy(to.sun_path, a->host, strlen(a->host));
    fd = socket_to((const struct sockaddr *)&to, sizeof to, timeout_ms);
    return fd < 0 ? fail(a, -fd, err) : fd;
}

/* Answers go out at once, and a peer that is gone without a word is noticed. */
static void tcp_options(int fd)
{
    const int one = 1, idle_s = 15, interval_s = 5, count = 3;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

static int tcp_socket(const struct er_redis_address *a, int64_t timeout_ms,
                      struct errand_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    char port[16];
    int fd = -EHOSTUNREACH, rc;

    snprintf(port, sizeof port, "%d", a->port);
    if ((rc = getaddrinfo(a->host, port, &hints, &list)) != 0)
        return errand_error_set(err, ERRAND_EUNAVAILABLE, "looking up %s: %s",
                                shown(a).text, gai_strerror(rc));
    for (struct addrinfo *i = list; i && fd < 0; i = i->ai_next)
        fd = socket_to(i->ai_addr, i->ai_addrlen, timeout_ms);
    freeaddrinfo(list);
    if (fd < 0)
        return fail(a, -fd, err);
    tcp_options(fd);
    return fd;
}

/* ------------------------------------------------------------------ commands */

static int command(redisContext *link, redisReply *reply, redisReply **ret,
                   struct errand_error *err)
{
    if (!reply)
        return er_link_error(link, err, "waiting for the answer");
    *ret = reply;
    if (reply->type == REDIS_REPLY_ERROR)
        return er_redis_error(reply->str, err);
    return 0;
}

int er_link_command(redisContext *link, redisReply **ret, struct errand_error *err,
                    const char *format, ...)
{
    redisReply *reply;
    va_list ap;

    va_start(ap, format);
    reply = er_quiet_format(link, format, ap);
    va_end(ap);
    return command(link, reply, ret, err);
}

static int simple(redisContext *link, struct errand_error *err, int n, const char **argv)
{
    redisReply *reply = NULL;
    int rc = command(link, er_quiet_argv(link, n, argv, NULL), &reply, err);

    if (reply)
        freeReplyObject(reply);
    return rc;
}

/* ------------------------------------------------------------------ whole */

static int greet(const struct er_redis_login *login, redisContext *link,
                 struct errand_error *err)
{
    const char *both[] = {"AUTH", login->user, login->password ? login->password : ""};
    const char *alone[] = {"AUTH", login->password};
    char number[24];
    const char *db[] = {"SELECT", number};
    int rc = 0;

    if (login->user)
        rc = simple(link, err, 3, both);
    else if (login->password)
        rc = simple(link, err, 2, alone);
    if (rc < 0 || !login->db)
        return rc;
    snprintf(number, sizeof number, "%lld", (long long)login->db);
    if ((rc = simple(link, err, 2, db)) < 0)
        return er_error_wrap(err, rc, "choosing database %s", number);
    return 0;
}

static int start(const struct er_redis *conn, const struct er_redis_address *address,
                 const struct er_redis_login *login, redisContext *link,
                 struct errand_error *err)
{
    struct timeval patience = {.tv_sec = conn->busy_ms / 1000,
                               .tv_usec = conn->busy_ms % 1000 * 1000};
    int rc;

    if (redisSetTimeout(link, patience) != REDIS_OK)
        return er_link_error(link, err, "setting a time limit");
    if (conn->target.is_tls &&
        (rc = er_tls_start(&conn->target, address->host, link, err)) < 0)
        return rc;
    return greet(login, link, err);
}

int er_link_make(const struct er_redis *conn, const struct er_redis_address *address,
                 const struct er_redis_login *login, redisContext **ret,
                 struct errand_error *err)
{
    redisContext *link;
    int rc, fd = *address->host == '/' ? unix_socket(address, connect_ms(conn), err)
                                       : tcp_socket(address, connect_ms(conn), err);

    if (fd < 0)
        return fd;
    if (!(link = redisConnectFd(fd))) {
        close(fd);
        return er_error_nomem(err);
    }
    if ((rc = start(conn, address, login, link, err)) < 0) {
        rc = er_error_wrap(err, rc, "connecting to %s", shown(address).text);
        redisFree(link);
        return rc;
    }
    *ret = link;
    return 0;
}
