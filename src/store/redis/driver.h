/* driver.h: the table of this driver. */
#ifndef ER_STORE_REDIS_DRIVER_H
#define ER_STORE_REDIS_DRIVER_H

#include "errand/driver.h"

ERRAND_API extern const struct errand_driver errand_store_module;

#endif
