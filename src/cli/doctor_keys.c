/* doctor_keys.c: the key ring, where jobs are encrypted. */
#include <string.h>

#include "cli/doctor.h"
#include "client/keys.h"

/* Who says that data is encrypted: a job, a queue, the defaults; or NULL. */
static const char *wanted_by(const struct er_doctor *d, const struct er_jobs_about *jobs)
{
    const struct er_config *config = d->cli->config;

    if (config->defaults.is_encrypted)
        return "defaults";
    for (size_t i = 0; i < config->queues_n; i++)
        if (config->queues[i].options.is_encrypted)
            return config->queues[i].name;
    for (size_t i = 0; jobs && i < jobs->jobs_n; i++)
        if (jobs->jobs[i].options.is_encrypted)
            return jobs->jobs[i].name;
    return NULL;
}

void er_doctor_keys(struct er_doctor *d, const struct er_jobs_about *jobs)
{
    const char *path = d->cli->config->client.keys, *who = wanted_by(d, jobs);
    struct er_key_ring *ring = NULL;
    struct errand_error err = {0};

    if (!path && who)
        er_doctor_say(
            d, ER_FAIL, "keys",
            "keys: in errand.yml says where it is; errand keys:new makes one where there "
            "is none on any machine",
            "'%s' is encrypted, and there is no key ring", who);
    if (!path)
        return;
    if (er_key_ring_load(path, &ring, &err) < 0)
        er_doctor_say(d, ER_FAIL, "keys",
                      strstr(err.message, "mend it: ")
                          ? NULL
                          : "bring back the ring that the other machines have; a new "
                            "one (errand keys:new) opens nothing that is stored",
                      "%s", err.message);
    else
        er_doctor_say(d, ER_OK, "keys", NULL, "%zu in %s, '%s' encrypts", ring->n, path,
                      ring->keys[0].id);
    er_key_ring_free(ring);
}
