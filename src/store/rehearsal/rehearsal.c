/* rehearsal.c: beginning a rehearsal and what it does to calls. The calls are in calls.c.
 */
#include "store/rehearsal/rehearsal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/drivers.h"
#include "store/internal.h"
#include "store/rehearsal/inside.h"

enum { ASIDE_BUSY_MS = 30000 };

/* ------------------------------------------------------------------ beginning, ending */

static void rehearsal_free(struct er_rehearsal *r)
{
    free(r);
}

static void rehearsal_close(struct errand_conn *conn)
{
    struct er_rehearsal *r = (struct er_rehearsal *)conn;

    er_rehearsal_put_back(r);
    r->real.driver->close(r->real.conn);
    rehearsal_free(r);
}

static void rehearsal_abandon(struct errand_conn *conn)
{
    struct er_rehearsal *r = (struct er_rehearsal *)conn;

    if (r->aside.driver)
        r->aside.driver->abandon(r->aside.conn);
    r->real.driver->abandon(r->real.conn);
    rehearsal_free(r);
}

/* The real one: whoever looks on from another thread is not part of the test. */
static int rehearsal_again(struct errand_conn *conn, const struct errand_open_params *p,
                           struct errand_conn **ret, struct errand_error *err)
{
    struct er_rehearsal *r = (struct er_rehearsal *)conn;

    if (!r->real.driver->again)
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "its driver cannot open it once more");
    return r->real.driver->again(r->real.conn, p, ret, err);
}

struct er_rehearsal *er_rehearsal_of(const struct er_store *store)
{
    return store->driver->close == rehearsal_close ? (struct er_rehearsal *)store->conn
                                                   : NULL;
}

int er_rehearsal_begin(struct er_store *store, struct er_rehearsal **ret,
                       struct errand_error *err)
{
    struct er_rehearsal *r = er_rehearsal_of(store);
    int rc;

    if ((rc = er_store_enter(store, err)) < 0)
        return rc;
    if (r) {
        *ret = r;
        return 0;
    }
    if (!(r = calloc(1, sizeof *r)))
        return er_error_nomem(err);
    r->real = (struct er_rehearsal_to){store->driver, store->conn};
    r->driver = *store->driver;
    r->driver.close = rehearsal_close;
    r->driver.abandon = rehearsal_abandon;
    r->driver.again = rehearsal_again;
    er_rehearsal_calls(&r->driver);
    r->conn.driver = &r->driver;
    store->driver = &r->driver;
    store->conn = &r->conn;
    *ret = r;
    return 0;
}

struct er_clock *er_rehearsal_clock(struct er_rehearsal *r)
{
    return &r->clock;
}

/* ------------------------------------------------------------------ failing */

void er_rehearsal_fail(struct er_rehearsal *r, const struct er_rehearsal_failure *failure)
{
    r->failure = *failure;
}

/* Definitions are read when they are old, which no caller knows of: a failure that names
 * no call is meant for one that was made. */
static bool is_meant(const struct er_rehearsal_failure *f, const char *call)
{
    return f->call ? strcmp(call, f->call) == 0 : strcmp(call, "definitions") != 0;
}

bool er_rehearsal_fails(struct er_rehearsal *r, const char *call, bool is_after_commit,
                        struct errand_error *err)
{
    struct er_rehearsal_failure *f = &r->failure;

    if (f->code == 0 || f->times == 0 || f->is_after_commit != is_after_commit ||
        !is_meant(f, call))
        return false;
    if (f->skip_n > 0) {
        f->skip_n--;
        return false;
    }
    if (f->times > 0)
        f->times--;
    errand_error_set(err, f->code, "%s fails as the test asked for%s: %s", call,
                     is_after_commit ? ", after it was done" : "",
                     errand_code_text(f->code));
    return true;
}

/* ------------------------------------------------------------------ setting aside */

int er_rehearsal_set_aside(struct er_rehearsal *r,
                           const struct er_rehearsal_listener *listener,
                           struct errand_error *err)
{
    struct errand_open_params p = {.url = "memory:",
                                   .shown = "memory:",
                                   .create = true,
                                   .busy_ms = ASIDE_BUSY_MS,
                                   .keep_completed_ms = -1,
                                   .keep_completed_n = -1};
    struct er_rehearsal_to fresh = {.driver = &er_memory_driver};
    int rc;

    if ((rc = fresh.driver->open(&p, &fresh.conn, err)) < 0)
        return rc;
    er_rehearsal_put_back(r);
    r->aside = fresh;
    r->listener = *listener;
    return 0;
}

void er_rehearsal_put_back(struct er_rehearsal *r)
{
    if (r->aside.driver)
        r->aside.driver->close(r->aside.conn);
    r->aside = (struct er_rehearsal_to){0};
    r->listener = (struct er_rehearsal_listener){0};
}
