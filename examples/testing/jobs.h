/* jobs.h: what the shop's program calls. */
#ifndef SHOP_JOBS_H
#define SHOP_JOBS_H

#include <errand.h>

/* A new user: says hello a minute later. 0, or an error of errand_dispatch. */
int sign_up(errand *e, long long user, struct errand_error *err);

#endif
