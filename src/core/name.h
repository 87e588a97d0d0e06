/* name.h: names of jobs, queues and tags, and when two job names mean the same job. */
#ifndef ER_CORE_NAME_H
#define ER_CORE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "errand/error.h"

enum { ER_NAME_MAX = 128 };

/* [A-Za-z0-9_.:/-], 1 to 128 bytes (SECURITY: names never need escaping). `what` is for
 * the message: "queue name". */
int er_name_check(const char *what, const char *name, struct errand_error *err);
/* The name without case and separators (- _ . : / are dropped, letters lowered), so that
 * send-welcome-email, SendWelcomeEmail and send_welcome_email are one. buf has room for
 * ER_NAME_MAX + 1. Returns buf. */
char *er_name_key(const char *name, char *buf);
/* They are names of the same job. */
bool er_name_is_same(const char *a, const char *b);

#endif
