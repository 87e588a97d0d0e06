/* doctor_host.c: the file, its folder, its file system, the disk and the clock. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "core/clock.h"

enum { SPACE_WARN_MIB = 256, SPACE_FAIL_MIB = 16 };

/* Numbers of statfs(2), from linux/magic.h and the file systems' own sources: their locks
 * or their memory maps do not hold between machines. */
static const struct {
    uint32_t magic;
    const char *name;
} network[] = {
    {0x6969, "NFS"},        {0x517b, "SMB"},       {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB2"},   {0x01021997, "9P"},    {0x00c36400, "Ceph"},
    {0x5346414f, "AFS"},    {0x7461636f, "OCFS2"}, {0x01161970, "GFS2"},
    {0x0bd00bd0, "Lustre"}, {0x65735546, "FUSE"},
};

static void file_mode(struct er_doctor *d, const char *file)
{
    char *remedy = er_arena_printf(d->cli->arena, "chmod 600 %s*", file);
    struct stat st;

    if (stat(file, &st) < 0)
        return; /* the store's own check has said so */
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        er_doctor_say(d, ER_WARN, "file", remedy,
                      "%s can be read or written by others (mode %o)", file,
                      (unsigned)st.st_mode & 07777);
    else if (st.st_uid != geteuid())
        er_doctor_say(d, ER_WARN, "file", "run errand as the user who owns it",
                      "%s belongs to user %u", file, (unsigned)st.st_uid);
    else
        er_doctor_say(d, ER_OK, "file", NULL, "mode %o, %" PRId64 " KiB",
                      (unsigned)st.st_mode & 07777, (int64_t)st.st_size / 1024);
}

static void folder(struct er_doctor *d, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        er_doctor_say(d, ER_FAIL, "folder", "make it", "%s: %s", path, strerror(errno));
    else if (access(path, W_OK) < 0)
        er_doctor_say(d, ER_FAIL, "folder",
                      "the store makes files beside its own: give write access", "%s: %s",
                      path, strerror(errno));
    else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
        er_doctor_say(d, ER_WARN, "folder", "chmod o-w", "%s can be changed by everybody",
                      path);
    else
        er_doctor_say(d, ER_OK, "folder", NULL, "%s is writable", path);
}

static void file_system(struct er_doctor *d, const char *path)
{
    struct statfs fs;

    if (statfs(path, &fs) < 0)
        return;
    for (size_t i = 0; i < sizeof network / sizeof *network; i++)
        if ((uint32_t)fs.f_type == network[i].magic) {
            er_doctor_say(d, ER_FAIL, "file system", "put the store on a local disk",
                          "%s is on %s, where SQLite's locks cannot be trusted", path,
                          network[i].name);
            return;
        }
    er_doctor_say(d, ER_OK, "file system", NULL, "local (type %08" PRIx32 ")",
                  (uint32_t)fs.f_type);
}

static void space(struct er_doctor *d, const char *path)
{
    struct statvfs fs;
    int64_t mib;

    if (statvfs(path, &fs) < 0)
        return;
    mib = (int64_t)(fs.f_bavail / 1024 * (fs.f_frsize / 1024 ? fs.f_frsize / 1024 : 1));
    if (mib < SPACE_FAIL_MIB)
        er_doctor_say(d, ER_FAIL, "space", "free disk space",
                      "%" PRId64 " MiB left on %s", mib, path);
    else if (mib < SPACE_WARN_MIB)
        er_doctor_say(d, ER_WARN, "space", "free disk space",
                      "%" PRId64 " MiB left on %s", mib, path);
    else
        er_doctor_say(d, ER_OK, "space", NULL, "%" PRId64 " MiB left", mib);
}

/* Delays and schedules are wall-clock time. */
static void clock_check(struct er_doctor *d)
{
    int64_t now_ms = er_clock_wall_ms(NULL), born_ms = 0;
    struct timex t = {0};
    char text[32];
    bool is_synced = adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC);

    er_time_format(now_ms, text, sizeof text);
    er_time_parse("2026-01-01", &born_ms);
    if (now_ms < born_ms)
        er_doctor_say(d, ER_FAIL, "clock", "set it, and let NTP keep it", "it is %s here",
                      text);
    else
        er_doctor_say(d, ER_OK, "clock", NULL, "%s, %s", text,
                      is_synced ? "kept by NTP" : "not known to be kept by NTP");
}

void er_doctor_host(struct er_doctor *d)
{
    const char *file = er_cli_store_file(d->cli);
    const char *path = er_cli_store_folder(d->cli);

    if (file) {
        file_mode(d, file);
        folder(d, path);
        file_system(d, path);
        space(d, path);
    }
    clock_check(d);
}
