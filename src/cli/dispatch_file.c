/* dispatch_file.c: queue:dispatch --file: one JSON value a line, in bulk.
 *
 * A thousand lines are read and checked, then stored in one transaction: a bad line stops
 * there, with nothing of its thousand stored, and the message says how many went in
 * before it, so that the rest can be dispatched from the corrected file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/dispatch.h"
#include "cli/line.h"
#include "cli/progress.h"
#include "cli/project.h"
#include "cli/when.h"
#include "core/clock.h"
#include "core/json.h"

enum { BATCH = 1000, BATCH_BYTES = 8 << 20, CHUNK = 64 << 10, LINE_LONGEST = 17 << 20 };

struct source {
    const char *path; /* "-" is standard input */
    int fd;
    int64_t bytes, size; /* read so far; of the file, 0: not known */
    struct er_buf unread;
    size_t at; /* into unread */
    bool is_end;
};

struct batch {
    struct er_buf text; /* the lines, one behind the other */
    size_t starts[BATCH + 1];
    size_t n;
    int64_t first_line; /* number of the first line read for it */
    struct errand_dispatch_item items[BATCH];
};

struct load {
    struct er_cli *cli;
    const char *name;
    const struct errand_options *options;
    struct er_json_limits limits;
    struct source source;
    struct batch *batch;
    int64_t line, stored, known; /* lines read, jobs inserted, duplicates */
};

/* ---------------------------------------------------------------- lines */

static int source_fill(struct source *s, struct errand_error *err)
{
    ssize_t n;

    er_buf_drop(&s->unread, s->at);
    s->at = 0;
    if (er_buf_reserve(&s->unread, CHUNK) < 0)
        return errand_error_set(err, ERRAND_ETOOBIG, "a line of %s is longer than %d MiB",
                                s->path, LINE_LONGEST >> 20);
    do
        n = read(s->fd, s->unread.ptr + s->unread.len, CHUNK);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return er_error_errno(err, ERRAND_EIO, errno, "reading '%s'", s->path);
    s->unread.len += (size_t)n;
    s->bytes += n;
    s->is_end = n == 0;
    return 0;
}

/* The next line without its end; 1, or 0 at the end of the file. Valid until the next. */
static int source_line(struct source *s, struct errand_slice *ret,
                       struct errand_error *err)
{
    size_t looked = 0;

    for (;;) {
        const char *from = s->unread.ptr ? s->unread.ptr + s->at : "";
        size_t len = s->unread.len - s->at;
        const char *end = len > looked ? memchr(from + looked, '\n', len - looked) : NULL;
        int rc;

        if (end || (s->is_end && len > 0)) {
            size_t line = end ? (size_t)(end - from) : len;

            *ret = (struct errand_slice){.ptr = from, .len = line};
            s->at += line + (end ? 1 : 0);
            return 1;
        }
        if (s->is_end)
            return 0;
        looked = len;
        if ((rc = source_fill(s, err)) < 0)
            return rc;
    }
}

static int source_open(struct source *s, const char *path, struct errand_error *err)
{
    struct stat st;

    *s = (struct source){.path = path};
    er_buf_init(&s->unread, LINE_LONGEST + CHUNK);
    if (strcmp(path, "-") == 0) {
        s->path = "standard input";
        s->fd = STDIN_FILENO;
        return 0;
    }
    if ((s->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        return er_error_errno(err, errno == ENOENT ? ERRAND_ENOTFOUND : ERRAND_EIO, errno,
                              "opening '%s'", path);
    if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode))
        s->size = st.st_size;
    return 0;
}

static void source_close(struct source *s)
{
    if (s->fd > STDIN_FILENO)
        close(s->fd);
    er_buf_done(&s->unread);
}

/* ---------------------------------------------------------------- batches */

/* "line 1, column 8" of a line by itself becomes "line 1201, column 8" of the file. */
static int bad_line(struct load *l, int rc, struct errand_error *err)
{
    static const char alone[] = "line 1, ";
    char said[ERRAND_ERROR_MAX];
    const char *place;

    if (!err)
        return rc;
    memcpy(said, err->message, sizeof said);
    if ((place = strstr(said, alone)))
        return errand_error_set(err, rc, "%s, %.*sline %" PRId64 ", %s", l->source.path,
                                (int)(place - said), said, l->line,
                                place + strlen(alone));
    return errand_error_set(err, rc, "%s, line %" PRId64 ": %s", l->source.path, l->line,
                            said);
}

static bool is_blank(struct errand_slice line)
{
    for (size_t i = 0; i < line.len; i++)
        if (!strchr(" \t\r", line.ptr[i]) || !line.ptr[i])
            return false;
    return true;
}

/* Reads and checks lines until the batch is full; 1 when the file goes on. */
static int batch_read(struct load *l, struct errand_error *err)
{
    struct batch *b = l->batch;
    int rc = 1;

    er_buf_reset(&b->text);
    b->n = 0;
    b->first_line = l->line + 1;
    while (b->n < BATCH && b->text.len < BATCH_BYTES) {
        struct errand_slice line;

        if ((rc = source_line(&l->source, &line, err)) <= 0)
            break;
        l->line++;
        if (is_blank(line))
            continue;
        if (line.ptr[line.len - 1] == '\r')
            line.len--;
        if ((rc = er_json_check("the data", line, &l->limits, err)) < 0)
            return bad_line(l, rc, err);
        b->starts[b->n++] = b->text.len;
        if (er_buf_add(&b->text, line.ptr, line.len) < 0)
            return er_error_nomem(err);
        rc = 1;
    }
    b->starts[b->n] = b->text.len;
    return rc;
}

static int batch_store(struct load *l, struct errand_error *err)
{
    struct batch *b = l->batch;
    int rc;

    if (b->n == 0)
        return 0;
    for (size_t i = 0; i < b->n; i++)
        b->items[i] = (struct errand_dispatch_item){
            .name = l->name,
            .data = {.ptr = b->text.ptr + b->starts[i],
                     .len = b->starts[i + 1] - b->starts[i]},
            .options = l->options};
    if ((rc = errand_dispatch_bulk(l->cli->errand, b->items, b->n, NULL, err)) < 0)
        return er_error_wrap(err, rc, "%s, lines %" PRId64 " to %" PRId64, l->source.path,
                             b->first_line, l->line);
    l->stored += rc;
    l->known += (int64_t)b->n - rc;
    return 0;
}

static int load_all(struct load *l, struct errand_error *err)
{
    struct er_progress progress;
    int more = 1, rc = 0;

    er_progress_begin(&progress, l->source.size, "jobs");
    while (more > 0 && rc == 0) {
        if ((more = batch_read(l, err)) >= 0 && (rc = batch_store(l, err)) == 0)
            er_progress_show(&progress, l->source.bytes, l->stored + l->known);
    }
    er_progress_end(&progress);
    return more < 0 ? more : rc;
}

static void say_done(struct load *l, int64_t took_ms)
{
    char n[ER_WHEN_SIZE], known[ER_WHEN_SIZE], span[ER_WHEN_SIZE];
    struct er_line line;

    if (l->cli->out.is_json) {
        er_line_init(&line);
        er_line_begin(&line);
        er_line_int(&line, "inserted", l->stored);
        er_line_int(&line, "duplicates", l->known);
        er_line_end(&line, &l->cli->out);
        er_line_done(&line);
        return;
    }
    er_printf(&l->cli->out, "%s %s dispatched in %s", er_count_text(l->stored, n),
              l->stored == 1 ? "job" : "jobs", er_span_text(took_ms, span));
    if (l->known)
        er_printf(&l->cli->out, ", %s were there already",
                  er_count_text(l->known, known));
    er_printf(&l->cli->out, "\n");
}

int er_dispatch_file(struct er_cli *cli, const char *name, const char *path,
                     const struct errand_options *options, struct errand_error *err)
{
    int64_t began_ms = er_clock_mono_ms(NULL);
    struct load l = {.cli = cli, .name = name, .options = options};
    int rc;

    if ((rc = source_open(&l.source, path, err)) < 0)
        return rc;
    if ((rc = er_cli_open(cli, ER_OPEN_MAKE, err)) < 0 ||
        (rc = er_project_know(cli, name, err)) < 0)
        goto out;
    l.limits.max_bytes = cli->config->client.max_data;
    l.limits.max_depth = cli->config->client.max_depth;
    if (!(l.batch = errand_arena_alloc(cli->arena, sizeof *l.batch))) {
        rc = er_error_nomem(err);
        goto out;
    }
    er_buf_init(&l.batch->text, BATCH_BYTES + LINE_LONGEST);
    if ((rc = load_all(&l, err)) == 0)
        say_done(&l, er_clock_mono_ms(NULL) - began_ms);
    if (rc == 0 || l.stored)
        er_cli_notes_say(cli);
    er_buf_done(&l.batch->text);
out:
    source_close(&l.source);
    if (rc == 0 || l.line == 0)
        return rc;
    er_cli_complain(cli, err->message);
    er_cli_note(cli,
                "%" PRId64
                " jobs were dispatched before that; nothing of what follows is stored",
                l.stored + l.known);
    /* The file is wrong, not the command line. */
    return rc == ERRAND_EJSON || rc == ERRAND_ETOOBIG ? ER_EXIT_FAILED : er_cli_exit(rc);
}
