/* inbox.c: pushing one job that is READY at once into the inbox (lua/parts/inbox.lua).
 *
 * Two commands in one trip, which is what the bare engine needs for as much: the entry,
 * and a word to those who sleep. They need not be one transaction: an entry that nobody
 * was told of is found by whoever comes next. But a process that dies must not leave one
 * without the other, so they leave in one write, and what is too large for that goes by a
 * script, as does what brings a unique key. */
#include "store/redis/inbox.h"

#include <string.h>

#include "base/failpoint.h"
#include "store/redis/quiet.h"
#include "store/redis/resp.h"
#include "store/redis/wake.h"

enum { WRITE_MAX = 1024, FLAG_UNIQUE = 1 };

/* What is pushed so is new to everybody, may run now, and waits for nobody. */
static bool is_for_inbox(const struct errand_push_params *p)
{
    const struct errand_push_job *job = p->jobs;

    return p->jobs_n == 1 && !p->edges_n && !p->batch && !job->id.text[0] &&
           job->run_at_ms <= 0 && !job->limits_n && !job->batch.text[0] &&
           !(job->unique && job->unique->ttl_ms);
}

/* ------------------------------------------------------------------ packing */

static size_t more_n(const struct errand_push_job *job)
{
    return (job->tags_n > 0) + job->has_failed_hook + (job->unique ? 3 : 0);
}

static void more_pack(struct er_buf *buf, const struct errand_push_job *job)
{
    er_pack_map(buf, more_n(job));
    if (job->tags_n) {
        er_pack_text(buf, "t");
        er_pack_array(buf, job->tags_n);
        for (size_t i = 0; i < job->tags_n; i++)
            er_pack_text(buf, job->tags[i]);
    }
    if (job->has_failed_hook) {
        er_pack_text(buf, "h");
        er_pack_int(buf, 1);
    }
    if (job->unique) {
        er_pack_text(buf, "uk");
        er_pack_slice(buf, job->unique->key);
        er_pack_text(buf, "ut");
        er_pack_int(buf, 0);
        er_pack_text(buf, "uu");
        er_pack_int(buf, job->unique->until);
    }
}

static void head_pack(struct er_buf *buf, const struct errand_push_job *job,
                      int64_t now_ms)
{
    er_pack_int(buf, job->unique ? FLAG_UNIQUE : 0);
    er_pack_int(buf, more_n(job) > 0);
    er_pack_int(buf, job->priority);
    er_pack_int(buf, job->tries);
    er_pack_text(buf, job->queue);
    er_pack_int(buf, now_ms);
}

static void rest_pack(struct er_buf *buf, const struct errand_push_job *job)
{
    er_pack_text(buf, job->name);
    er_pack_text(buf, job->queue);
    er_pack_slice(buf, job->options);
    er_pack_slice(buf, job->data);
    more_pack(buf, job);
}

/* The id, head and rest of an entry: the last three arguments. */
static void entry_add(struct er_call *call, const struct errand_push_params *p,
                      const struct errand_id *id)
{
    er_call_id(call, id);
    head_pack(er_call_pack(call), p->jobs, p->now_ms);
    er_call_packed(call);
    rest_pack(er_call_pack(call), p->jobs);
    er_call_packed(call);
}

/* ------------------------------------------------------------------ by a script */

static void claim_add(struct er_call *call, const struct errand_push_job *job,
                      const struct errand_id *id)
{
    struct er_buf *buf = er_call_pack(call);

    if (job->unique) {
        er_pack_id(buf, id);
        er_pack_int(buf, ER_PACK_MOST);
        er_pack_int(buf, 0);
    }
    er_call_packed(call);
}

static enum er_inbox by_script(struct er_call *call)
{
    if (er_call_once(call) < 0)
        return ER_INBOX_PERHAPS;
    return call->reply->type == REDIS_REPLY_STRING ? ER_INBOX_PUT : ER_INBOX_NOT;
}

/* ------------------------------------------------------------------ by two commands */

static void word_add(const char **words, size_t *lens, size_t i, const char *word)
{
    words[i] = word;
    lens[i] = strlen(word);
}

static void commands_write(struct er_redis *conn)
{
    const char *words[8];
    size_t lens[8];

    word_add(words, lens, 0, "XADD");
    word_add(words, lens, 1, conn->inbox_key);
    word_add(words, lens, 2, "NOMKSTREAM");
    word_add(words, lens, 3, "*");
    for (size_t i = 0; i < 3; i++) {
        const struct er_redis_arg *arg = &conn->args[conn->args_n - 3 + i];
        size_t at = i ? 3 + 2 * i : 4; /* 4 5 7 */
        words[at] = conn->pack.ptr + arg->at;
        lens[at] = arg->len;
    }
    word_add(words, lens, 6, "");
    er_resp_add(&conn->wire, 8, words, lens);
    word_add(words, lens, 0, "SPUBLISH");
    word_add(words, lens, 1, conn->ready_channel);
    word_add(words, lens, 2, "");
    er_resp_add(&conn->wire, 3, words, lens);
}

static enum er_inbox answers_read(redisReply *const replies[2])
{
    if (replies[0]->type != REDIS_REPLY_STRING)
        return ER_INBOX_NOT;
    return replies[1]->type == REDIS_REPLY_INTEGER ? ER_INBOX_PUT : ER_INBOX_PERHAPS;
}

static enum er_inbox by_commands(struct er_redis *conn)
{
    redisReply *replies[2] = {NULL, NULL};
    enum er_inbox answer = ER_INBOX_PERHAPS;

    er_buf_reset(&conn->wire);
    commands_write(conn);
    if (conn->pack.has_failed || conn->wire.has_failed)
        return ER_INBOX_NOT;
    if (er_quiet_pipe(conn->link, conn->wire.ptr, conn->wire.len, replies, 2) == 0)
        answer = answers_read(replies);
    else
        er_place_disconnect(conn);
    for (int i = 0; i < 2; i++)
        if (replies[i])
            freeReplyObject(replies[i]);
    return answer;
}

int er_inbox_push(struct er_redis *conn, const struct errand_push_params *p,
                  const struct errand_id *id, enum er_inbox *ret,
                  struct errand_error *err)
{
    struct er_call call;
    int rc;

    *ret = ER_INBOX_NOT;
    if (!conn->link || !is_for_inbox(p))
        return 0;
    if ((rc = er_failpoint_commit("push", "before", err)) < 0)
        return rc;
    er_call_begin(&call, &conn->base, "push", ER_LUA_PUSH_IN, ER_REPEAT_NO, p->now_ms,
                  NULL);
    er_call_slice(&call, p->jobs->unique ? p->jobs->unique->key : errand_text(""));
    claim_add(&call, p->jobs, id);
    entry_add(&call, p, id);
    if (p->jobs->unique || conn->pack.len > WRITE_MAX)
        *ret = by_script(&call);
    else
        *ret = by_commands(conn);
    er_call_end(&call);
    return *ret == ER_INBOX_PUT ? er_failpoint_commit("push", "after", err) : 0;
}
