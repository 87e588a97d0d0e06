/* error.c: what SQLite says, in our words. */
#include "store/sqlite/sqlite.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "store/sqlite/holder.h"

/* IOERR that may pass (a full disk shows itself as a failed write now and then), and one
 * that means the file system has given up. */
static int code_of_ioerr(int rc)
{
    switch (rc) {
    case SQLITE_IOERR_NOMEM:
        return ERRAND_ENOMEM;
    case SQLITE_IOERR_LOCK:
    case SQLITE_IOERR_RDLOCK:
    case SQLITE_IOERR_UNLOCK:
    case SQLITE_IOERR_CHECKRESERVEDLOCK:
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMLOCK:
    case SQLITE_IOERR_SHMMAP:
        return ERRAND_EUNAVAILABLE;
    case SQLITE_IOERR_SHMSIZE: /* the wal-index could not grow: no space */
        return ERRAND_EFULL;
    default:
        return ERRAND_EIO;
    }
}

/* Did the system refuse, and not SQLite itself? */
static bool is_of_system(int rc)
{
    return (rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN;
}

static int code_of(int rc, int sys)
{
    /* The file system was mounted for reading only while the file was open. */
    if (is_of_system(rc) && sys == EROFS)
        return ERRAND_EREADONLY;
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERRAND_EBUSY;
    case SQLITE_FULL:
        return ERRAND_EFULL;
    case SQLITE_READONLY:
        return ERRAND_EREADONLY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERRAND_ECORRUPT;
    case SQLITE_NOMEM:
        return ERRAND_ENOMEM;
    case SQLITE_IOERR:
        return code_of_ioerr(rc);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_INTERRUPT:
        return ERRAND_EUNAVAILABLE;
    case SQLITE_TOOBIG:
        return ERRAND_ETOOBIG;
    default:
        return ERRAND_EINTERNAL;
    }
}

/* What somebody can do about it. */
static const char *remedy(int code)
{
    switch (code) {
    case ERRAND_EBUSY:
        return "; try again";
    case ERRAND_EFULL:
        return "; free space on its disk and try again, nothing was lost";
    case ERRAND_EREADONLY:
        return "; check the permissions of the file and of its folder, and how its file "
               "system is mounted";
    case ERRAND_ECORRUPT:
        return "; restore a backup or see docs/stores/sqlite.md, nothing was changed";
    default:
        return "";
    }
}

static void holder_add(const struct er_db *db, char *text, size_t size)
{
    char name[64];
    pid_t pid =
        er_sqlite_holder(sqlite3_db_filename(db->handle, "main"), name, sizeof name);

    if (pid)
        snprintf(text, size, "; process %ld (%s) holds the write lock", (long)pid,
                 name[0] ? name : "?");
    else
        snprintf(text, size, "; another program holds the write lock");
}

/* A failed commit is not told by sqlite3_system_errno(): the log remembers. */
static int system_errno(const struct er_db *db)
{
    int sys = db->handle ? sqlite3_system_errno(db->handle) : 0;
    sqlite3_file *log = NULL;

    if (!sys && db->handle &&
        sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) ==
            SQLITE_OK &&
        log && log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &sys);
    return sys;
}

int er_sqlite_error(struct er_db *db, int rc, struct errand_error *err, const char *fmt,
                    ...)
{
    char what[256], holder[128] = "", reason[128] = "", text[96];
    int sys = is_of_system(rc) ? system_errno(db) : 0, code = code_of(rc, sys);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (code == ERRAND_EBUSY && db->handle)
        holder_add(db, holder, sizeof holder);
    if (sys)
        snprintf(reason, sizeof reason, " (%s)", strerror_r(sys, text, sizeof text));
    errand_error_set(err, code, "%s: %s%s%s%s", what,
                     db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc), reason,
                     holder, remedy(code));
    /* A disk that fails a write is not retried into success: EIO stays final. */
    if (err)
        err->sys = sys ? sys : rc;
    return code;
}
