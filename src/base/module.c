/* module.c: finds and loads a module.
 *
 * A module is looked for where errand was installed, and in the folder of the build when
 * the program itself comes from there; ERRAND_MODULES names another folder, but not in a
 * program that runs with raised rights. Its code runs as us, so neither its file nor its
 * folder may be another user's to change. It is loaded with its own symbols first
 * (RTLD_DEEPBIND): a host such as Node exports its own OpenSSL, which a client library of
 * a database must not be given. */
#include "base/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

/* Sanitizers replace malloc, and a module that prefers its own would miss that. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_SYMBOLS_FIRST 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_SYMBOLS_FIRST 0
#endif
#endif
#ifndef OWN_SYMBOLS_FIRST
#define OWN_SYMBOLS_FIRST RTLD_DEEPBIND
#endif

/* The file that the code of this very library or command is in. The loader knows a
 * command only by the name that it was called by. */
static bool own_path(char *ret)
{
    struct link_map *map;
    Dl_info info;

    return dladdr1((void *)(uintptr_t)own_path, &info, (void **)&map, RTLD_DL_LINKMAP) &&
           realpath(map->l_name[0] ? map->l_name : "/proc/self/exe", ret);
}

/* Whether that lies below the folder. */
static bool runs_from(const char *folder)
{
    char path[PATH_MAX];
    size_t len = strlen(folder);

    return own_path(path) && strncmp(path, folder, len) == 0 && path[len] == '/';
}

static void path_of(const struct er_module *module, char *ret, size_t size)
{
    const char *asked = secure_getenv("ERRAND_MODULES");

    if (asked && *asked)
        snprintf(ret, size, "%s/%s.so", asked, module->name);
    else if (runs_from(ERRAND_BUILD_DIR))
        snprintf(ret, size, "%s/%s/%s.so", ERRAND_BUILD_DIR, module->folder,
                 module->name);
    else
        snprintf(ret, size, "%s/%s.so", ERRAND_MODULE_DIR, module->name);
}

/* ------------------------------------------------------------------ whose it is */

/* Who owns errand itself can do as he likes with us; in a sandbox that knows no root he
 * stands for him. */
static bool is_trusted_owner(uid_t uid)
{
    char path[PATH_MAX];
    struct stat own;

    return uid == 0 || uid == geteuid() ||
           (own_path(path) && stat(path, &own) == 0 && own.st_uid == uid);
}

static int owner_check(const char *path, struct errand_error *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "looking at '%s'", path);
    if (!is_trusted_owner(st.st_uid))
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s belongs to user %u, neither to root nor to you, and "
                                "its code would run as you: chown it",
                                path, (unsigned)st.st_uid);
    if (st.st_mode & S_IWOTH ||
        (st.st_mode & S_IWGRP && st.st_gid != 0 && st.st_gid != getegid()))
        return errand_error_set(err, ERRAND_EINVAL,
                                "%s can be changed by others, and its code would run as "
                                "you: chmod go-w %s",
                                path, path);
    return 0;
}

static int folder_check(const char *path, struct errand_error *err)
{
    char folder[PATH_MAX];
    int len = (int)(strrchr(path, '/') - path);

    snprintf(folder, sizeof folder, "%.*s", len ? len : 1, path);
    return owner_check(folder, err);
}

/* A link may be exchanged by who owns its folder, and the file by who owns the one that
 * it is in. */
static int check(const char *named, const char *real, struct errand_error *err)
{
    int rc;

    if ((rc = folder_check(named, err)) < 0 || (rc = folder_check(real, err)) < 0)
        return rc;
    return owner_check(real, err);
}

/* ------------------------------------------------------------------ loading */

static int find(const struct er_module *module, char *ret_path, struct errand_error *err)
{
    char named[PATH_MAX];

    path_of(module, named, sizeof named);
    if (*named != '/')
        return errand_error_set(err, ERRAND_EINVAL,
                                "ERRAND_MODULES leads to '%s': name its folder from the "
                                "root, beginning with '/'",
                                named);
    if (!realpath(named, ret_path))
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "this errand was built or installed without %s: there is "
                                "no %s",
                                module->what, named);
    return check(named, ret_path, err);
}

int er_module_check(const struct er_module *module, struct errand_error *err)
{
    char path[PATH_MAX];

    return find(module, path, err);
}

int er_module_load(const struct er_module *module, const void **ret_entry,
                   struct errand_error *err)
{
    char path[PATH_MAX];
    const void *entry;
    void *handle;
    int rc;

    if ((rc = find(module, path, err)) < 0)
        return rc;
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | OWN_SYMBOLS_FIRST);
    if (!handle)
        return errand_error_set(err, ERRAND_EUNSUPPORTED, "loading %s: %s", module->what,
                                dlerror());
    entry = dlsym(handle, module->entry);
    if (!entry)
        return errand_error_set(err, ERRAND_EUNSUPPORTED, "%s is not %s of errand", path,
                                module->what);
    *ret_entry = entry;
    return 0;
}
