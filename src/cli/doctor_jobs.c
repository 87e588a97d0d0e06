/* doctor_jobs.c: the compiler and the job files. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "worker/runner.h"

/* The first word of CC: "ccache gcc" is two programs, and the first one starts. */
static bool is_in_path(const char *cc)
{
    const char *path = getenv("PATH");
    char full[4096], program[1024];

    snprintf(program, sizeof program, "%.*s", (int)strcspn(cc, " "), cc);
    if (strchr(program, '/'))
        return access(program, X_OK) == 0;
    for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
        size_t len = strcspn(p, ":");

        snprintf(full, sizeof full, "%.*s/%s", (int)len, p, program);
        if (access(full, X_OK) == 0)
            return true;
        p += len + (p[len] == ':');
    }
    return false;
}

static void compiler(struct er_doctor *d, const struct er_jobs_about *jobs)
{
    const char *cc = getenv("CC");
    size_t c_files = 0;

    if (!cc || !*cc)
        cc = "cc";
    for (size_t i = 0; i < jobs->jobs_n; i++)
        c_files += jobs->jobs[i].source == ER_JOB_C_FILE;
    if (is_in_path(cc))
        er_doctor_say(d, ER_OK, "compiler", NULL, "%s", cc);
    else if (c_files)
        er_doctor_say(d, ER_FAIL, "compiler", "install gcc or clang, or set CC",
                      "'%s' is not in PATH, and app/Jobs has C files", cc);
    else
        er_doctor_say(d, ER_OK, "compiler", NULL, "none, and no C files in app/Jobs");
}

/* Whoever may write there decides what a worker runs. */
static void folder_mode(struct er_doctor *d, const char *folder)
{
    struct stat st;

    if (stat(folder, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)))
        er_doctor_say(d, ER_FAIL, "jobs", "chmod go-w app/Jobs",
                      "%s can be changed by others, who could run code as you", folder);
}

void er_doctor_jobs(struct er_doctor *d)
{
    const char *project = d->cli->config->project;
    char *folder = er_arena_printf(d->cli->arena, "%s/app/Jobs", project);
    struct er_jobs_about jobs = {0};
    struct errand_error err = {0};
    const char *remedy;
    size_t broken = 0;

    if (!folder || access(folder, F_OK) < 0) {
        er_doctor_say(d, ER_OK, "jobs", NULL, "no app/Jobs in %s", project);
        er_doctor_keys(d, NULL);
        return;
    }
    folder_mode(d, folder);
    if (er_project_describe(project, d->cli->arena, &jobs, &err) < 0) {
        er_doctor_say(d, ER_FAIL, "jobs", NULL, "%s", err.message);
        return;
    }
    compiler(d, &jobs);
    er_doctor_keys(d, &jobs);
    for (size_t i = 0; i < jobs.jobs_n; i++) {
        if (!jobs.jobs[i].error) {
            if (er_options_check_schedule(&jobs.jobs[i].options, &err) < 0)
                er_doctor_say(d, ER_WARN, "jobs", NULL, "'%s' of %s is not scheduled: %s",
                              jobs.jobs[i].name, jobs.jobs[i].path, err.message);
            continue;
        }
        broken++;
        remedy = strstr(jobs.jobs[i].error, "mend it: ") ? NULL : "correct the file";
        er_doctor_say(d, ER_FAIL, "jobs", remedy, "'%s' cannot run: %s",
                      jobs.jobs[i].name, jobs.jobs[i].error);
    }
    if (!broken)
        er_doctor_say(d, ER_OK, "jobs", NULL, "%zu, all can run", jobs.jobs_n);
}
