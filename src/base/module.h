/* module.h: parts of errand that are shared objects of their own, loaded when they are
 * needed, so that errand itself needs none of the libraries they stand on. */
#ifndef ER_BASE_MODULE_H
#define ER_BASE_MODULE_H

#include "errand/error.h"

struct er_module {
    const char *name;   /* "errand-notify", of the file without its ending */
    const char *folder; /* where the build makes it: "src/notify" */
    const char *what;   /* for errors: "notifications", "the redis store" */
    const char *entry;  /* the one name that it exports */
};

/* EUNSUPPORTED: there is no such file, with its path. EINVAL: another user could have put
 * it there, or ERRAND_MODULES is not a path from the root. */
int er_module_check(const struct er_module *module, struct errand_error *err);
/* Loads it; `ret_entry` is where its entry is, for as long as the process lives.
 * As er_module_check(); EUNSUPPORTED also with what the loader said. */
int er_module_load(const struct er_module *module, const void **ret_entry,
                   struct errand_error *err);

#endif
