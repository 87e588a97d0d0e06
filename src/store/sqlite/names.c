/* names.c: names of queues and jobs as small numbers, remembered by the connection. */
#include "store/sqlite/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static uint64_t hash_text(const char *text)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */

    while (*text)
        h = (h ^ (unsigned char)*text++) * 1099511628211u;
    return h;
}

static uint64_t hash_id(int64_t id)
{
    return (uint64_t)id * 11400714819323198485u >> 20;
}

void er_names_forget(struct er_names *names)
{
    for (size_t i = 0; i < names->slots_n; i++)
        if (names->by_text[i]) {
            free(names->by_text[i]->text);
            free(names->by_text[i]);
        }
    free(names->by_text);
    free(names->by_id);
    *names = (struct er_names){0};
}

static struct er_name *find_text(const struct er_names *names, const char *text)
{
    uint64_t hash = hash_text(text);

    if (!names->slots_n)
        return NULL;
    for (size_t i = hash & (names->slots_n - 1); names->by_text[i];
         i = (i + 1) & (names->slots_n - 1))
        if (names->by_text[i]->hash == hash && strcmp(names->by_text[i]->text, text) == 0)
            return names->by_text[i];
    return NULL;
}

static struct er_name *find_id(const struct er_names *names, int64_t id)
{
    if (!names->slots_n)
        return NULL;
    for (size_t i = hash_id(id) & (names->slots_n - 1); names->by_id[i];
         i = (i + 1) & (names->slots_n - 1))
        if (names->by_id[i]->id == id)
            return names->by_id[i];
    return NULL;
}

static void slot_put(struct er_names *names, struct er_name *name)
{
    size_t mask = names->slots_n - 1, i;

    for (i = name->hash & mask; names->by_text[i]; i = (i + 1) & mask)
        ;
    names->by_text[i] = name;
    for (i = hash_id(name->id) & mask; names->by_id[i]; i = (i + 1) & mask)
        ;
    names->by_id[i] = name;
}

/* Tables are at most half full. */
static int slots_grow(struct er_names *names)
{
    struct er_names bigger = {.slots_n = names->slots_n ? names->slots_n * 2 : 32,
                              .n = names->n};

    if (names->n * 2 < names->slots_n)
        return 0;
    bigger.by_text = calloc(bigger.slots_n, sizeof *bigger.by_text);
    bigger.by_id = calloc(bigger.slots_n, sizeof *bigger.by_id);
    if (!bigger.by_text || !bigger.by_id) {
        free(bigger.by_text);
        free(bigger.by_id);
        return -1;
    }
    for (size_t i = 0; i < names->slots_n; i++)
        if (names->by_text[i])
            slot_put(&bigger, names->by_text[i]);
    free(names->by_text);
    free(names->by_id);
    *names = bigger;
    return 0;
}

static struct er_name *remember(struct er_tx *tx, struct er_names *names, int64_t id,
                                const char *text)
{
    struct er_name *name = calloc(1, sizeof *name);

    if (!name || !(name->text = strdup(text)) || slots_grow(names) < 0) {
        if (name)
            free(name->text);
        free(name);
        er_tx_nomem(tx);
        return NULL;
    }
    name->id = id;
    name->hash = hash_text(text);
    slot_put(names, name);
    names->n++;
    return name;
}

/* What differs between queues and jobs. */
struct kind {
    enum er_sql find, insert, text;
};
static const struct kind queue_kind = {ER_SQL_QUEUE_FIND, ER_SQL_QUEUE_INSERT,
                                       ER_SQL_QUEUE_TEXT};
static const struct kind job_kind = {ER_SQL_NAME_FIND, ER_SQL_NAME_INSERT,
                                     ER_SQL_NAME_TEXT};

static int id_of(struct er_tx *tx, struct er_names *names, const struct kind *kind,
                 const char *text, bool make, int64_t *ret_id)
{
    struct er_name *name = find_text(names, text);
    int64_t id = 0;
    int rc;

    *ret_id = 0;
    if (!name) {
        if ((rc = er_tx_number(tx, kind->find, ER_ARGS(er_text(text)), &id)) < 0)
            return rc;
        if (rc == 0 && !make)
            return 0;
        if (rc == 0) {
            if ((rc = er_tx_run(tx, kind->insert, ER_ARGS(er_text(text)))) < 0)
                return rc;
            id = sqlite3_last_insert_rowid(tx->db->handle);
        }
        if (!(name = remember(tx, names, id, text)))
            return ERRAND_ENOMEM;
    }
    *ret_id = name->id;
    return 0;
}

static const char *text_of(struct er_tx *tx, struct er_names *names,
                           const struct kind *kind, int64_t id)
{
    struct er_name *name = find_id(names, id);
    sqlite3_stmt *st;
    int rc;

    if (!name) {
        if (!(st = er_tx_bind(tx, kind->text, ER_ARGS(er_int(id)))))
            return NULL;
        if ((rc = er_tx_next(tx, st)) < 0)
            return NULL;
        if (rc == 0 || !sqlite3_column_text(st, 0)) {
            sqlite3_reset(st);
            errand_error_set(tx->err, ERRAND_ECORRUPT,
                             "name %lld is missing; restore a backup or see "
                             "docs/stores/sqlite.md",
                             (long long)id);
            return NULL;
        }
        name = remember(tx, names, id, (const char *)sqlite3_column_text(st, 0));
        sqlite3_reset(st);
        if (!name)
            return NULL;
    }
    /* One copy a call, however many rows have it. */
    if (name->call != tx->conn->call || !name->copy) {
        name->copy = errand_arena_copy(tx->arena ? tx->arena : tx->scratch, name->text,
                                       strlen(name->text));
        name->call = tx->conn->call;
        if (!name->copy)
            er_tx_nomem(tx);
    }
    return name->copy;
}

int er_queue_id(struct er_tx *tx, const char *name, bool make, int64_t *ret_id)
{
    return id_of(tx, tx->queues, &queue_kind, name, make, ret_id);
}

int er_name_id(struct er_tx *tx, const char *name, bool make, int64_t *ret_id)
{
    return id_of(tx, tx->jobs, &job_kind, name, make, ret_id);
}

const char *er_queue_text(struct er_tx *tx, int64_t id)
{
    return text_of(tx, tx->queues, &queue_kind, id);
}

const char *er_name_text(struct er_tx *tx, int64_t id)
{
    return text_of(tx, tx->jobs, &job_kind, id);
}
