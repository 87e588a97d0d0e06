/* drivers.c: the table of drivers.
 *
 * Drivers of others are registered at the start of a program, before any store is open:
 * the one list in the library that grows, guarded by a mutex and never shrunk. */
#include "store/drivers.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "store/modules.h"
#include "store/store.h"

static const struct errand_driver *const built_in[] = {
    &er_memory_driver,
    &er_sqlite_driver,
};
enum { BUILT_IN_N = sizeof built_in / sizeof *built_in, ADDED_MAX = 16 };

static pthread_mutex_t added_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct errand_driver *added[ADDED_MAX];
static size_t added_n;

static bool has_scheme(const struct errand_driver *d, const char *scheme, size_t len)
{
    for (size_t i = 0; d->schemes[i]; i++)
        if (strlen(d->schemes[i]) == len && memcmp(d->schemes[i], scheme, len) == 0)
            return true;
    return false;
}

static const struct errand_driver *find_locked(const char *scheme, size_t len)
{
    for (size_t i = 0; i < BUILT_IN_N; i++)
        if (has_scheme(built_in[i], scheme, len))
            return built_in[i];
    for (size_t i = 0; i < added_n; i++)
        if (has_scheme(added[i], scheme, len))
            return added[i];
    return NULL;
}

const struct errand_driver *er_driver_find(const char *scheme, size_t scheme_len)
{
    const struct errand_driver *d;

    pthread_mutex_lock(&added_lock);
    d = find_locked(scheme, scheme_len);
    pthread_mutex_unlock(&added_lock);
    return d;
}

static int check(const struct errand_driver *d, struct errand_error *err)
{
    if (d->version != ERRAND_DRIVER_VERSION)
        return errand_error_set(err, ERRAND_EINVAL,
                                "driver '%s' is of version %u, this errand wants %d",
                                d->name, d->version, ERRAND_DRIVER_VERSION);
    /* A driver that was built against a shorter struct lacks operations. */
    if (d->size < sizeof *d)
        return errand_error_set(err, ERRAND_EINVAL,
                                "driver '%s' was built for an older errand: build it "
                                "again with these headers",
                                d->name);
    return 0;
}

static int add_locked(const struct errand_driver *d, struct errand_error *err)
{
    for (size_t i = 0; d->schemes[i]; i++) {
        const struct errand_driver *other =
            find_locked(d->schemes[i], strlen(d->schemes[i]));
        if (other == d)
            return 0;
        if (other)
            return errand_error_set(err, ERRAND_ECONFLICT,
                                    "driver '%s': scheme '%s' belongs to driver '%s'",
                                    d->name, d->schemes[i], other->name);
    }
    if (added_n == ADDED_MAX)
        return errand_error_set(err, ERRAND_EFULL,
                                "driver '%s': %d drivers are registered already", d->name,
                                ADDED_MAX);
    added[added_n++] = d;
    return 0;
}

int errand_driver_register(const struct errand_driver *driver, struct errand_error *err)
{
    int rc;

    if ((rc = check(driver, err)) < 0)
        return rc;
    pthread_mutex_lock(&added_lock);
    rc = add_locked(driver, err);
    pthread_mutex_unlock(&added_lock);
    return rc;
}

/* "memory:, sqlite:, postgres:" */
static void schemes_list(char *buf, size_t size)
{
    const char *const *of_modules = er_store_module_schemes();
    size_t used = 0;

    pthread_mutex_lock(&added_lock);
    for (size_t i = 0; i < BUILT_IN_N + added_n && used < size; i++) {
        const struct errand_driver *d =
            i < BUILT_IN_N ? built_in[i] : added[i - BUILT_IN_N];
        for (size_t j = 0; d->schemes[j] && used < size; j++)
            used += (size_t)snprintf(buf + used, size - used, "%s%s:", used ? ", " : "",
                                     d->schemes[j]);
    }
    for (size_t i = 0; of_modules[i] && used < size; i++)
        if (!find_locked(of_modules[i], strlen(of_modules[i])))
            used += (size_t)snprintf(buf + used, size - used, ", %s:", of_modules[i]);
    pthread_mutex_unlock(&added_lock);
}

/* Registered, built in, or loaded now and registered. *ret NULL: nobody serves it. */
static int driver_of(const char *scheme, size_t len, const struct errand_driver **ret,
                     struct errand_error *err)
{
    int rc;

    if ((*ret = er_driver_find(scheme, len)))
        return 0;
    if ((rc = er_store_module_load(scheme, len, ret, err)) < 0 || !*ret)
        return rc;
    return errand_driver_register(*ret, err);
}

static size_t scheme_len(const char *url)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789+.-";
    size_t len = strspn(url, alphabet);

    return url[len] == ':' ? len : 0;
}

static int scheme_unknown(const char *url, struct errand_error *err)
{
    char known[256] = "";

    schemes_list(known, sizeof known);
    if (scheme_len(url))
        return errand_error_set(err, ERRAND_EINVAL,
                                "no store of the kind '%.*s:' in this errand; there is "
                                "%s",
                                (int)scheme_len(url), url, known);
    return errand_error_set(err, ERRAND_EINVAL,
                            "store URL does not begin with a kind of store (%s): for a "
                            "file write sqlite:PATH",
                            known);
}

int er_store_url_check(const char *url, struct errand_error *err)
{
    size_t len = scheme_len(url);

    if (len && (er_driver_find(url, len) || er_store_module_serves(url, len)))
        return 0;
    return scheme_unknown(url, err);
}

int er_driver_of_url(const char *url, const struct errand_driver **ret,
                     struct errand_error *err)
{
    size_t len = scheme_len(url);
    int rc;

    if (len && ((rc = driver_of(url, len, ret, err)) < 0 || *ret))
        return rc;
    return scheme_unknown(url, err);
}
