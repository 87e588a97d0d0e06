/* module.c: the module as another errand would have made it. */
#include "notify/notify.h"

ERRAND_API const struct er_notify_entry errand_notify_module;
const struct er_notify_entry errand_notify_module = {.version = "0.0.0"};
