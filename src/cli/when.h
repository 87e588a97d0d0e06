/* when.h: times as a person reads them. */
#ifndef ER_CLI_WHEN_H
#define ER_CLI_WHEN_H

#include <stddef.h>
#include <stdint.h>

enum { ER_WHEN_SIZE = 40 };

/* "850 ms", "1.2 s", "3 min 20 s", "2 h 5 min", "3 d 4 h". Returns buf, of ER_WHEN_SIZE.
 */
char *er_span_text(int64_t ms, char *buf);
/* "now", "12 s ago", "in 3 min"; "-" when ms is 0. Returns buf, of ER_WHEN_SIZE. */
char *er_ago_text(int64_t ms, int64_t now_ms, char *buf);
/* "1,234,567". Returns buf, of ER_WHEN_SIZE. */
char *er_count_text(int64_t n, char *buf);

#endif
