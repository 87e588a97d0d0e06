/* replace.c: the file under an open connection was moved, removed or replaced.
 *
 * What is written to it is seen by nobody who opens the path now, and lost when the last
 * one here closes it. So it is looked for with every call, and once another store stands
 * at the path, the connection serves that one. SQLite leaves log and index of a file that
 * has moved alone when it closes it: those at the path belong to the other by then. */
#include "store/sqlite/open.h"

#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "core/clock.h"
#include "store/sqlite/wake.h"

enum { PATH_SEEN_MS = 1000 };

/* One that was removed is told by the descriptor. One that has another name is only hard
 * to find: once a second, since following the path costs 5 % of a dispatch. */
static bool has_moved(struct er_sqlite *conn, int64_t now_ms)
{
    struct stat st;
    int moved = 0;

    if (conn->file_fd >= 0 && now_ms >= conn->path_seen_ms &&
        now_ms - conn->path_seen_ms < PATH_SEEN_MS)
        return fstat(conn->file_fd, &st) == 0 && st.st_nlink == 0;
    sqlite3_file_control(conn->db.handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    conn->path_seen_ms = now_ms;
    return moved;
}

/* Callers keep the address of the connection and its descriptor to wait on. */
static void swap(struct er_sqlite *conn, struct er_sqlite *fresh)
{
    struct er_sqlite old = *conn;

    *conn = *fresh;
    *fresh = old;
    fresh->scratch = conn->scratch; /* whose bytes the call under way may have */
    conn->scratch = old.scratch;
    conn->call = old.call;
    er_busy_set(conn);
    er_busy_set(fresh);
    er_wake_adopt(conn, fresh->wake);
}

int er_sqlite_replace(struct er_sqlite *conn, int64_t now_ms, struct errand_error *err)
{
    struct errand_conn *fresh;

    if (!has_moved(conn, now_ms ? now_ms : er_clock_wall_ms(NULL)))
        return 0;
    if (er_sqlite_again(&conn->base, &conn->params, &fresh, NULL) < 0) {
        conn->path_seen_ms = INT64_MAX; /* to be looked for by the next call, too */
        return errand_error_set(err, ERRAND_EUNAVAILABLE,
                                "the file was moved, removed or replaced while it was "
                                "open; put it back, or make another store there with "
                                "'errand migrate'");
    }
    swap(conn, (struct er_sqlite *)fresh);
    er_sqlite_close(fresh);
    return 0;
}

int64_t er_sqlite_identity(const struct er_sqlite *conn)
{
    return ((int64_t)conn->salt[0] << 20 | conn->salt[1]) + 1; /* 0 is none */
}
