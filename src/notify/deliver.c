/* deliver.c: the process that delivers: reads what and how on its standard input, says
 * what became of it by its exit code, like any executable job. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/module.h"
#include "core/clock.h"
#include "core/id.h"
#include "notify/notify.h"

enum { EXIT_FOR_GOOD = 65, EXIT_RETRY = 75, INPUT_MAX = 16 << 20, RESULT_FD = 3 };

/* ------------------------------------------------------------------ one message */

/* The module of the channels, which alone needs libcurl: a worker never does. */
static int channels_load(const struct er_notify_entry **ret, struct errand_error *err)
{
    const void *entry;
    int rc = er_module_load(&er_notify_module, &entry, err);

    if (rc < 0)
        return rc;
    *ret = entry;
    if (strcmp((*ret)->version, ERRAND_VERSION) != 0)
        return errand_error_set(err, ERRAND_EUNSUPPORTED,
                                "%s are of errand %s, and this is %s",
                                er_notify_module.what, (*ret)->version, ERRAND_VERSION);
    return 0;
}

void er_notify_deliver(const struct errand_notify *notify, const struct er_notice *notice,
                       struct er_delivered *ret)
{
    struct errand_notify one = *notify;
    const char *channels[] = {NULL, NULL}, *lack = NULL;
    struct errand_arena *arena = er_arena_new();
    const struct er_notify_entry *entry;
    struct errand_error err;

    er_delivered_set(ret, ER_GIVE_UP, "there is no channel %d", notice->channel);
    if (notice->channel < 0 || notice->channel >= ER_NOTIFY_CHANNELS_N || !arena)
        goto out;
    channels[0] = er_notify_channel_name(notice->channel);
    one.channels = channels;
    if (er_notify_ready(&one, arena, &lack) <= 0)
        er_delivered_set(ret, ER_GIVE_UP, "%s", lack ? lack : "out of memory");
    else if (channels_load(&entry, &err) < 0)
        er_delivered_set(ret, ER_TRY_AGAIN, "%s", err.message);
    else
        entry->send(notify, notice, ret);
out:
    er_arena_free(arena);
}

/* ------------------------------------------------------------------ the program */

static int input_read(struct er_buf *buf)
{
    ssize_t n;

    for (;;) {
        if (er_buf_reserve(buf, 65536) < 0)
            return -1;
        n = read(STDIN_FILENO, buf->ptr + buf->len, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return (int)n;
        buf->len += (size_t)n;
    }
}

static int tell(const struct er_notice *notice, const struct er_delivered *d)
{
    if (d->delivery == ER_DELIVERED) {
        printf("told of %" PRId64 " %s by %s\n", notice->total,
               notice->total == 1 ? "failure" : "failures",
               er_notify_channel_name(notice->channel));
        return 0;
    }
    fprintf(stderr, "%s\n", d->why);
    if (d->wait_ms)
        dprintf(RESULT_FD, "{\"retry_after_ms\":%" PRId64 "}\n", d->wait_ms);
    return d->delivery == ER_GIVE_UP ? EXIT_FOR_GOOD : EXIT_RETRY;
}

static int deliver(struct errand_slice input, struct errand_arena *arena)
{
    struct errand_notify notify;
    struct er_notice notice;
    struct er_delivered d = {0};
    struct errand_error err = {0};

    if (er_notify_take(input, arena, &notify, &notice, &err) < 0 ||
        er_notify_check(&notify, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return EXIT_FOR_GOOD;
    }
    er_notify_deliver(&notify, &notice, &d);
    return tell(&notice, &d);
}

int er_notify_main(void)
{
    struct errand_arena *arena = er_arena_new();
    struct er_buf input;
    int code = EXIT_RETRY;

    /* It holds secrets: nobody looks into its memory or takes its descriptors. */
    prctl(PR_SET_DUMPABLE, 0);
    er_buf_init(&input, INPUT_MAX);
    if (arena && input_read(&input) == 0)
        code = deliver((struct errand_slice){input.ptr, input.len}, arena);
    else
        fprintf(stderr, "what is to be delivered could not be read\n");
    er_buf_done(&input);
    er_arena_free(arena);
    return code;
}

/* ------------------------------------------------------------------ a test */

static int test_notice(const char *channel, struct errand_arena *arena,
                       struct er_notice *ret, struct errand_error *err)
{
    struct er_id_source ids = {0};
    struct errand_id *id = errand_arena_alloc(arena, sizeof *id);
    char *host = errand_arena_alloc(arena, 256);

    if (!id || !host)
        return er_error_nomem(err);
    gethostname(host, 255);
    *ret = (struct er_notice){.channel = er_notify_channel_find(channel),
                              .name = "test",
                              .queue = "test",
                              .host = host,
                              .is_test = true,
                              .since_ms = er_clock_wall_ms(NULL)};
    ret->until_ms = ret->since_ms;
    if (er_id_new(&ids, ret->since_ms, id) < 0)
        return errand_error_set(err, ERRAND_EIO, "the system gives no random bytes");
    ret->id = id->text;
    return 0;
}

int errand_notify_test(const struct errand_notify *notify, const char *channel,
                       struct errand_error *err)
{
    struct errand_notify one = *notify;
    const char *const channels[] = {channel, NULL};
    struct errand_arena *arena = NULL;
    struct er_delivered d = {0};
    struct er_notice notice;
    const char *lack = NULL;
    int rc;

    one.channels = channels;
    if ((rc = er_notify_check(&one, err)) < 0 ||
        (rc = er_module_check(&er_notify_module, err)) < 0)
        return rc;
    if (!(arena = er_arena_new()))
        return er_error_nomem(err);
    if (er_notify_ready(&one, arena, &lack) <= 0)
        rc = errand_error_set(err, ERRAND_ENOTFOUND, "%s", lack ? lack : "out of memory");
    else
        rc = test_notice(channel, arena, &notice, err);
    if (rc == 0) {
        er_notify_deliver(&one, &notice, &d);
        if (d.delivery != ER_DELIVERED)
            rc = errand_error_set(err, ERRAND_EIO, "%s", d.why);
    }
    er_arena_free(arena);
    return rc;
}
