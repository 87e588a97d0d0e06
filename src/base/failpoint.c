/* failpoint.c: reads ERRAND_FAILPOINTS once and counts passes. Test builds only. */
#include "base/failpoint.h"

#ifdef ERRAND_FAILPOINTS
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POINTS_MAX = 16, NAME_MAX_LEN = 63 };

struct point {
    char name[NAME_MAX_LEN + 1];
    bool is_exit;
    long at; /* the pass that counts, from 1 */
    atomic_long passes;
};

static struct point points[POINTS_MAX];
static size_t points_n;
static pthread_once_t is_read = PTHREAD_ONCE_INIT;

/* One "name=what@n". What cannot be read ends the process: a test that injects nothing
 * must not pass. */
static void point_read(const char *text, size_t len)
{
    struct point *p = &points[points_n];
    const char *equals = memchr(text, '=', len);
    const char *at = memchr(text, '@', len);

    if (!equals || points_n == POINTS_MAX || (size_t)(equals - text) > NAME_MAX_LEN)
        abort();
    memcpy(p->name, text, (size_t)(equals - text));
    p->is_exit = strncmp(equals + 1, "exit", 4) == 0;
    if (!p->is_exit && strncmp(equals + 1, "error", 5) != 0)
        abort();
    p->at = at ? strtol(at + 1, NULL, 10) : 1;
    points_n++;
}

static void points_read(void)
{
    const char *text = getenv("ERRAND_FAILPOINTS");

    while (text && *text) {
        size_t len = strcspn(text, ";");
        if (len)
            point_read(text, len);
        text += len + (text[len] == ';');
    }
}

bool er_failpoint(const char *name)
{
    pthread_once(&is_read, points_read);
    for (size_t i = 0; i < points_n; i++) {
        struct point *p = &points[i];
        if (strcmp(p->name, name) != 0 || atomic_fetch_add(&p->passes, 1) + 1 != p->at)
            continue;
        if (p->is_exit)
            _exit(137);
        return true;
    }
    return false;
}

int er_failpoint_commit(const char *operation, const char *place,
                        struct errand_error *err)
{
    char point[NAME_MAX_LEN + 1];

    if (!operation)
        return 0;
    snprintf(point, sizeof point, "%s-%s-commit", operation, place);
    if (!er_failpoint(point))
        return 0;
    return errand_error_set(err, ERRAND_EUNAVAILABLE, "failpoint %s", point);
}
#else
/* ISO C wants something in a file. */
typedef int er_failpoints_are_off;
#endif
