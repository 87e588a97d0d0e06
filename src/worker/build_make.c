/* build_make.c: brings a compiled job file up to date, one process at a time, and removes
 * what is no longer of use. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "core/clock.h"
#include "worker/project.h"

/* Another process may have seen a newer source: leave what is young. */
enum { SWEEP_AGE_S = 600 };

/* The lock, as a descriptor that holds it until it is closed; waits for its turn. */
static int lock_take(const char *project, struct errand_error *err)
{
    char path[4200];
    int fd;

    snprintf(path, sizeof path, "%s/" ER_BUILD_FOLDER "/.lock", project);
    if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "opening %s", path);
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR) {
            int saved = errno;

            close(fd);
            return er_error_errno(err, ERRAND_EIO, saved, "locking %s", path);
        }
    return fd;
}

static int make_locked(const struct er_build *build, struct errand_error *err)
{
    struct errand_error why = {0};
    struct er_buf about;
    int rc = 0;

    er_buf_init(&about, 1 << 20);
    if (!er_build_is_compiled(build))
        rc = er_compile(build, &why);
    if (rc == 0 && (rc = er_vet(build, &about, &why)) == 0)
        rc = er_file_write(build->about, about.ptr, about.len, &why);
    if (rc == 0)
        (void)unlink(build->errors);
    else if (rc == ERRAND_EJOB)
        (void)er_file_write(build->errors, why.message, strlen(why.message), NULL);
    er_buf_done(&about);
    if (rc < 0)
        return errand_error_set(err, rc, "%s", why.message);
    return 0;
}

int er_build_make(const struct er_build *build, const struct er_project_files *files,
                  struct errand_error *err)
{
    int rc = er_build_state(build, files, err), lock;

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if ((rc = er_build_folders(build->project, true, err)) < 0)
        return rc;
    if ((lock = lock_take(build->project, err)) < 0)
        return lock;
    rc = er_build_state(build, files, err); /* somebody may have been faster */
    if (rc == 0)
        rc = make_locked(build, err);
    close(lock);
    return rc < 0 ? rc : 0;
}

/* ------------------------------------------------------------------ sweep */

/* "mail-0123456789abcdef.so" → length of "mail-0123456789abcdef"; 0: not one of ours. */
static size_t base_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t len = dot ? (size_t)(dot - name) : 0;

    if (len < ER_HASH_DIGITS + 2 || name[len - ER_HASH_DIGITS - 1] != '-')
        return 0;
    for (size_t i = len - ER_HASH_DIGITS; i < len; i++)
        if (!isxdigit((unsigned char)name[i]))
            return 0;
    return len;
}

static bool is_current(const char *name, size_t len, const struct er_build *current,
                       size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (current[i].base && strlen(current[i].base) == len &&
            memcmp(current[i].base, name, len) == 0)
            return true;
    return false;
}

void er_build_sweep(const char *project, const struct er_build *current, size_t n)
{
    char path[4200];
    DIR *dir;

    snprintf(path, sizeof path, "%s/" ER_BUILD_FOLDER, project);
    if (!(dir = opendir(path)))
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        size_t len = base_length(e->d_name);
        struct stat st;

        if (len == 0 || is_current(e->d_name, len, current, n))
            continue;
        if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_ctim.tv_sec < er_clock_wall_ms(NULL) / 1000 - SWEEP_AGE_S)
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    }
    closedir(dir);
}
