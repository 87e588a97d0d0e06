/* fires.h: a row of a cron table. */
#ifndef ER_TESTS_CORE_FIRES_H
#define ER_TESTS_CORE_FIRES_H

/* All slots with from <= slot <= until. */
struct fires {
    const char *zone, *cron, *from, *until;
    const char *expected; /* "2026-03-29T01:00 …" */
};

#endif
