/* scan.h: walking over jobs that match a filter, in order of insertion or backwards. */
#ifndef ER_STORE_SQLITE_SCAN_H
#define ER_STORE_SQLITE_SCAN_H

#include "store/sqlite/sqlite.h"

/* A job that matches. */
struct er_found {
    int64_t id, queue, name, created_at, ended_at, batch;
    enum errand_state state;
    uint32_t flags;
    bool is_history;
};

/* The row under a statement with the columns of find_job.sql. */
void er_found_read(sqlite3_stmt *st, bool is_history, struct er_found *ret);

struct er_scan_source {
    sqlite3_stmt *st;
    bool has_row;
    struct er_found row;
};

enum { ER_SCAN_SOURCES = 2 };

struct er_scan {
    struct er_tx *tx;
    const struct errand_filter *filter;
    int64_t queue, name, batch; /* of the filter; 0: any */
    bool newest_first, is_empty;
    struct er_scan_source sources[ER_SCAN_SOURCES]; /* the living, the completed */
    struct er_running *running;
    size_t running_n;
    bool is_running_only;
    size_t running_left; /* of those that run: not read yet */
};

/* `after`: the number of the last job of the page before, or 0. er_scan_done in any case.
 */
int er_scan_begin(struct er_scan *scan, struct er_tx *tx,
                  const struct errand_filter *filter, int64_t after, bool newest_first);
int er_scan_next(struct er_scan *scan, struct er_found *ret); /* 1, or 0: no more */
void er_scan_done(struct er_scan *scan);

#endif
