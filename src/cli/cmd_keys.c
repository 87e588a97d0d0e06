/* cmd_keys.c: errand keys:new and keys:rotate: the keys that encrypt data of jobs. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/line.h"
#include "client/keys.h"
#include "client/seal.h"
#include "client/seal_job.h"

/* ---------------------------------------------------------------- new */

static int exec_new(struct er_cli *cli, struct errand_error *err)
{
    const char *id = cli->args_n > 0 ? cli->args[0] : NULL, *path;
    char made[ER_KEY_ID_MAX + 1];
    struct er_line line;
    int rc;

    if ((rc = er_cli_config(cli, err)) < 0)
        return rc;
    path = cli->config->client.keys;
    if (!path &&
        !(path = er_arena_printf(cli->arena, "%s/errand.keys", cli->config->project)))
        return er_error_nomem(err);
    if ((rc = er_key_ring_add(path, id, made, err)) < 0)
        return rc;
    if (cli->out.is_json) {
        er_line_init(&line);
        er_line_begin(&line);
        er_line_str(&line, "key", made);
        er_line_str(&line, "file", path);
        er_line_end(&line, &cli->out);
        er_line_done(&line);
    } else {
        er_printf(&cli->out, "%s\n", made);
    }
    if (!cli->config->client.keys)
        er_cli_note(cli,
                    "the key is in %s; 'keys: errand.keys' in errand.yml makes it known",
                    path);
    return ER_EXIT_DONE;
}

const struct er_command er_cmd_keys_new = {
    .name = "keys:new",
    .group = "Look after it",
    .args = "[ID]",
    .args_min = 0,
    .args_max = 1,
    .help = "puts a new key in front of the key ring, and prints its name",
    .about = "The key ring is the file of `keys` in errand.yml, else errand.keys in the "
             "project; "
             "it is made when it is not there, for its owner alone. The first key "
             "encrypts what is "
             "dispatched from then on, the others still open what they have encrypted. "
             "Without ID "
             "a key is called by today's date.",
    .example = "errand keys:new",
    .exec = exec_new,
};

/* ---------------------------------------------------------------- rotate */

enum { PAGE = 100 };

struct rotation {
    struct er_cli *cli;
    const struct er_key_ring *ring;
    int64_t changed_n, kept_n; /* kept: they run, or ended meanwhile */
};

static bool is_old(const struct rotation *r, const struct errand_job_info *job)
{
    struct errand_slice key;
    const char *first = r->ring->keys[0].id;

    return er_sealed_key(job->data, &key) == 0 &&
           !(key.len == strlen(first) && memcmp(key.ptr, first, key.len) == 0);
}

static int rotate_one(struct rotation *r, const struct errand_job_info *job,
                      struct errand_arena *arena, struct errand_error *err)
{
    const struct er_sealed_for bound = {job->name, job->queue, job->id.text};
    struct errand_change_result result = {0};
    struct errand_slice data;
    const struct errand_edit edit = {.data = &data};
    const struct errand_change_params params = {
        .kind = ERRAND_CHANGE_EDIT, .ids = &job->id, .ids_n = 1, .edit = &edit};
    int rc;

    if ((rc = er_unseal(r->ring, &bound, job->data, arena, &data, err)) < 0 ||
        (rc = er_seal(r->ring, &bound, data, arena, &data, err)) < 0 ||
        (rc = er_store_change(r->cli->store, &params, arena, &result, err)) < 0)
        return er_error_wrap(err, rc, "job %s", job->id.text);
    if (result.changed[0] == ERRAND_CHANGED)
        r->changed_n++;
    else
        r->kept_n++;
    return 0;
}

static int rotate_all(struct rotation *r, struct errand_arena *arena,
                      struct errand_error *err)
{
    struct errand_list_params params = {
        .filter = {.states = ((1u << ERRAND_STATES_N) - 1) & ~(1u << ERRAND_COMPLETED)},
        .max = PAGE,
        .with_data = true};
    struct errand_list_result page = {.more = true};
    int rc;

    while (page.more) {
        er_arena_reset(arena);
        page = (struct errand_list_result){0};
        if ((rc = er_store_list(r->cli->store, &params, arena, &page, err)) < 0)
            return rc;
        for (size_t i = 0; i < page.jobs_n; i++) {
            if (is_old(r, &page.jobs[i]) &&
                (rc = rotate_one(r, &page.jobs[i], arena, err)) < 0)
                return rc;
            params.after = page.jobs[i].id;
        }
        if (!page.jobs_n)
            break;
    }
    return 0;
}

static void rotation_say(struct rotation *r)
{
    struct er_line line;

    if (!r->cli->out.is_json) {
        er_printf(&r->cli->out, "%" PRId64 " encrypted with '%s'", r->changed_n,
                  r->ring->keys[0].id);
        if (r->kept_n)
            er_printf(&r->cli->out,
                      ", %" PRId64 " running kept their key: run this again", r->kept_n);
        er_printf(&r->cli->out, "\n");
        return;
    }
    er_line_init(&line);
    er_line_begin(&line);
    er_line_str(&line, "key", r->ring->keys[0].id);
    er_line_int(&line, "changed", r->changed_n);
    er_line_int(&line, "running", r->kept_n);
    er_line_end(&line, &r->cli->out);
    er_line_done(&line);
}

static int exec_rotate(struct er_cli *cli, struct errand_error *err)
{
    struct rotation r = {.cli = cli};
    struct errand_arena *arena;
    int rc;

    if ((rc = er_cli_open(cli, ER_OPEN_KEEP, err)) < 0 ||
        (rc = er_client_keys(cli->errand, &r.ring, err)) < 0)
        return rc;
    if (!r.ring)
        return errand_error_set(err, ERRAND_EINVAL,
                                "no key ring is known: say where it is by `keys` in "
                                "errand.yml or by ERRAND_KEYS");
    if (!(arena = er_arena_new()))
        return er_error_nomem(err);
    rc = rotate_all(&r, arena, err);
    er_arena_free(arena);
    if (rc < 0)
        return rc;
    rotation_say(&r);
    return r.kept_n ? ER_EXIT_TRY_AGAIN : ER_EXIT_DONE;
}

const struct er_command er_cmd_keys_rotate = {
    .name = "keys:rotate",
    .group = "Look after it",
    .args = "",
    .help = "encrypts what waits or failed anew, with the first key of the ring",
    .about = "After keys:new, and once all that dispatch have the new ring. Jobs that "
             "run keep "
             "their key (exit 75: run it again). When nothing is left, the old keys may "
             "be taken "
             "out of the file; unique keys and keys of limits are hashed with the last "
             "of them, so "
             "one that is held at that moment is forgotten.",
    .example = "errand keys:new && errand keys:rotate",
    .exec = exec_rotate,
};
