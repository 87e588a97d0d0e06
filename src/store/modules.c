/* modules.c: finds and loads the module of a store.
 *
 * A module is looked for where errand was installed, and in the folder of the build when
 * the program itself comes from there; ERRAND_MODULES names another folder, but not in a
 * program that runs with raised rights. It is loaded with its own symbols first
 * (RTLD_DEEPBIND): a host such as Node exports its own OpenSSL, which a client library of
 * a database must not be given. */
#include "store/modules.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

struct module {
    const char *scheme, *name;
};
static const struct module modules[] = {
    {"postgres", "postgres"},   {"postgresql", "postgres"}, {"redis", "redis"},
    {"rediss", "redis"},        {"redis+unix", "redis"},    {"redis+sentinel", "redis"},
    {"redis+cluster", "redis"}, {"valkey", "redis"},        {"valkeys", "redis"},
};
enum { MODULES_N = sizeof modules / sizeof *modules };

const char *const *er_module_schemes(void)
{
    static const char *const schemes[] = {"postgres", "redis", NULL};

    return schemes;
}

/* Whether the code of this very library or command lies below the folder. */
static bool runs_from(const char *folder)
{
    char path[PATH_MAX];
    Dl_info info;
    size_t len = strlen(folder);

    return dladdr((void *)(uintptr_t)runs_from, &info) && info.dli_fname &&
           realpath(info.dli_fname, path) && strncmp(path, folder, len) == 0 &&
           path[len] == '/';
}

static void path_of(const char *name, char *ret, size_t size)
{
    const char *asked = secure_getenv("ERRAND_MODULES");

    if (asked && *asked)
        snprintf(ret, size, "%s/errand-store-%s.so", asked, name);
    else if (runs_from(ERRAND_BUILD_DIR))
        snprintf(ret, size, "%s/src/store/%s/errand-store-%s.so", ERRAND_BUILD_DIR, name,
                 name);
    else
        snprintf(ret, size, "%s/errand-store-%s.so", ERRAND_MODULE_DIR, name);
}

static int load(const char *name, const struct errand_driver **ret,
                struct errand_error *err)
{
    char path[PATH_MAX];
    const struct errand_driver *driver;
    void *handle;

    path_of(name, path, sizeof path);
    if (access(path, F_OK) < 0)
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "this errand was built or installed without the %s "
                                "store: there is no %s",
                                name, path);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | OWN_SYMBOLS_FIRST);
    if (!handle)
        return errand_error_set(err, ERRAND_EUNSUPPORTED, "loading the %s store: %s",
                                name, dlerror());
    driver = (const struct errand_driver *)dlsym(handle, ER_MODULE_ENTRY);
    if (!driver)
        return errand_error_set(err, ERRAND_EUNSUPPORTED, "%s is not a store of errand",
                                path);
    *ret = driver;
    return 0;
}

int er_module_load(const char *scheme, size_t scheme_len,
                   const struct errand_driver **ret, struct errand_error *err)
{
    for (size_t i = 0; i < MODULES_N; i++)
        if (strlen(modules[i].scheme) == scheme_len &&
            memcmp(modules[i].scheme, scheme, scheme_len) == 0)
            return load(modules[i].name, ret, err);
    *ret = NULL;
    return 0;
}
