/* modules.c: which module serves which scheme. */
#include "store/modules.h"

#include <string.h>

#include "base/module.h"

static const struct er_module postgres = {.name = "errand-store-postgres",
                                          .folder = "src/store/postgres",
                                          .what = "the postgres store",
                                          .entry = ER_STORE_MODULE_ENTRY},
                              redis = {.name = "errand-store-redis",
                                       .folder = "src/store/redis",
                                       .what = "the redis store",
                                       .entry = ER_STORE_MODULE_ENTRY};

static const struct {
    const char *scheme;
    const struct er_module *module;
} served[] = {
    {"postgres", &postgres},   {"postgresql", &postgres}, {"redis", &redis},
    {"rediss", &redis},        {"redis+unix", &redis},    {"redis+sentinel", &redis},
    {"redis+cluster", &redis}, {"valkey", &redis},        {"valkeys", &redis},
};
enum { SERVED_N = sizeof served / sizeof *served };

const char *const *er_store_module_schemes(void)
{
    static const char *const schemes[] = {"postgres", "redis", NULL};

    return schemes;
}

static int load(const struct er_module *module, const struct errand_driver **ret,
                struct errand_error *err)
{
    const void *driver;
    int rc = er_module_load(module, &driver, err);

    if (rc == 0)
        *ret = driver;
    return rc;
}

static const struct er_module *module_of(const char *scheme, size_t len)
{
    for (size_t i = 0; i < SERVED_N; i++)
        if (strlen(served[i].scheme) == len && memcmp(served[i].scheme, scheme, len) == 0)
            return served[i].module;
    return NULL;
}

bool er_store_module_serves(const char *scheme, size_t scheme_len)
{
    return module_of(scheme, scheme_len) != NULL;
}

int er_store_module_load(const char *scheme, size_t scheme_len,
                         const struct errand_driver **ret, struct errand_error *err)
{
    const struct er_module *module = module_of(scheme, scheme_len);

    *ret = NULL;
    return module ? load(module, ret, err) : 0;
}
