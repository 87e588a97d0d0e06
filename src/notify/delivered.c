/* delivered.c: saying what became of a delivery. */
#include "notify/notify.h"

#include <stdarg.h>
#include <stdio.h>

void er_delivered_set(struct er_delivered *ret, enum er_delivery delivery,
                      const char *fmt, ...)
{
    va_list ap;

    *ret = (struct er_delivered){.delivery = delivery};
    va_start(ap, fmt);
    vsnprintf(ret->why, sizeof ret->why, fmt, ap);
    va_end(ap);
}
