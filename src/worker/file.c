/* file.c: whole files, read and written. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "worker/project.h"

enum { READ_STEP = 16 << 10 };

int er_file_read(const char *path, size_t max, struct er_buf *buf,
                 struct errand_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
    ssize_t n = 0;

    if (fd < 0)
        return er_error_errno(err, errno == ENOENT ? ERRAND_ENOTFOUND : ERRAND_EIO, errno,
                              "opening %s", path);
    for (;;) {
        if (er_buf_reserve(buf, READ_STEP) < 0) {
            rc = er_error_nomem(err);
            break;
        }
        n = read(fd, buf->ptr + buf->len, READ_STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        buf->len += (size_t)n;
        buf->ptr[buf->len] = '\0';
        if (buf->len > max) {
            rc = errand_error_set(err, ERRAND_ETOOBIG, "%s has more than %zu bytes", path,
                                  max);
            break;
        }
    }
    if (rc == 0 && n < 0)
        rc = er_error_errno(err, ERRAND_EIO, errno, "reading %s", path);
    close(fd);
    return rc;
}

static int all_write(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

int er_file_write(const char *path, const char *bytes, size_t len,
                  struct errand_error *err)
{
    char temp[4200];
    int fd;

    snprintf(temp, sizeof temp, "%s.%d.tmp", path, (int)getpid());
    fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "making %s", temp);
    if (all_write(fd, bytes, len) < 0 || rename(temp, path) < 0) {
        int saved = errno;

        close(fd);
        unlink(temp);
        return er_error_errno(err, ERRAND_EIO, saved, "writing %s", path);
    }
    close(fd);
    return 0;
}
