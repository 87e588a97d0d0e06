/* module.c: finds and loads a module.
 *
 * A module is looked for where errand was installed, and in the folder of the build when
 * the program itself comes from there; ERRAND_MODULES names another folder, but not in a
 * program that runs with raised rights. It is loaded with its own symbols first
 * (RTLD_DEEPBIND): a host such as Node exports its own OpenSSL, which a client library of
 * a database must not be given. */
#include "base/module.h"

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Whether the code of this very library or command lies below the folder. The loader
 * knows a command only by the name that it was called by. */
static bool runs_from(const char *folder)
{
    char path[PATH_MAX];
    struct link_map *map;
    size_t len = strlen(folder);
    Dl_info info;

    return dladdr1((void *)(uintptr_t)runs_from, &info, (void **)&map, RTLD_DL_LINKMAP) &&
           realpath(map->l_name[0] ? map->l_name : "/proc/self/exe", path) &&
           strncmp(path, folder, len) == 0 && path[len] == '/';
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

static int find(const struct er_module *module, char *ret_path, size_t size,
                struct errand_error *err)
{
    path_of(module, ret_path, size);
    if (access(ret_path, F_OK) == 0)
        return 0;
    return errand_error_set(err, ERRAND_EUNSUPPORTED,
                            "this errand was built or installed without %s: there is no "
                            "%s",
                            module->what, ret_path);
}

int er_module_check(const struct er_module *module, struct errand_error *err)
{
    char path[PATH_MAX];

    return find(module, path, sizeof path, err);
}

int er_module_load(const struct er_module *module, const void **ret_entry,
                   struct errand_error *err)
{
    char path[PATH_MAX];
    const void *entry;
    void *handle;
    int rc;

    if ((rc = find(module, path, sizeof path, err)) < 0)
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
