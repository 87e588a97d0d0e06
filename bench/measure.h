/* measure.h: what the measuring programs share: a clock, one line a figure, percentiles,
 * children, and a place for files. A measuring program ends at the first error. */
#ifndef ER_BENCH_MEASURE_H
#define ER_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int64_t now_ns(void);  /* monotonic, the same in every process */
int64_t wall_ns(void); /* since 1970 */
void sleep_ns(int64_t ns);

/* "NAME <tab> VALUE": script/bench collects these. */
void figure(const char *name, double value);
void figure_rate(const char *name, double n, int64_t from_ns);

/* The share-th smallest of n (0.5: the median); sorts them. */
double percentile(double *values, size_t n, double share);

void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* 64 bytes of JSON with a number and the time in it, as every peer was measured with. */
enum { PAYLOAD_LEN = 64 };
void payload_write(char buf[PAYLOAD_LEN + 1], int64_t number, int64_t time_ns);
int64_t payload_time_ns(const char *json);

/* Removes a database and the files beside it. */
void database_remove(const char *path);
int64_t file_size(const char *path);

/* A number from the environment, for a shorter or longer run. */
int64_t setting(const char *name, int64_t standard);

/* Processes. `cpu_ns` is the time a process has run for, all threads, to the nanosecond.
 */
pid_t spawn(char *const argv[]);
void wait_for(pid_t pid);
int64_t cpu_ns(pid_t pid);
double rss_mib(pid_t pid);
size_t children_of(pid_t pid, pid_t *ret, size_t max);

#endif
