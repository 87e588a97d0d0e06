/* wait.c: the descriptor of a connection that becomes readable when something may have
 * come about. Every writer of the store writes to the descriptors that are armed for what
 * it did, its own included. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "store/memory/memory.h"

static int fd_make(struct mem_conn *conn, struct errand_error *err)
{
    if (conn->fd >= 0)
        return 0;
    conn->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (conn->fd >= 0)
        return 0;
    return er_error_errno(err, ERRAND_EIO, errno, "making a descriptor to wait on");
}

int er_mem_op_wait_fd(struct errand_conn *base, struct errand_error *err)
{
    struct mem_conn *conn = (struct mem_conn *)base;
    int rc;

    pthread_mutex_lock(&conn->store->lock);
    rc = fd_make(conn, err);
    pthread_mutex_unlock(&conn->store->lock);
    return rc < 0 ? rc : conn->fd;
}

int er_mem_op_wait_arm(struct errand_conn *base, uint32_t wait_for,
                       struct errand_error *err)
{
    struct mem_conn *conn = (struct mem_conn *)base;
    uint64_t count;
    int rc;

    pthread_mutex_lock(&conn->store->lock);
    if ((rc = fd_make(conn, err)) == 0) {
        conn->armed = wait_for;
        /* Nothing to read is as well: what counts is that it is empty now. */
        if (read(conn->fd, &count, sizeof count) < 0)
            count = 0;
    }
    pthread_mutex_unlock(&conn->store->lock);
    return rc;
}
