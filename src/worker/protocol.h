/* protocol.h: what supervisor and runner say to each other; docs/protocol.md is the same
 * for people.
 *
 * A frame is: u32 length of the rest, u8 type, body. Numbers are little-endian; a string
 * is u32 length and bytes. The socket is a stream: a reader keeps what is incomplete.
 * Beside it, runners that can map memory share one page-aligned area (struct er_shared),
 * so that hand-ahead costs no message and a crash still names the right job. */
#ifndef ER_WORKER_PROTOCOL_H
#define ER_WORKER_PROTOCOL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "errand/types.h"

enum { ER_PROTOCOL_VERSION = 1, ER_FRAME_MAX = 18 << 20 };

/* A runner finds these descriptors open and nothing else. It maps and closes ER_FD_SHARED
 * before it runs anything. */
enum {
    ER_FD_SOCKET = 3,
    /* absent for runners of other languages: they get one job at a time and send
     * STARTED */
    ER_FD_SHARED = 4,
};
/* 0 is /dev/null; 1 and 2 are one append-only memory file: after each job the runner
 * sends what is new there as LOG and truncates it; after a crash the supervisor reads it,
 * so that the last words of a job are never lost. */

enum er_frame_type {
    /* to the runner */
    ER_FRAME_JOB = 1,
    ER_FRAME_STOP = 2,   /* no more jobs come: exit 0 when the given ones have ended */
    ER_FRAME_ANSWER = 3, /* to ASK */
    /* to the supervisor */
    ER_FRAME_HELLO = 16,
    ER_FRAME_STARTED = 17, /* u32 slot; only without shared memory */
    ER_FRAME_DONE = 18,
    ER_FRAME_PROGRESS = 19,
    ER_FRAME_LOG = 20,   /* u32 slot, string */
    ER_FRAME_FATAL = 21, /* string: the runner cannot start; it exits after this */
    /* string: the file. Before HELLO, and before each job file that has to be compiled:
     * HELLO may now take ER_LOADING_MS more. */
    ER_FRAME_LOADING = 22,
    /* by the job that runs: it waits for ANSWER before it goes on */
    ER_FRAME_ASK = 23,
};

/* More than a compile (120 s) and a first load (5 s) may take. */
enum { ER_LOADING_MS = 140000 };

enum er_run_kind {
    ER_RUN_HANDLE = 0,
    ER_RUN_FAILED_HOOK = 1,
    ER_RUN_TIMED_OUT_HOOK = 2,
    /* only for classes that publish key_functions: the keys are the result,
     * {"unique":"…","rate":"…","concurrency":"…"} */
    ER_RUN_KEYS = 3,
};

/* Body of JOB, in this order. */
struct er_frame_job {
    uint32_t slot; /* the supervisor's name for this attempt: < ER_SLOTS */
    uint8_t kind;  /* enum er_run_kind */
    int32_t attempt, tries;
    int64_t timeout_ms;                                        /* 0: none */
    struct errand_slice id, name, queue, data, options, error; /* error: for hooks */
};

/* Body of DONE. */
struct er_frame_done {
    uint32_t slot;
    uint8_t verdict;   /* enum errand_verdict; anything else counts as RETRY */
    int64_t snooze_ms; /* with SNOOZE; > 0 with RETRY: in place of the backoff */
    int64_t cpu_us;    /* CPU time of this attempt; 0: not known */
    struct errand_slice error, result;
};

/* Body of PROGRESS: u32 slot, i32 percent, string note. */
struct er_frame_progress {
    uint32_t slot;
    int32_t percent;
    struct errand_slice note;
};

/* What a job can ask of whoever holds the store. */
enum er_ask_kind {
    ER_ASK_PARENTS = 0,  /* text empty; answered by the array of docs/job-files.md */
    ER_ASK_DISPATCH = 1, /* an array of jobs (client/item.h); answered by
                          * [{"id":"…","pushed":0},…] */
};

/* Body of ASK: u32 slot, u8 kind, string text. Body of ANSWER: u32 slot, i32 code (0, or
 * an enum errand_code), string text (the answer, or what is wrong). */
struct er_frame_ask {
    uint32_t slot;
    int32_t code; /* of ASK: the kind */
    struct errand_slice text;
};

/* Body of HELLO. */
struct er_frame_hello {
    uint32_t version;
    /* JSON, options as er_options_encode writes them:
     * {"language":"c","jobs":[{"name":"…","file":"…","options":{…}}],
     *  "errors":[{"file":"…","name":"…","message":"…"}]} */
    struct errand_slice about;
};

/* Shared memory of one runner. The runner takes a job by moving its mark from GIVEN to
 * RUNNING; the supervisor takes it back by moving GIVEN to RECALLED, and may then give it
 * to another runner: exactly one of the two wins.
 * DONE frames are gathered before they are sent, so a runner may die with some of them.
 * A job marked DONE ended with ERRAND_DONE and had nothing to add (no result, no log):
 * the mark counts, with or without its frame. A job that ended in any other way is marked
 * TOLD, and its frames are sent before another job begins. Without this, the neighbours
 * of a job that kills its runner would run twice. */
enum er_mark {
    ER_MARK_FREE = 0,
    ER_MARK_GIVEN = 1,
    ER_MARK_RUNNING = 2,
    ER_MARK_RECALLED = 3,
    ER_MARK_DONE = 4,
    ER_MARK_TOLD = 5
};
enum { ER_SLOTS = 1024 };
struct er_shared {
    uint32_t version, slots;
    _Atomic uint32_t stopping;       /* errand_job_stopping() of whatever runs */
    _Atomic uint32_t running;        /* slot + 1; 0: none */
    _Atomic int64_t started_mono_ms; /* when the running one began */
    _Atomic uint32_t cancel;         /* slot + 1 of a running job that was cancelled */
    _Atomic uint32_t marks[ER_SLOTS];
};

/* Append one frame. 0 or -1 (out of memory, too big). */
int er_frame_write_job(struct er_buf *buf, const struct er_frame_job *frame);
int er_frame_write_done(struct er_buf *buf, const struct er_frame_done *frame);
int er_frame_write_progress(struct er_buf *buf, const struct er_frame_progress *frame);
int er_frame_write_ask(struct er_buf *buf, const struct er_frame_ask *frame);
int er_frame_write_answer(struct er_buf *buf, const struct er_frame_ask *frame);
int er_frame_write_hello(struct er_buf *buf, const struct er_frame_hello *frame);
int er_frame_write_slot(struct er_buf *buf, enum er_frame_type type, uint32_t slot,
                        struct errand_slice text);
int er_frame_write_bare(struct er_buf *buf, enum er_frame_type type,
                        struct errand_slice text);

/* The next whole frame at the start of bytes[len]: its size with the length field, or 0:
 * not all here yet, or -1: broken. */
struct er_frame {
    uint8_t type;
    struct errand_slice body;
};
long er_frame_next(const char *bytes, size_t len, struct er_frame *ret);

/* Bodies; slices point into the frame. 0 or -1: broken. */
int er_frame_read_job(const struct er_frame *frame, struct er_frame_job *ret);
int er_frame_read_done(const struct er_frame *frame, struct er_frame_done *ret);
int er_frame_read_progress(const struct er_frame *frame, struct er_frame_progress *ret);
int er_frame_read_ask(const struct er_frame *frame, struct er_frame_ask *ret);
int er_frame_read_answer(const struct er_frame *frame, struct er_frame_ask *ret);
int er_frame_read_hello(const struct er_frame *frame, struct er_frame_hello *ret);
int er_frame_read_slot(const struct er_frame *frame, uint32_t *ret_slot,
                       struct errand_slice *ret_text);

#endif
