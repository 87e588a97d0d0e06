/* class.h: the job classes of this program, as a dispatcher wants them: by name, and as a
 * level of options. What a runner makes of them is worker/registry.h. */
#ifndef ER_CLIENT_CLASS_H
#define ER_CLIENT_CLASS_H

#include "core/options.h"
#include "errand/middleware.h"

/* The newest registered class; the older ones follow by `next`. */
const struct errand_job_class *er_registry_newest(void);
/* The class of that name, exact first, then without case and separators; of several the
 * one registered first, which is the one that a runner uses. NULL. */
const struct errand_job_class *er_registry_find(const char *name);

/* The class as a level of options. EINVAL that names option and value. */
int er_class_options(const struct errand_job_class *job_class, struct er_options *ret,
                     struct errand_error *err);

/* class_middleware.c: is the list one that can run? EINVAL that names the entry. */
int er_middleware_check(const struct errand_middleware *list, struct errand_error *err);
/* What the built-in ones say, into `options`; the list has been checked. EINVAL. */
int er_middleware_options(const struct errand_middleware *list,
                          struct er_options *options, struct errand_error *err);
/* The first of that kind; NULL, also where there is no list. */
const struct errand_middleware *er_middleware_find(const struct errand_middleware *list,
                                                   enum errand_middleware_kind kind);

#endif
