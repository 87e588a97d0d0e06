/* words.h: what a person wants to read about an attempt and a value. */
#ifndef ER_CLI_WORDS_H
#define ER_CLI_WORDS_H

#include "base/buf.h"
#include "errand/driver.h"

/* "completed", "retrying", … */
const char *er_outcome_name(enum errand_outcome_kind kind);
/* "signal"; NULL: the handler's word */
const char *er_cause_name(enum errand_cause cause);
/* "killed by SIGSEGV", "timed out after 120 s", "exit code 3"; "" when the handler ended
 * by itself and said so. Returns buf, of 160 bytes. */
enum { ER_CAUSE_SIZE = 160 };
char *er_cause_text(const struct errand_attempt *attempt, char *buf);
/* "SIGSEGV", or "signal 64". Returns buf, of 24 bytes. */
char *er_signal_name(int number, char *buf);
/* Appends JSON behind `indent` columns: on one line when it is short, else over
 * several, two columns a level; what is no JSON as it is. Not yet escaped for a terminal.
 * 0 or -1. */
int er_json_pretty(struct er_buf *buf, struct errand_slice json, int indent);

#endif
