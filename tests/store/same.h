/* same.h: what was carried from one store to another is what it was. */
#ifndef ER_TESTS_STORE_SAME_H
#define ER_TESTS_STORE_SAME_H

#include "errand/driver.h"

void assert_bytes(struct errand_slice a, struct errand_slice b);
/* In everything that get shows, but the key. */
void assert_same_job(const struct errand_job_detail *a,
                     const struct errand_job_detail *b);

#endif
