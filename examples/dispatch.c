/* dispatch.c: a program that hands out work and waits for none of it.
 *
 *     cc dispatch.c -o dispatch $(pkg-config --cflags --libs errand)
 *     ./dispatch sqlite:errand.db
 */
#include <stdio.h>

#include <errand.h>

enum { ORDERS_N = 3 };

/* One job, in a minute: the welcome can wait. */
static int welcome(errand *e, struct errand_error *err)
{
    struct errand_id id;

    if (errand_dispatch(e, "send-welcome-email", "{\"userId\":1}",
                        &(struct errand_options){.queue = "emails", .delay_ms = 60000},
                        &id, err) < 0)
        return -1;
    printf("welcome   %s, in a minute\n", id.text);
    return 0;
}

/* The key makes the second call answer with the job of the first. */
static int sync_once(errand *e, struct errand_error *err)
{
    const struct errand_options once = {.unique = "sync:user:1", .unique_for = 300};
    struct errand_id id;
    int pushed;

    for (int i = 0; i < 2; i++) {
        if ((pushed =
                 errand_dispatch(e, "sync-user", "{\"userId\":1}", &once, &id, err)) < 0)
            return -1;
        printf("sync      %s, %s\n", id.text,
               pushed == ERRAND_DUPLICATE ? "was there already" : "new");
    }
    return 0;
}

/* Many jobs in one transaction: all of them exist, or none. */
static int orders(errand *e, struct errand_error *err)
{
    struct errand_dispatch_item items[ORDERS_N] = {{0}};
    struct errand_id ids[ORDERS_N];
    char data[ORDERS_N][32];

    for (int i = 0; i < ORDERS_N; i++) {
        int len = snprintf(data[i], sizeof data[i], "{\"orderId\":%d}", i + 1);
        items[i].name = "process-order";
        items[i].data = (struct errand_slice){data[i], (size_t)len};
    }
    if (errand_dispatch_bulk(e, items, ORDERS_N, ids, err) < 0)
        return -1;
    for (int i = 0; i < ORDERS_N; i++)
        printf("order %d   %s\n", i + 1, ids[i].text);
    return 0;
}

int main(int argc, char **argv)
{
    struct errand_error err = {0};
    errand *e = errand_open(argc > 1 ? argv[1] : "sqlite:errand.db", NULL, &err);
    int failed =
        !e || welcome(e, &err) < 0 || sync_once(e, &err) < 0 || orders(e, &err) < 0;

    if (failed)
        fprintf(stderr, "dispatch: %s\n", err.message);
    errand_close(e);
    return failed;
}
