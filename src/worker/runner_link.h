/* runner_link.h: a runner as its supervisor sees it: a child, a socket, a page of shared
 * memory, and the attempts it was given. */
#ifndef ER_WORKER_RUNNER_LINK_H
#define ER_WORKER_RUNNER_LINK_H

#include <uv.h>

#include "base/buf.h"
#include "worker/attempt.h"
#include "worker/spawn.h"

struct er_supervisor;

enum { ER_ANSWERED_PLANS = 8 };

enum er_runner_state {
    ER_RUNNER_STARTING, /* no HELLO yet */
    ER_RUNNER_READY,
    ER_RUNNER_RETIRED, /* STOP was sent: it ends by itself */
    ER_RUNNER_GONE,    /* ended; the loop still holds its handles */
};

/* What its job has asked and waits for. */
struct er_question {
    bool is_open;
    uint32_t slot;
    int kind;           /* enum er_ask_kind */
    struct er_buf text; /* max 0 until the first one */
    int64_t retry_at_ms, give_up_ms;
};

struct er_runner {
    struct er_runner *next;
    struct er_supervisor *s;
    enum er_runner_state state;
    int generation; /* of the code it has loaded */
    bool is_stale;  /* retire it as soon as it has nothing to do */
    struct er_child child;
    uv_poll_t death, io;
    int handles_n;
    int fd, log_fd;
    struct er_marks marks;
    struct er_shared *shared; /* of the marks */
    struct er_buf in, out;
    bool is_writable_watched;
    char fatal[512]; /* its own words on why it could not start */

    /* Given and not answered, oldest first: slots[head % ER_SLOTS] up to tail. NULL:
     * taken back, and free for use once the runner has answered a later one. */
    struct er_attempt *slots[ER_SLOTS];
    uint32_t head, tail; /* only ever grow */
    size_t given_n;
    size_t pool;      /* of those given: a runner holds jobs of one pool at a time */
    double load_ms;   /* what they are expected to take */
    uint64_t idle_ns; /* since when its next answer is measured */
    size_t answers_n; /* in this round of reading */
    struct er_plan *answered[ER_ANSWERED_PLANS]; /* of which jobs they were */
    size_t answered_n;
    struct er_question question;
    struct er_attempt *stopping; /* one that is being stopped: nothing new comes here */
    int64_t jobs_n;              /* answered, ever */
    int64_t born_ms, hello_by_ms, retire_by_ms, look_at_memory_ms;
};

int er_runner_start(struct er_supervisor *s, struct er_runner **ret,
                    struct errand_error *err);
/* Part of starting: the loop sees to its socket and its end. 0 or -1. */
int er_runner_watch(struct er_runner *runner);
void er_runner_free(struct er_runner *runner); /* after its handles are closed */
/* 0, or -1: no memory, or the frame is too big. */
int er_runner_give(struct er_runner *runner, struct er_attempt *attempt);
/* ask_turn.c: notes what an ASK frame says. 0, or -1: the runner broke the protocol. */
int er_runner_asks(struct er_runner *runner, const struct er_frame *frame);
void er_runner_flush(struct er_runner *runner);
/* Takes one back that has not begun. False: too late. */
bool er_runner_take_back(struct er_runner *runner, struct er_attempt *attempt);
/* The one that runs now, or NULL. Notes when it began. */
struct er_attempt *er_runner_current(struct er_runner *runner);
void er_runner_mark_stop(struct er_runner *runner, bool is_cancel);
void er_runner_retire(struct er_runner *runner);
/* Looks whether it has ended, where no descriptor tells. */
void er_runner_check(struct er_runner *runner);
int64_t er_runner_rss_kib(const struct er_runner *runner);

#endif
