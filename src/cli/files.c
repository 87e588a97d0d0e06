/* files.c: new files and folders, never over old ones. */
#include "cli/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

int er_folder_make(const char *path, struct errand_error *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    struct stat st;

    if (len == 0 || len >= sizeof part)
        return errand_error_set(err, ERRAND_EINVAL, "'%s' is no name for a folder", path);
    memcpy(part, path, len + 1);
    for (char *p = part + 1;; p++) {
        char had = *p;

        if (had != '/' && had != '\0')
            continue;
        *p = '\0';
        if (mkdir(part, 0755) < 0 && errno != EEXIST)
            return er_error_errno(err, ERRAND_EIO, errno, "making folder '%s'", part);
        if (had == '\0')
            break;
        *p = had;
    }
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return errand_error_set(err, ERRAND_ECONFLICT, "'%s' is not a folder", path);
    return 0;
}

int er_folder_is_empty(const char *path, struct errand_error *err)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int is_empty = 1;

    if (!dir && errno == ENOTDIR)
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "'%s' is not a folder; name one that is new or empty",
                                path);
    if (!dir)
        return er_error_errno(err, errno == ENOENT ? ERRAND_ENOTFOUND : ERRAND_EIO, errno,
                              "reading folder '%s'", path);
    while (is_empty && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            is_empty = 0;
    closedir(dir);
    return is_empty;
}

static int write_all(int fd, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        ssize_t n = write(fd, text, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        text += n;
        left -= (size_t)n;
    }
    return 0;
}

int er_file_make(const char *path, mode_t mode, const char *text,
                 struct errand_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

    if (fd < 0 && errno == EEXIST)
        return errand_error_set(err, ERRAND_ECONFLICT,
                                "'%s' is there already; nothing was overwritten", path);
    if (fd < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "making '%s'", path);
    if (write_all(fd, text) < 0) {
        int failed = errno;

        close(fd);
        unlink(path);
        return er_error_errno(err, failed == ENOSPC ? ERRAND_EFULL : ERRAND_EIO, failed,
                              "writing '%s'", path);
    }
    close(fd);
    return 0;
}
