/* drivers.h: the drivers that are built in, and which one a URL names. */
#ifndef ER_STORE_DRIVERS_H
#define ER_STORE_DRIVERS_H

#include "errand/driver.h"

extern const struct errand_driver er_memory_driver;
extern const struct errand_driver er_sqlite_driver;

/* The driver of a scheme (scheme_len bytes at `scheme`), registered or built in; NULL. */
const struct errand_driver *er_driver_find(const char *scheme, size_t scheme_len);

/* The driver of a URL, its module loaded when it has one. EINVAL with what was wrong and
 * the schemes there are; a module's own errors are in modules.h. `url` may hold a secret:
 * the message shows the scheme only. */
int er_driver_of_url(const char *url, const struct errand_driver **ret,
                     struct errand_error *err);

#endif
