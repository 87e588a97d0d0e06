/* holder.c: who keeps us waiting. At three in the morning "database is locked" is no
 * help, "held by process 4711 (sqlite3)" is. The kernel lists all POSIX locks; SQLite's
 * write lock is one byte of the -shm file. That file is only looked at: whoever opens and
 * closes it drops the locks of his process. */
#include "store/sqlite/holder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { WRITE_BYTE = 120 }; /* WAL_WRITE_LOCK, of SQLite's file format */

/* "7: POSIX  ADVISORY  WRITE 4711 fe:01:1234 120 120"; 0: another lock. */
static pid_t line_read(const char *line, const struct stat *st)
{
    char kind[16], mode[16], type[16];
    unsigned major, minor;
    uint64_t inode, first;
    long pid;

    if (sscanf(line, "%*d: %15s %15s %15s %ld %x:%x:%" SCNu64 " %" SCNu64, kind, mode,
               type, &pid, &major, &minor, &inode, &first) != 8)
        return 0; /* a waiter has an arrow in its line */
    if (strcmp(type, "WRITE") != 0 || inode != st->st_ino || first > WRITE_BYTE ||
        major != major(st->st_dev) || minor != minor(st->st_dev))
        return 0;
    return pid > 0 && pid != getpid() ? (pid_t)pid : 0;
}

pid_t er_sqlite_holder(const char *file, char *name, size_t size)
{
    char path[4096], line[256];
    struct stat st;
    pid_t pid = 0;
    FILE *f;

    if (size)
        *name = '\0';
    if (!file || snprintf(path, sizeof path, "%s-shm", file) >= (int)sizeof path ||
        stat(path, &st) < 0 || !(f = fopen("/proc/locks", "re")))
        return 0;
    while (!pid && fgets(line, sizeof line, f))
        pid = line_read(line, &st);
    fclose(f);
    if (!pid)
        return 0;
    snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
    if ((f = fopen(path, "re"))) {
        if (fgets(name, (int)size, f))
            name[strcspn(name, "\n")] = '\0';
        fclose(f);
    }
    return pid;
}
