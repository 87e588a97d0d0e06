/* modules.h: stores that are modules of their own, loaded when a URL names them, so that
 * errand itself needs none of their libraries. */
#ifndef ER_STORE_MODULES_H
#define ER_STORE_MODULES_H

#include "errand/driver.h"

/* Loads the module that serves the scheme (scheme_len bytes at `scheme`): ret is NULL
 * when no module does. EUNSUPPORTED: it is not installed, or what the loader said. */
int er_store_module_load(const char *scheme, size_t scheme_len,
                         const struct errand_driver **ret, struct errand_error *err);

/* Whether a module serves the scheme, installed or not. */
bool er_store_module_serves(const char *scheme, size_t scheme_len);

/* One scheme for each module, for messages; NULL-terminated. */
const char *const *er_store_module_schemes(void);

/* What a module exports. */
#define ER_STORE_MODULE_ENTRY "errand_store_module"

#endif
