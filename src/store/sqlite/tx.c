/* tx.c: one call, one transaction. Writes begin IMMEDIATE: a transaction that reads first
 * and then wants to write can be refused for ever, one that waits for its turn cannot. */
#include "store/sqlite/sqlite.h"

#include <string.h>

#include "base/error.h"
#include "base/failpoint.h"
#include "core/clock.h"
#include "store/sqlite/wake.h"

enum { NUMBERS_AT_ONCE = 64 };

void er_tx_init(struct er_tx *tx, struct er_sqlite *conn, int64_t now_ms,
                struct errand_arena *arena, struct errand_error *err)
{
    *tx = (struct er_tx){
        .conn = conn,
        .db = &conn->db,
        .queues = &conn->queues,
        .jobs = &conn->jobs,
        .arena = arena,
        .scratch = conn->scratch,
        .err = err ? err : &conn->error,
        .now_ms = now_ms ? now_ms : er_clock_wall_ms(NULL),
        .lease_ms = now_ms ? now_ms : er_clock_boot_ms(NULL) + conn->lease_offset_ms,
    };
    er_arena_reset(conn->scratch);
    conn->call++;
}

/* Changes with every commit of anybody: a number that costs no statement. */
static uint32_t data_version(const struct er_db *db)
{
    unsigned version = 0;

    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_DATA_VERSION, &version);
    return version;
}

/* SQLite takes this between transactions only. Changed when it must, not each time: an
 * idle worker writes many light ones in a row. */
static int sync_set(struct er_sqlite *conn, bool is_light, struct errand_error *err)
{
    int rc;

    if (!conn->is_full || conn->is_light == is_light)
        return 0;
    rc = er_sql_script(&conn->db,
                       is_light ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL",
                       err);
    if (rc == 0)
        conn->is_light = is_light;
    return rc;
}

/* For the store that stands at the path now. */
static int enter(struct er_tx *tx, struct errand_conn *base, int64_t now_ms,
                 struct errand_arena *arena, struct errand_error *err)
{
    struct er_sqlite *conn = (struct er_sqlite *)base;
    int rc = er_sqlite_replace(conn, now_ms, err ? err : &conn->error);

    if (rc == 0)
        er_tx_init(tx, conn, now_ms, arena, err);
    return rc;
}

static int begin(struct er_tx *tx, const char *name, bool is_light)
{
    struct er_sqlite *conn = tx->conn;
    int rc;

    tx->name = name;
    if (conn->is_read_only)
        return errand_error_set(tx->err, ERRAND_EREADONLY, "was opened for reading only");
    if ((rc = sync_set(conn, is_light, tx->err)) < 0 ||
        (rc = er_tx_run(tx, ER_SQL_BEGIN_WRITE, ER_NO_ARGS)) < 0)
        return rc;
    if (conn->cache.is_valid && conn->cache.data_version == data_version(tx->db)) {
        tx->root = conn->cache.root;
        tx->ids = conn->cache.ids;
        tx->tokens = conn->cache.tokens;
        return 0;
    }
    if ((rc = er_tx_read_root(tx)) < 0)
        return er_tx_end(tx, rc);
    return 0;
}

int er_tx_begin(struct er_tx *tx, struct errand_conn *conn, const char *name,
                int64_t now_ms, struct errand_arena *arena, struct errand_error *err)
{
    int rc = enter(tx, conn, now_ms, arena, err);

    return rc < 0 ? rc : begin(tx, name, false);
}

int er_tx_begin_light(struct er_tx *tx, struct errand_conn *conn, const char *name,
                      int64_t now_ms, struct errand_arena *arena,
                      struct errand_error *err)
{
    int rc = enter(tx, conn, now_ms, arena, err);

    return rc < 0 ? rc : begin(tx, name, true);
}

/* What the root says now is what the next call may begin with. */
static void remember(const struct er_tx *tx)
{
    tx->conn->cache = (struct er_cache){.is_valid = true,
                                        .data_version = data_version(tx->db),
                                        .root = tx->root,
                                        .ids = tx->ids,
                                        .tokens = tx->tokens};
}

static int64_t take(struct er_tx *tx, struct er_numbers *numbers, int64_t *next)
{
    if (numbers->next == numbers->end) {
        numbers->next = *next;
        *next += tx->db->is_callers ? 1 : NUMBERS_AT_ONCE;
        numbers->end = *next;
        tx->is_root_dirty = true;
    }
    return numbers->next++;
}

int64_t er_tx_take_id(struct er_tx *tx)
{
    return take(tx, &tx->ids, &tx->root.next_id);
}

/* Also larger than any of another store that was here before, or of the time after this
 * copy was made. */
int64_t er_tx_take_token(struct er_tx *tx)
{
    int64_t least = er_clock_wall_us();

    if (tx->tokens.next == tx->tokens.end && tx->root.next_token < least)
        tx->root.next_token = least;
    return take(tx, &tx->tokens, &tx->root.next_token);
}

int er_tx_begin_read(struct er_tx *tx, struct errand_conn *base, int64_t now_ms,
                     struct errand_arena *arena, struct errand_error *err)
{
    int rc = enter(tx, base, now_ms, arena, err);

    if (rc < 0)
        return rc;
    tx->is_read = true;
    return er_tx_run(tx, ER_SQL_BEGIN_READ, ER_NO_ARGS);
}

int er_tx_read_root(struct er_tx *tx)
{
    sqlite3_stmt *st = er_tx_bind(tx, ER_SQL_ROOT_READ, ER_NO_ARGS);
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) < 0)
        return rc;
    if (rc == 0)
        return errand_error_set(tx->err, ERRAND_ECORRUPT, "the root row is missing");
    tx->root = (struct er_root){
        .next_id = sqlite3_column_int64(st, 0),
        .next_token = sqlite3_column_int64(st, 1),
        .next_seq = sqlite3_column_int64(st, 2),
        .last_ms = sqlite3_column_int64(st, 3),
        .control = sqlite3_column_int64(st, 4),
        .follow_until = sqlite3_column_int64(st, 5),
        .extras = (uint32_t)sqlite3_column_int64(st, 6),
    };
    tx->is_root_fresh = true;
    sqlite3_reset(st);
    return 0;
}

/* All that a push of jobs that may run at once changes. */
static int pushed_write(struct er_tx *tx, int64_t queue, int64_t n)
{
    int rc = er_tx_run(tx, ER_SQL_PUSHED_ADD, ER_ARGS(er_int(queue), er_int(n)));

    if (rc == 0 && !er_tx_changes(tx))
        rc = er_tx_run(tx, ER_SQL_PUSHED_INSERT, ER_ARGS(er_int(queue), er_int(n)));
    return rc;
}

static int count_write(struct er_tx *tx, const struct er_count *c)
{
    int64_t ready = c->delta[ERRAND_READY], others = c->parked;

    for (size_t s = 0; s < ERRAND_STATES_N; s++)
        if (s != ERRAND_READY)
            others |= c->delta[s];
    if (!others)
        return ready ? pushed_write(tx, c->queue, ready) : 0;
    return er_tx_run(tx, ER_SQL_QUEUE_COUNT,
                     ER_ARGS(er_int(c->queue), er_int(c->delta[ERRAND_HELD]),
                             er_int(c->delta[ERRAND_SCHEDULED]), er_int(ready),
                             er_int(c->delta[ERRAND_RUNNING]),
                             er_int(c->delta[ERRAND_COMPLETED]),
                             er_int(c->delta[ERRAND_FAILED]),
                             er_int(c->delta[ERRAND_CANCELLED]), er_int(c->parked)));
}

static int counts_write(struct er_tx *tx)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < tx->counts_n; i++)
        rc = count_write(tx, &tx->counts[i]);
    return rc;
}

static int root_write(struct er_tx *tx)
{
    const struct er_root *r = &tx->root;

    if (!tx->is_root_dirty)
        return 0;
    return er_tx_run(tx, ER_SQL_ROOT_WRITE,
                     ER_ARGS(er_int(r->next_id), er_int(r->next_token),
                             er_int(r->next_seq), er_int(r->last_ms), er_int(r->control),
                             er_int(r->follow_until), er_int(r->extras)));
}

int er_tx_flush(struct er_tx *tx)
{
    int rc;

    if ((rc = er_leases_write(tx)) < 0 || (rc = er_batches_write(tx)) < 0 ||
        (rc = er_limits_write(tx)) < 0 || (rc = counts_write(tx)) < 0 ||
        (rc = er_told_trim(tx)) < 0)
        return rc;
    return root_write(tx);
}

static void roll_back(struct er_tx *tx)
{
    /* A full disk or a failed write has rolled back by itself. The error of the call is
     * told, not one of the clean-up. */
    if (!sqlite3_get_autocommit(tx->db->handle))
        er_sql_run(tx->db, ER_SQL_ROLLBACK, ER_NO_ARGS, NULL);
    er_names_forget(tx->queues);
    er_names_forget(tx->jobs);
    tx->conn->cache.is_valid = false;
}

/* SQLite moves the log into the file after a commit, and on a full disk there is none:
 * the log would keep what it could give back for ever. Once it is moved, the next writer
 * begins the log anew in the space it has. */
static void room_make(const struct er_tx *tx)
{
    if (!tx->db->is_callers)
        sqlite3_wal_checkpoint_v2(tx->db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                  NULL);
}

/* A worker takes as long to wake as a transaction without a sync to be written, and looks
 * under the write lock, which we hold: it is told first, and waits for the lock if it was
 * faster. What others wait for they may read without the lock, and a sync takes longer:
 * they are told afterwards. */
static void wake_early(struct er_tx *tx)
{
    if (!(tx->wake & ERRAND_WAIT_READY) || tx->is_read || tx->conn->is_full ||
        tx->db->is_callers)
        return;
    er_wake_tell(tx->conn, ERRAND_WAIT_READY);
    tx->wake &= ~(uint32_t)ERRAND_WAIT_READY;
}

int er_tx_end(struct er_tx *tx, int rc)
{
    if (rc == 0) {
        wake_early(tx);
        rc = er_tx_flush(tx);
    }
    if (rc == 0)
        rc = er_failpoint_commit(tx->name, "before", tx->err);
    if (rc == 0)
        rc = er_tx_run(tx, ER_SQL_COMMIT, ER_NO_ARGS);
    if (rc < 0) {
        roll_back(tx);
        if (rc == ERRAND_EFULL) {
            room_make(tx);
            tx->conn->has_no_room = true;
        }
        return rc;
    }
    if (!tx->is_read) {
        remember(tx);
        tx->conn->has_no_room = false;
    }
    if (tx->wake | tx->conn->wake_owed)
        er_wake_tell(tx->conn, tx->wake | tx->conn->wake_owed);
    tx->conn->wake_owed = 0;
    return er_failpoint_commit(tx->name, "after", tx->err);
}

uint32_t er_tx_hints(const struct er_tx *tx)
{
    return tx->root.follow_until > tx->now_ms ? ERRAND_HINT_EVENTS : 0;
}

void er_tx_extra(struct er_tx *tx, enum er_extra extra)
{
    if (tx->root.extras & extra)
        return;
    tx->root.extras |= extra;
    tx->is_root_dirty = true;
}

int er_tx_nomem(struct er_tx *tx)
{
    return er_error_nomem(tx->err);
}

int er_tx_grow(struct er_tx *tx, void *array, size_t n, size_t *max, size_t size)
{
    void **ptr = array, *bigger;
    size_t wanted = *max ? *max * 2 : 16;

    if (n < *max)
        return 0;
    if (!(bigger = errand_arena_alloc(tx->scratch, wanted * size)))
        return er_tx_nomem(tx);
    if (n)
        memcpy(bigger, *ptr, n * size);
    *ptr = bigger;
    *max = wanted;
    return 0;
}

int er_row_id(struct er_tx *tx, sqlite3_stmt *st, void *ret_id)
{
    (void)tx;
    *(int64_t *)ret_id = sqlite3_column_int64(st, 0);
    return 0;
}

int er_tx_rows(struct er_tx *tx, sqlite3_stmt *st, er_row_fn *fill, size_t size,
               void *ret_rows, size_t *ret_n)
{
    char *rows = NULL;
    size_t n = 0, max = 0;
    int rc;

    if (!st)
        return tx->err->code;
    while ((rc = er_tx_next(tx, st)) > 0)
        if ((rc = er_tx_grow(tx, &rows, n, &max, size)) < 0 ||
            (rc = fill(tx, st, rows + n++ * size)) < 0) {
            sqlite3_reset(st);
            return rc;
        }
    if (rc < 0)
        return rc;
    *(void **)ret_rows = rows;
    *ret_n = n;
    return 0;
}

int er_tx_answer(struct er_tx *tx, sqlite3_stmt *st, er_row_fn *fill, size_t size,
                 void *ret_rows, size_t *ret_n)
{
    void *rows = NULL, *copy;
    size_t n = 0;
    int rc;

    if ((rc = er_tx_rows(tx, st, fill, size, &rows, &n)) < 0)
        return rc;
    if (!(copy = errand_arena_copy(tx->arena, rows, n * size)))
        return er_tx_nomem(tx);
    *(void **)ret_rows = copy;
    *ret_n = n;
    return 0;
}

struct er_count *er_tx_count(struct er_tx *tx, int64_t queue)
{
    for (size_t i = tx->counts_n; i-- > 0;)
        if (tx->counts[i].queue == queue)
            return &tx->counts[i];
    if (er_tx_grow(tx, &tx->counts, tx->counts_n, &tx->counts_max, sizeof *tx->counts) <
        0)
        return NULL;
    tx->counts[tx->counts_n] = (struct er_count){.queue = queue};
    return &tx->counts[tx->counts_n++];
}

static int move_add(struct er_tx *tx, const struct er_job *job, int from, int to,
                    int32_t attempt)
{
    struct errand_move *move;
    int rc;

    if (tx->moves_n == tx->moves_max) {
        size_t max = tx->moves_max ? tx->moves_max * 2 : 16;
        struct errand_move *bigger =
            errand_arena_alloc(tx->arena, max * sizeof *tx->moves);
        if (!bigger)
            return er_tx_nomem(tx);
        if (tx->moves_n)
            memcpy(bigger, tx->moves, tx->moves_n * sizeof *tx->moves);
        tx->moves = bigger;
        tx->moves_max = max;
    }
    move = &tx->moves[tx->moves_n];
    *move = (struct errand_move){
        .from = (enum errand_state)from, .to = (enum errand_state)to, .attempt = attempt};
    if ((rc = er_id_of(tx, job->id, job->created_at, job->flags, &move->id)) < 0)
        return rc;
    if (!(move->name = er_name_text(tx, job->name)) ||
        !(move->queue = er_queue_text(tx, job->queue)))
        return tx->err->code;
    tx->moves_n++;
    return 0;
}

int er_tx_move(struct er_tx *tx, const struct er_job *job, int from, int to,
               int32_t attempt)
{
    enum er_told told = er_told_move((enum errand_state)from, (enum errand_state)to);
    /* What was running and was not settled has been reaped. */
    bool is_reaped = from == ERRAND_RUNNING && to != ERRAND_CANCELLED;
    struct errand_slice error = {is_reaped ? ERRAND_LEASE_ERROR : "",
                                 is_reaped ? sizeof ERRAND_LEASE_ERROR - 1 : 0};
    int rc = er_tell_job(tx, job, told, attempt, error);

    return rc == 0 && tx->want_moves ? move_add(tx, job, from, to, attempt) : rc;
}

sqlite3_stmt *er_tx_bind(struct er_tx *tx, enum er_sql sql, const struct er_arg *args,
                         size_t args_n)
{
    return er_sql_bind(tx->db, sql, args, args_n, tx->err);
}

int er_tx_next(struct er_tx *tx, sqlite3_stmt *st)
{
    return er_sql_next(tx->db, st, tx->err);
}

int er_tx_run(struct er_tx *tx, enum er_sql sql, const struct er_arg *args, size_t args_n)
{
    return er_sql_run(tx->db, sql, args, args_n, tx->err);
}

int er_tx_number(struct er_tx *tx, enum er_sql sql, const struct er_arg *args,
                 size_t args_n, int64_t *ret)
{
    sqlite3_stmt *st = er_tx_bind(tx, sql, args, args_n);
    int rc;

    if (!st)
        return tx->err->code;
    if ((rc = er_tx_next(tx, st)) > 0) {
        *ret = sqlite3_column_int64(st, 0);
        sqlite3_reset(st);
    }
    return rc;
}

int64_t er_tx_changes(struct er_tx *tx)
{
    return sqlite3_changes64(tx->db->handle);
}
