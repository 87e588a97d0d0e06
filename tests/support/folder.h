/* folder.h: a temporary folder of a test, gone with all that is in it. */
#ifndef ER_TESTS_FOLDER_H
#define ER_TESTS_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { FOLDER_MAX = 64 };

/* "/tmp/errand-NAME-xxxxxx" in `buf`, which has room for FOLDER_MAX; -1 when it fails. */
static inline int folder_make(char *buf, const char *name)
{
    snprintf(buf, FOLDER_MAX, "/tmp/errand-%s-XXXXXX", name);
    return mkdtemp(buf) ? 0 : -1;
}

static inline int folder_forget(const char *path, const struct stat *st, int flag,
                                struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline int folder_remove(const char *path)
{
    return nftw(path, folder_forget, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
