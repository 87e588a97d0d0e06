/* doctor.h: what queue operators are asked to look at, one finding a line. */
#ifndef ER_CLI_DOCTOR_H
#define ER_CLI_DOCTOR_H

#include "cli/cli.h"
#include "worker/runner.h"

enum er_finding { ER_OK, ER_WARN, ER_FAIL };

struct er_doctor {
    struct er_cli *cli;
    int warned_n, failed_n;
};

/* "fail: MESSAGE → REMEDY"; remedy NULL: nothing to do. */
void er_doctor_say(struct er_doctor *doctor, enum er_finding finding, const char *check,
                   const char *remedy, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* doctor_host.c: what surrounds the store: file, folder, file system, disk, clock. */
void er_doctor_host(struct er_doctor *doctor);
/* doctor_work.c: queues, and the workers that should empty them. */
void er_doctor_work(struct er_doctor *doctor);
/* doctor_notify.c: whether somebody would be told of failures, by the settings; and what
 * came of those that were to be told, by the store. */
void er_doctor_notify(struct er_doctor *doctor);
void er_doctor_told(struct er_doctor *doctor);
/* doctor_jobs.c: compiler and job files. */
void er_doctor_jobs(struct er_doctor *doctor);
/* doctor_keys.c: the key ring; `jobs` NULL: none are known. */
void er_doctor_keys(struct er_doctor *doctor, const struct er_jobs_about *jobs);

#endif
