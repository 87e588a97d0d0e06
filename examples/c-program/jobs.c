/* jobs.c: two job classes. A class registers itself: linking the file is enough. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <errand.h>

/* Counts the words of the stream; -1 when it was told to stop. */
static long count(errand_job *job, FILE *f)
{
    long words = 0;
    int c, before = ' ';

    while ((c = getc(f)) != EOF) {
        words += isspace(before) && !isspace(c);
        before = c;
        if (c == '\n' && errand_job_stopping(job))
            return -1;
    }
    return words;
}

static int count_words(errand_job *job, struct errand_error *err)
{
    const char *path;
    char result[64];
    long words;
    FILE *f;

    if (errand_job_string(job, "file", &path, err) < 0)
        return ERRAND_FAIL; /* bad data: no retry helps */
    if (!(f = fopen(path, "r"))) {
        errand_error_set(err, ERRAND_EIO, "%s: %s", path, strerror(errno));
        return ERRAND_RETRY; /* the disk may come back */
    }
    words = count(job, f);
    fclose(f);
    if (words < 0) /* the worker is stopping: later, without using up an attempt */
        return errand_job_snooze(job, 5, err) < 0 ? ERRAND_RETRY : ERRAND_SNOOZE;
    errand_job_log(job, "%s has %ld words", path, words);
    snprintf(result, sizeof result, "{\"words\":%ld}", words);
    return errand_job_result(job, result, err) < 0 ? ERRAND_RETRY : ERRAND_DONE;
}

ERRAND_JOB(CountWords, .handle = count_words, .queue = "files", .timeout = 60)

static int charge_card(errand_job *job, struct errand_error *err)
{
    long long cents;

    if (errand_job_int(job, "cents", &cents, err) < 0)
        return ERRAND_FAIL;
    /* Attempts may repeat: id and attempt make the key that tells the bank so. */
    errand_job_log(job, "charging %lld cents, key %s", cents, errand_job_id(job));
    if (cents <= 0) {
        errand_error_set(err, ERRAND_EINVAL, "nothing to charge: %lld cents", cents);
        return ERRAND_FAIL;
    }
    errand_job_progress(job, 100, "charged", NULL);
    return ERRAND_DONE;
}

/* Once, after the job has failed for good. */
static void charge_failed(errand_job *job, const struct errand_error *error)
{
    errand_job_log(job, "telling the customer: %s", error->message);
}

ERRAND_JOB(ChargeCard, .handle = charge_card, .failed = charge_failed, .queue = "money",
           .tries = 5, .backoff = ERRAND_BACKOFF(60, 300, 900), .timeout = 30)
