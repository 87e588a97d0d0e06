/* read.c: a whole file or standard input. */
#include "cli/read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

enum { CHUNK = 64 << 10 };

static int all_read(const char *what, int fd, size_t max, struct er_buf *buf,
                    struct errand_error *err)
{
    ssize_t n = 1;

    while (n != 0) {
        if (buf->len > max || er_buf_reserve(buf, CHUNK) < 0)
            return errand_error_set(err, ERRAND_ETOOBIG, "%s is over %zu MiB", what,
                                    max >> 20);
        if ((n = read(fd, buf->ptr + buf->len, CHUNK)) > 0)
            buf->len += (size_t)n;
        else if (n < 0 && errno != EINTR)
            return er_error_errno(err, ERRAND_EIO, errno, "reading %s", what);
    }
    return 0;
}

int er_cli_read(struct er_cli *cli, const char *what, const char *path, int max_mib,
                struct errand_slice *ret, struct errand_error *err)
{
    size_t max = (size_t)max_mib << 20;
    struct er_buf buf;
    int fd = STDIN_FILENO, rc;

    if (strcmp(path, "-") != 0 && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return er_error_errno(err, errno == ENOENT ? ERRAND_ENOTFOUND : ERRAND_EIO, errno,
                              "opening '%s'", path);
    er_buf_init(&buf, max + CHUNK);
    rc = all_read(what, fd, max, &buf, err);
    if (fd != STDIN_FILENO)
        close(fd);
    while (buf.len && memchr(" \t\r\n", buf.ptr[buf.len - 1], 4))
        buf.len--;
    if (rc == 0 && buf.len && memchr(buf.ptr, '\0', buf.len))
        rc = errand_error_set(err, ERRAND_EJSON,
                              "%s is not JSON: it has a NUL byte in it", what);
    if (rc == 0 && !(*ret = er_arena_slice(cli->arena, buf.ptr, buf.len)).ptr && buf.len)
        rc = er_error_nomem(err);
    er_buf_done(&buf);
    return rc;
}
